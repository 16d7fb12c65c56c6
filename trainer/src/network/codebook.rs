//! The codebook of a vector-quantised autoencoder.

use rand_distr::{Distribution, Uniform};
use tch::{Kind, Tensor};

use super::{Members, Pick, Role};

/// Decay of the running averages, an update.
const DECAY: f64 = 0.999;
/// Laplace smoothing of the counts.
const EPSILON: f64 = 1e-5;

/// Vectors that codes are rounded to, learnt as running averages of what was rounded to them (van den Oord et al.
/// 2017, appendix A.1), not by gradient.
#[derive(Debug)]
pub struct Codebook {
    /// The vectors, `[K, codes, h]`.
    pub vectors: Tensor,
    /// Running average of how many vectors each code took, `[K, codes]`.
    pub counts: Tensor,
    /// Running average of their sum, `[K, codes, h]`.
    pub sums: Tensor,
}

impl Codebook {
    /// Initial vectors, which are the sums too: uniform with variance 1/codes. Counts start at 0.
    ///
    /// So the authors have it (`lib/discretization.py`), and it throws the vectors far out at first: a code's share of
    /// the counts is tiny until some thousand steps have filled them.
    #[must_use]
    pub fn new(codes: i64, width: i64, members: &Members) -> Codebook {
        let (kind, device) = members.options;
        let limit = (3.0 / codes as f64).sqrt();
        let uniform = Uniform::new_inclusive(-limit, limit).expect("a limit above 0");
        let draw = |seed: &u64| -> Vec<f64> {
            uniform.sample_iter(Role::Codebook.weights(*seed)).take((codes * width) as usize).collect()
        };
        let numbers: Vec<f64> = members.seeds.iter().flat_map(draw).collect();
        let vectors = Tensor::from_slice(&numbers).view([-1, codes, width]).to_kind(kind).to_device(device);
        let counts = Tensor::zeros([members.seeds.len() as i64, codes], members.options);
        Codebook { sums: vectors.copy(), counts, vectors }
    }

    /// Some of the members.
    #[must_use]
    pub fn pick(&self, pick: Pick<'_>) -> Codebook {
        Codebook { vectors: pick(&self.vectors), counts: pick(&self.counts), sums: pick(&self.sums) }
    }

    /// Number of the code nearest to each of `x` `[K, m, h]`: `[K, m]`, i64.
    pub fn nearest(&self, x: &Tensor) -> Tensor {
        // ‖x - c‖² less ‖x‖², which is the same for all c.
        let squares = self.vectors.norm_scalaropt_dim(2, [2].as_slice(), false).square().unsqueeze(1);
        let distances = squares.baddbmm(&x.detach(), &self.vectors.transpose(1, 2), 1, -2); // [K, m, codes]
        distances.argmin(2, false)
    }

    /// The vectors `[K, m, h]` of codes `[K, m]`.
    pub fn look_up(&self, codes: &Tensor) -> Tensor {
        let width = self.vectors.size()[2];
        let index = codes.unsqueeze(2).expand([-1, -1, width], false);
        self.vectors.gather(1, &index, false)
    }

    /// Moves the vectors towards the averages of the `x` `[K, m, h]` that were rounded to `codes` `[K, m]`.
    pub fn learn(&mut self, x: &Tensor, codes: &Tensor) {
        let (members, size, width) = self.vectors.size3().expect("members, codes, values");
        let first = Tensor::arange(members, (Kind::Int64, codes.device())) * size;
        let rows = (codes + first.unsqueeze(1)).flatten(0, 1); // of all members' codes, one after the other
        // Not `bincount`, which waits for a GPU to know how many bins there are.
        let ones = Tensor::ones([rows.numel() as i64], (x.kind(), x.device()));
        let taken = self.counts.zeros_like();
        let _ = taken.view([-1]).index_add_(0, &rows, &ones);
        self.counts += (taken - &self.counts) * (1.0 - DECAY);
        // The book is large and few vectors are added to it: it is gone through as seldom as can be.
        self.sums *= DECAY;
        let _ = self.sums.view([-1, width]).index_add_(0, &rows, &(x.detach().flatten(0, 1) * (1.0 - DECAY)));

        let total = self.counts.sum_dim_intlist([1].as_slice(), true, None); // [K, 1]
        let smoothed = (&self.counts + EPSILON) / (&total + EPSILON * size as f64) * total;
        let _ = self.sums.divide_out(&self.vectors, &smoothed.unsqueeze(2));
    }

    /// What a checkpoint holds of it, named.
    pub fn named(&self) -> [(&'static str, &Tensor); 3] {
        [("codebook", &self.vectors), ("codebook_counts", &self.counts), ("codebook_sums", &self.sums)]
    }
}
