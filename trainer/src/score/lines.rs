//! How good interpolations between lines are: the paper's line benchmark, as the authors' code has it.

use tch::{Device, Kind, Tensor};

use super::nearest::{Nearest, REFERENCES, References};
use crate::data::lines::PIXELS;

/// Images whose pixels are held as f64 at once.
const CHUNK: i64 = 64;

/// Scores of a set of interpolations on lines32; both are 0 for the ideal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LineScores {
    /// Cosine distance of an image to the nearest line, averaged over all images. NaN if an image
    /// has no direction: it holds a NaN or an infinity, or is zero everywhere.
    pub mean_distance: f64,
    /// Largest step between neighbouring angles over the whole way, less the ideal 1/(n-1); summed
    /// over the interpolations that have such a score and divided by the count of *all*, as the
    /// authors do (so it is too low where `nan` > 0). `None` if none has.
    pub smoothness: Option<f64>,
    /// How many interpolations have no smoothness: their first and last image are nearest to the
    /// same line, or an image has no direction.
    pub nan: usize,
}

/// Holds the reference lines and scores images against them, on the CPU.
#[derive(Debug)]
pub struct LineJudge {
    references: References,
}

impl LineJudge {
    /// Draws the reference lines.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "drawing 10,000 lines is no default value")]
    pub fn new() -> Self {
        LineJudge { references: References::new() }
    }

    /// Scores interpolations `[n, steps, 32, 32]` (any float kind, any device), n ≥ 1, steps ≥ 2.
    #[must_use]
    pub fn score(&self, images: &Tensor) -> LineScores {
        let _guard = tch::no_grad_guard();
        let steps = images.size()[1] as usize;
        let chunks = images.reshape([-1, PIXELS as i64]).split(CHUNK, 0);
        let nearest: Vec<Nearest> =
            chunks.iter().flat_map(|chunk| self.references.nearest(&read(chunk))).collect();
        let scored: Vec<f64> = nearest
            .chunks_exact(steps)
            .filter(|interpolation| interpolation.iter().all(|nearest| nearest.similarity.is_finite()))
            .filter_map(smoothness)
            .collect();
        let interpolations = images.size()[0] as usize;
        LineScores {
            mean_distance: nearest.iter().map(|nearest| 1.0 - nearest.similarity).sum::<f64>()
                / nearest.len() as f64,
            smoothness: (!scored.is_empty()).then(|| scored.iter().sum::<f64>() / interpolations as f64),
            nan: interpolations - scored.len(),
        }
    }
}

/// Smoothness of one interpolation from its nearest lines: max |θᵢ₊₁ - θᵢ| over
/// |θ_last - θ_first|, less 1/(n-1). A jump of more than half a circle is taken the short way round.
///
/// `None` when the first and last line are the same after that (the authors: closer than 1e-4 rad,
/// less than the 6e-4 between two lines).
fn smoothness(nearest: &[Nearest]) -> Option<f64> {
    let circle = REFERENCES as i64;
    let steps = nearest.windows(2).map(|pair| match pair[1].line - pair[0].line {
        jump if jump > circle / 2 => jump - circle,
        jump if jump < -circle / 2 => jump + circle,
        jump => jump,
    });
    let whole = steps.clone().sum::<i64>().abs();
    let largest = steps.map(i64::abs).max().filter(|_| whole > 0)?;
    Some(largest as f64 / whole as f64 - 1.0 / (nearest.len() - 1) as f64)
}

/// Values of a tensor on any device, row-major.
fn read(tensor: &Tensor) -> Vec<f64> {
    let values = tensor.to_device(Device::Cpu).to_kind(Kind::Double).flatten(0, -1);
    Vec::try_from(values).expect("a vector of f64")
}
