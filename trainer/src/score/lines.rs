//! How good interpolations between lines are: the paper's line benchmark, as the authors' code has it.

use std::f64::consts::TAU;

use tch::kind::Element;
use tch::{Device, Kind, Tensor};

use crate::data::lines::{PIXELS, draw};

/// Lines that an image is compared with; their angles are spaced 2π/10,000 from 0.
const REFERENCES: usize = 10_000;
/// Images compared at once. Beyond the 123 MB of reference lines, scoring takes 80 MB on the
/// device: 256 images × (10,000 similarities × 4 B + 32 candidates × 1,024 pixels × 8 B).
const CHUNK: i64 = 256;
/// Lines nearest in f32 that are compared again in f64. Those that rounding could confuse with the
/// nearest are a few neighbours at each place of the circle that is about as near.
const CANDIDATES: i64 = 32;

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

/// Holds the reference lines and scores images against them.
#[derive(Debug)]
pub struct LineJudge {
    /// `[10000, 1024]` f64, each row a line scaled to length 1.
    lines: Tensor,
    /// `[1024, 10000]` f32, the same lines as columns. They find candidates for the nearest line at
    /// half of f64's cost; rounding (6e-8) must not decide between them, since even perfect images
    /// are some 2e-7 away.
    rounded: Tensor,
}

impl LineJudge {
    /// Draws the reference lines and moves them to `device`, where images are then scored.
    #[must_use]
    pub fn new(device: Device) -> Self {
        let angles = (0..REFERENCES).map(|line| line as f64 * TAU / REFERENCES as f64);
        let pixels: Vec<f64> = angles.flat_map(draw).collect();
        let lines = Tensor::from_slice(&pixels).view([REFERENCES as i64, PIXELS as i64]).to_device(device);
        let lines = unit(&lines);
        let rounded = lines.to_kind(Kind::Float).tr().contiguous();
        LineJudge { lines, rounded }
    }

    /// Scores interpolations `[n, steps, 32, 32]` (any float kind, any device), n ≥ 1, steps ≥ 2.
    ///
    /// The paper's 256 × 16 images are 84 GFLOP, most of them in f32.
    #[must_use]
    pub fn score(&self, images: &Tensor) -> LineScores {
        let _guard = tch::no_grad_guard();
        let steps = images.size()[1] as usize;
        let (distances, nearest) = self.nearest(&images.reshape([-1, PIXELS as i64]));
        let scored: Vec<f64> = distances
            .chunks_exact(steps)
            .zip(nearest.chunks_exact(steps))
            .filter(|(distances, _)| distances.iter().all(|distance| distance.is_finite()))
            .filter_map(|(_, nearest)| smoothness(nearest))
            .collect();
        let interpolations = images.size()[0] as usize;
        LineScores {
            mean_distance: distances.iter().sum::<f64>() / distances.len() as f64,
            smoothness: (!scored.is_empty()).then(|| scored.iter().sum::<f64>() / interpolations as f64),
            nan: interpolations - scored.len(),
        }
    }

    /// Of each image `[n, 1024]`: cosine distance to the nearest line, and which line that is.
    fn nearest(&self, images: &Tensor) -> (Vec<f64>, Vec<i64>) {
        let (mut distances, mut lines) = (Vec::new(), Vec::new());
        for chunk in images.split(CHUNK, 0) {
            let chunk = unit(&chunk.to_device(self.lines.device()));
            let rounded = chunk.to_kind(Kind::Float).matmul(&self.rounded); // [n, 10000]
            let (_, candidates) = rounded.topk(CANDIDATES, 1, true, false); // [n, 32]
            let vectors = self.lines.index_select(0, &candidates.flatten(0, 1));
            let vectors = vectors.view([-1, CANDIDATES, PIXELS as i64]); // [n, 32, 1024]
            let similarities = vectors.matmul(&chunk.unsqueeze(2)).squeeze_dim(2); // [n, 32]
            let (similarity, best) = similarities.max_dim(1, true);
            distances.extend(read::<f64>(&(1.0 - similarity.squeeze_dim(1))));
            lines.extend(read::<i64>(&candidates.gather(1, &best, false).squeeze_dim(1)));
        }
        (distances, lines)
    }
}

/// Rows of `vectors` scaled to length 1, in f64; a row of zeros becomes NaN.
fn unit(vectors: &Tensor) -> Tensor {
    let vectors = vectors.to_kind(Kind::Double);
    let lengths = vectors.norm_scalaropt_dim(2, 1, true);
    vectors / lengths
}

/// Smoothness of one interpolation from the numbers of its nearest lines: max |θᵢ₊₁ - θᵢ| over
/// |θ_last - θ_first|, less 1/(n-1). A jump of more than half a circle is taken the short way round.
///
/// `None` when the first and last line are the same after that (the authors: closer than 1e-4 rad,
/// less than the 6e-4 between two lines).
fn smoothness(nearest: &[i64]) -> Option<f64> {
    let circle = REFERENCES as i64;
    let steps = nearest.windows(2).map(|pair| match pair[1] - pair[0] {
        jump if jump > circle / 2 => jump - circle,
        jump if jump < -circle / 2 => jump + circle,
        jump => jump,
    });
    let whole = steps.clone().sum::<i64>().abs();
    let largest = steps.map(i64::abs).max().filter(|_| whole > 0)?;
    Some(largest as f64 / whole as f64 - 1.0 / (nearest.len() - 1) as f64)
}

/// Values of a vector on any device.
fn read<T: Element + Copy>(vector: &Tensor) -> Vec<T> {
    Vec::try_from(vector.to_device(Device::Cpu)).expect("a vector of this kind, made by the caller")
}
