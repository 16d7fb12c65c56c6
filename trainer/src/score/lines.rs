//! How good interpolations between lines are: the paper's line benchmark, as the authors' code has it.

use std::f64::consts::TAU;

use tch::kind::Element;
use tch::{Device, Kind, Tensor};

use crate::data::lines::{PIXELS, draw};

/// Lines that an image is compared with; their angles are spaced 2π/10,000 from 0.
const REFERENCES: usize = 10_000;
/// Images compared at once.
const CHUNK: i64 = 256;
/// Lines nearest to an image by the scan that are compared again, pixel by pixel: the nearest, and those that rounding
/// could confuse with it.
const CANDIDATES: usize = 4;
/// Two sums of the same 1,024 products in other orders are nearer than this (some 1e-15 each).
const ROUNDING: f64 = 1e-12;
/// Images scanned side by side, in the processor's registers.
const LANES: usize = 8;

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
    /// `[10000, 1024]` f64, each row a line scaled to length 1.
    lines: Tensor,
    scan: Vec<SparseLine>,
}

/// A line without its background, which is -1 and all but some 45 pixels: what is added to an image's negated sum to give
/// its product with the line.
#[derive(Debug)]
struct SparseLine {
    /// Pixels of the line, and by how much they are above -1.
    pixels: Vec<(u16, f64)>,
    length: f64,
}

impl LineJudge {
    /// Draws the reference lines.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "drawing 10,000 lines is no default value")]
    pub fn new() -> Self {
        let angles = (0..REFERENCES).map(|line| line as f64 * TAU / REFERENCES as f64);
        let drawn: Vec<[f64; PIXELS]> = angles.map(draw).collect();
        let lines = Tensor::from_slice(drawn.as_flattened()).view([REFERENCES as i64, PIXELS as i64]);
        LineJudge { lines: unit(&lines), scan: drawn.iter().map(SparseLine::new).collect() }
    }

    /// Scores interpolations `[n, steps, 32, 32]` (any float kind, any device), n ≥ 1, steps ≥ 2.
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
            let chunk = unit(&chunk.to_device(Device::Cpu));
            let candidates = Tensor::from_slice(&self.candidates(&read::<f64>(&chunk.flatten(0, 1))));
            let vectors = self.lines.index_select(0, &candidates);
            let vectors = vectors.view([-1, CANDIDATES as i64, PIXELS as i64]);
            let similarities = vectors.matmul(&chunk.unsqueeze(2)).squeeze_dim(2); // [n, CANDIDATES]
            let (similarity, best) = similarities.max_dim(1, true);
            distances.extend(read::<f64>(&(1.0 - similarity.squeeze_dim(1))));
            let candidates = candidates.view([-1, CANDIDATES as i64]);
            lines.extend(read::<i64>(&candidates.gather(1, &best, false).squeeze_dim(1)));
        }
        (distances, lines)
    }

    /// The candidates for the line nearest to each image, whose pixels are `images`.
    fn candidates(&self, images: &[f64]) -> Vec<i64> {
        let mut candidates = Vec::with_capacity(images.len() / PIXELS * CANDIDATES);
        let mut lanes = [[0.0; LANES]; PIXELS];
        let mut similarities = vec![[0.0; LANES]; REFERENCES];
        for side_by_side in images.chunks(LANES * PIXELS) {
            for (lane, image) in side_by_side.chunks_exact(PIXELS).enumerate() {
                image.iter().zip(&mut lanes).for_each(|(value, lanes)| lanes[lane] = *value);
            }
            let sums = lanes.iter().fold([0.0; LANES], |sums, lanes| add(sums, lanes, 1.0));
            for (line, similarity) in self.scan.iter().zip(&mut similarities) {
                *similarity = line.similarity(&lanes, &sums);
            }
            let best = similarities.iter().fold([f64::MIN; LANES], |mut best, similarity| {
                best.iter_mut().zip(similarity).for_each(|(best, similarity)| *best = best.max(*similarity));
                best
            });
            for (lane, best) in best.iter().enumerate().take(side_by_side.len() / PIXELS) {
                let is_near = |line: &i64| similarities[*line as usize][lane] > best - ROUNDING;
                let mut near: Vec<i64> = (0..REFERENCES as i64).filter(is_near).take(CANDIDATES).collect();
                // None is near to an image without direction, and any will do.
                near.resize(CANDIDATES, near.first().copied().unwrap_or(0));
                candidates.extend(near);
            }
        }
        candidates
    }
}

impl SparseLine {
    fn new(line: &[f64; PIXELS]) -> SparseLine {
        let pixels = (0..).zip(line).filter(|(_, value)| **value != -1.0);
        let length = line.iter().map(|value| value * value).sum::<f64>().sqrt();
        SparseLine { pixels: pixels.map(|(pixel, value)| (pixel, value + 1.0)).collect(), length }
    }

    /// Cosine similarity with images of length 1, of each pixel `images` and of all `sums`.
    fn similarity(&self, images: &[[f64; LANES]; PIXELS], sums: &[f64; LANES]) -> [f64; LANES] {
        let products = self.pixels.iter().fold([0.0; LANES], |products, (pixel, above)| {
            add(products, &images[usize::from(*pixel) % PIXELS], *above)
        });
        add(products, sums, -1.0).map(|product| product / self.length)
    }
}

/// `sums` with `factor` times `values` added.
fn add(mut sums: [f64; LANES], values: &[f64; LANES], factor: f64) -> [f64; LANES] {
    sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += factor * value);
    sums
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
