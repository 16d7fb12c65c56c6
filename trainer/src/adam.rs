//! Adam (Kingma and Ba 2015, algorithm 1) on flat tensors.
//!
//! Its state lies in [`Parameters`], so a checkpoint can hold it: `tch`'s own optimizer gives its state
//! to nobody, which would make exact resume impossible.

use tch::Tensor;

use crate::network::Parameters;

const BETA_1: f64 = 0.9;
const BETA_2: f64 = 0.999;
const EPSILON: f64 = 1e-8;

/// Values updated together on the CPU: the seven passes over weights, gradient and moments then read
/// from the cache of a core (4 × 256 KiB in f32) and not from memory. A constant, because it is part of what
/// makes a repeated run bit-equal.
const CPU_BLOCK: i64 = 1 << 16;

/// The optimizer of every network of a run.
#[derive(Debug, Clone, Copy)]
pub struct Adam {
    /// Step size (α in the paper).
    pub lr: f64,
}

impl Adam {
    /// Applies the `gradient` `[p]` of the run's update number `t`, counted from 1.
    pub fn update(&self, parameters: &mut Parameters, gradient: &Tensor, t: u64) {
        let total = gradient.numel() as i64;
        let block = if gradient.device().is_cuda() { total } else { CPU_BLOCK };
        for start in (0..total).step_by(block as usize) {
            let part = |flat: &Tensor| flat.narrow(0, start, block.min(total - start));
            self.update_part(
                &mut part(&parameters.weights),
                &mut part(&parameters.first_moment),
                &mut part(&parameters.second_moment),
                &part(gradient),
                t as f64,
            );
        }
    }

    /// w ← w - lr·m̂/(√v̂ + ε), with m̂ = m/(1 - β₁ᵗ) and v̂ = v/(1 - β₂ᵗ).
    fn update_part(&self, w: &mut Tensor, m: &mut Tensor, v: &mut Tensor, g: &Tensor, t: f64) {
        let _ = m.lerp_(g, 1.0 - BETA_1); // m ← β₁·m + (1 - β₁)·g
        let _ = v.lerp_(&g.square(), 1.0 - BETA_2); // v ← β₂·v + (1 - β₂)·g²
        let step_size = self.lr / (1.0 - BETA_1.powf(t));
        let correction = (1.0 - BETA_2.powf(t)).sqrt();
        let mut denominator = v.sqrt();
        let _ = denominator.g_div_scalar_(-step_size * correction);
        let _ = denominator.g_sub_scalar_(EPSILON / step_size); // -(√v̂ + ε)/step_size
        let _ = w.addcdiv_(m, &denominator);
    }
}
