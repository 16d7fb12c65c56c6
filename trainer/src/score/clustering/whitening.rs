//! Codes without the scale of their principal directions.

use tch::{Kind, Tensor};

/// Added to singular values, so that a direction in which codes do not differ is not divided by nothing.
const EPSILON: f64 = 1e-5;

/// Mean, principal directions and singular values of a set of codes.
///
/// The authors take the singular value decomposition X = U·S·Vᵀ of centred codes `[n, d]` and go on with X·V/S. Here V
/// are eigenvectors of XᵀX, and S the lengths of X·V's columns, all in f64: for n ≫ d that is a tenth of the work.
#[derive(Debug)]
pub struct Whitening {
    /// `[d]`.
    mean: Tensor,
    /// V/(S + ε), `[d, d]`.
    projection: Tensor,
}

impl Whitening {
    /// Of codes `[n, d]`, which are finite.
    #[must_use]
    pub fn of(codes: &Tensor) -> Whitening {
        let codes = codes.to_kind(Kind::Double);
        let mean = codes.mean_dim([0].as_slice(), false, None);
        let centred = codes - &mean;
        let (_, directions) = centred.tr().matmul(&centred).linalg_eigh("L");
        let lengths = centred.matmul(&directions).norm_scalaropt_dim(2, 0, true); // [1, d]
        Whitening { mean, projection: directions / (lengths + EPSILON) }
    }

    /// Whitened codes `[m, d]`, f32.
    pub fn apply(&self, codes: &Tensor) -> Tensor {
        (codes.to_kind(Kind::Double) - &self.mean).matmul(&self.projection).to_kind(Kind::Float)
    }
}
