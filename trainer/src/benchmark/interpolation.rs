//! Images between images.

use rand_distr::{Distribution, Uniform};
use tch::Tensor;

use super::Benchmark;
use crate::model::Model;
use crate::random::{Purpose, stream};

/// A way from one code to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Path {
    /// Straight.
    Line,
    /// Along a great circle (Shoemake 1985), each code of an image being one vector. Straight where the two codes point
    /// the same way or opposite ways, for then there is no one circle.
    Sphere,
}

impl Path {
    /// The codes at share `t` in [0, 1] of the way between codes `[n, …]`.
    pub fn at(self, from: &Tensor, to: &Tensor, t: f64) -> Tensor {
        let line = from.lerp(to, t);
        if self == Path::Line {
            return line;
        }
        let dot = |a: &Tensor, b: &Tensor| {
            let sums = (a * b).flatten(1, -1).sum_dim_intlist([1].as_slice(), false, None);
            sums.view([-1, 1, 1, 1])
        };
        let cosine = dot(from, to) / (dot(from, from) * dot(to, to)).sqrt();
        let angle = cosine.clamp(-1.0, 1.0).acos();
        let sine = angle.sin();
        let circle = (&angle * (1.0 - t)).sin() / &sine * from + (&angle * t).sin() / &sine * to;
        circle.where_self(&sine.gt(1e-6), &line)
    }
}

impl Benchmark {
    /// Decoded codes on the way between those of images (`[n, c, 32, 32]` each), `steps` ≥ 2 of them with both ends:
    /// `[n, steps, c, 32, 32]`.
    pub fn interpolate(
        &self,
        model: &dyn Model,
        (from, to): (&Tensor, &Tensor),
        steps: i64,
        path: Path,
    ) -> Tensor {
        let _guard = tch::no_grad_guard();
        let (from, to) = (self.encode(model, from, 0).latents, self.encode(model, to, 1).latents);
        let share = |step| step as f64 / (steps - 1) as f64;
        let decoded: Vec<Tensor> =
            (0..steps).map(|step| self.decode(model, &path.at(&from, &to, share(step)))).collect();
        Tensor::stack(&decoded, 1)
    }

    /// Numbers of `count` pairs of different test images (where there are two), the same for every run.
    pub(super) fn pairs(&self, count: usize) -> (Vec<i64>, Vec<i64>) {
        let images = self.source.test().images.size()[0] as u64;
        let mut random = stream(0, Purpose::Pairs, 0);
        let below = |limit: u64| Uniform::new(0, limit.max(1)).expect("more than no numbers");
        (0..count)
            .map(|_| {
                let from = below(images).sample(&mut random);
                let other = below(images - 1).sample(&mut random);
                let to = (other + u64::from(other >= from)).min(images - 1);
                (from as i64, to as i64)
            })
            .unzip()
    }
}
