//! Which of the reference lines is nearest to an image.

use std::f64::consts::TAU;

use multiversion::multiversion;

use crate::data::lines::{PIXELS, draw};

/// Lines that an image is compared with; their angles are spaced 2π/10,000 from 0.
pub(super) const REFERENCES: usize = 10_000;

/// Images compared side by side, in the processor's registers.
const LANES: usize = 16;
/// Similarities nearer to each other than this are the same: two sums of the same products in other orders differ by
/// some 1e-15.
const ROUNDING: f64 = 1e-12;

type Lanes = [f64; LANES];

/// The line nearest to an image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Nearest {
    /// Its number; the highest, of lines that are equally near.
    pub(super) line: i64,
    /// Cosine similarity with the image, in [-1, 1]. NaN if the image has no direction: it holds a NaN or an infinity, or
    /// is zero everywhere.
    pub(super) similarity: f64,
}

/// All reference lines.
#[derive(Debug)]
pub(super) struct References(Vec<Reference>);

/// A line without its background, which is -1 and all but some 45 pixels: what is added to an image's negated sum to give
/// its product with the line.
#[derive(Debug)]
struct Reference {
    /// Pixels of the line, and by how much they are above -1.
    pixels: Vec<(u16, f64)>,
    /// One over the length of all 1,024 pixels as a vector.
    scale: f64,
}

impl References {
    /// Draws them.
    pub(super) fn new() -> References {
        let angles = (0..REFERENCES).map(|line| line as f64 * TAU / REFERENCES as f64);
        References(angles.map(|angle| Reference::new(&draw(angle))).collect())
    }

    /// The line nearest to each image; `images` are their pixels, one image after the other.
    pub(super) fn nearest(&self, images: &[f64]) -> Vec<Nearest> {
        let mut nearest = Vec::with_capacity(images.len() / PIXELS);
        let mut pixels = [[0.0; LANES]; PIXELS];
        for side_by_side in images.chunks(LANES * PIXELS) {
            for (lane, image) in side_by_side.chunks_exact(PIXELS).enumerate() {
                let length = image.iter().map(|value| value * value).sum::<f64>().sqrt();
                image.iter().zip(&mut pixels).for_each(|(value, pixel)| pixel[lane] = value / length);
            }
            let (lines, similarities) = scan(&self.0, &pixels);
            let found = lines.into_iter().zip(similarities);
            let found = found.map(|(line, similarity)| Nearest { line, similarity });
            nearest.extend(found.take(side_by_side.len() / PIXELS));
        }
        nearest
    }
}

impl Reference {
    fn new(line: &[f64; PIXELS]) -> Reference {
        let pixels = (0..).zip(line).filter(|(_, value)| **value != -1.0);
        let length = line.iter().map(|value| value * value).sum::<f64>().sqrt();
        Reference {
            pixels: pixels.map(|(pixel, value)| (pixel, value + 1.0)).collect(),
            scale: length.recip(),
        }
    }

    /// Cosine similarity with images of length 1, of each pixel `images` and of all `sums`.
    #[inline(always)]
    fn similarity(&self, images: &[Lanes; PIXELS], sums: &Lanes) -> Lanes {
        let mut products = [0.0; LANES];
        for (pixel, above) in &self.pixels {
            let image = &images[usize::from(*pixel) % PIXELS];
            products.iter_mut().zip(image).for_each(|(product, value)| *product += above * value);
        }
        std::array::from_fn(|lane| (products[lane] - sums[lane]) * self.scale)
    }
}

/// The lines nearest to images of length 1, and their similarities.
///
/// Compiled for several widths of registers, of which the widest that the machine has is chosen when the program runs. All
/// give the same bits: each lane has the same additions and multiplications in the same order, and none are fused.
#[multiversion(targets("x86_64+avx512f", "x86_64+avx2"))]
fn scan(references: &[Reference], images: &[Lanes; PIXELS]) -> ([i64; LANES], Lanes) {
    let sums = images.iter().fold([0.0; LANES], |mut sums, image| {
        sums.iter_mut().zip(image).for_each(|(sum, value)| *sum += value);
        sums
    });
    let (mut lines, mut best) = ([0; LANES], [f64::NAN; LANES]);
    for (number, reference) in (0..).zip(references) {
        let similarities = reference.similarity(images, &sums);
        for ((line, best), similarity) in lines.iter_mut().zip(&mut best).zip(similarities) {
            // There is no best before the first, and none for an image without direction.
            let is_nearest = best.is_nan() | (similarity >= *best - ROUNDING);
            *best = if *best > similarity { *best } else { similarity };
            *line = if is_nearest { number } else { *line };
        }
    }
    (lines, best)
}
