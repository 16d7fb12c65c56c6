//! Adam (Kingma and Ba 2015, algorithm 1) on flat tensors, with a step size and a count for each member.
//!
//! Its state lies in [`Parameters`], so a checkpoint can hold it: `tch`'s own optimizer gives its state
//! to nobody, which would make exact resume impossible.

use tch::Tensor;

use crate::device::send;
use crate::network::Parameters;

const BETA_1: f64 = 0.9;
const BETA_2: f64 = 0.999;
const EPSILON: f64 = 1e-8;

/// Values of a member updated together on the CPU: the seven passes over weights, gradient and moments then read
/// from the cache of a core (4 × 256 KiB in f32) and not from memory. A constant, because it is part of what
/// makes a repeated run bit-equal.
const CPU_BLOCK: i64 = 1 << 16;

/// Applies the `gradient` `[K, p]` of each member's update number `t`, counted from 1.
///
/// w ← w - lr·m̂/(√v̂ + ε), with m̂ = m/(1 - β₁ᵗ) and v̂ = v/(1 - β₂ᵗ).
///
/// # Panics
/// Unless there is a `t` for each member.
pub fn update(parameters: &mut Parameters, gradient: &Tensor, t: &[u64]) {
    let lr: Vec<f64> = Vec::try_from(&parameters.lr).expect("step sizes are f64 on the CPU");
    assert_eq!(lr.len(), t.len(), "an update number for each member");
    // -(√v̂ + ε)/step_size = scale·√v + offset, with step_size = lr/(1 - β₁ᵗ)
    let (scale, offset): (Vec<f64>, Vec<f64>) = lr
        .iter()
        .zip(t)
        .map(|(lr, t)| {
            let step_size = lr / (1.0 - BETA_1.powf(*t as f64));
            let correction = (1.0 - BETA_2.powf(*t as f64)).sqrt();
            (-1.0 / (step_size * correction), -EPSILON / step_size)
        })
        .unzip();
    let options = (gradient.kind(), gradient.device());
    let column =
        |values: &[f64]| send(&Tensor::from_slice(values).to_kind(options.0), options.1).unsqueeze(1);
    let (scale, offset) = (column(&scale), column(&offset));

    let total = gradient.size()[1];
    let block = if gradient.device().is_cuda() { total } else { CPU_BLOCK };
    for start in (0..total).step_by(block as usize) {
        let part = |flat: &Tensor| flat.narrow(1, start, block.min(total - start));
        let (mut w, mut m, mut v) =
            (part(&parameters.weights), part(&parameters.first_moment), part(&parameters.second_moment));
        let g = part(gradient);
        let _ = m.lerp_(&g, 1.0 - BETA_1); // m ← β₁·m + (1 - β₁)·g
        let _ = v.lerp_(&g.square(), 1.0 - BETA_2); // v ← β₂·v + (1 - β₂)·g²
        let denominator = v.sqrt().g_mul_(&scale).g_add_(&offset);
        let _ = w.addcdiv_(&m, &denominator);
    }
}
