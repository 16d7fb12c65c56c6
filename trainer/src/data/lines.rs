//! lines32: anti-aliased lines from the centre outwards, generated without end: the
//! synthetic benchmark of Berthelot et al. 2018.

use std::f64::consts::TAU;
use std::ops::Range;

use rand::{Rng, RngExt};
use tch::Tensor;

use super::{Batch, Source, WIDTH};
use crate::medium::Medium;
use crate::random::{Purpose, stream};

/// Pixels of an image.
pub const PIXELS: usize = WIDTH * WIDTH;

const CENTRE: f64 = WIDTH as f64 / 2.0;
const LENGTH: f64 = CENTRE - 1.0;
const LINE_WIDTH: f64 = 2.0;
const CLASSES: i64 = 10;
const TEST_IMAGES: usize = 5_000;
/// Key of the test set. It is no run's seed: the purpose keeps its stream apart from all of those.
const TEST_SEED: u64 = 0;

/// The line at `angle` (radians, counter-clockwise from the right): `[32, 32]` row by row, in [-1, 1].
///
/// The rasteriser of the authors' code, to the last detail. The line has length 15 and width 2, the
/// width measured along the minor axis (the one it runs less along). It is drawn scanline by scanline
/// along the major axis; a pixel is 2·coverage - 1, and coverage along the minor axis is exact.
/// As there, a scanline is sampled half a pixel before its start, and only the low end is faded
/// where it falls within a pixel.
#[must_use]
pub fn draw(angle: f64) -> [f64; PIXELS] {
    let (column, row) = (LENGTH * (-angle).cos(), LENGTH * (-angle).sin());
    let is_flat = row.abs() < column.abs();
    let (minor, major) = if is_flat { (row, column) } else { (column, row) };
    let slope = minor / major;
    // From the end with the lower major coordinate to the other; one of them is the centre.
    let (start, end) = (CENTRE + major.min(0.0), CENTRE + major.max(0.0));
    let start_minor = if major < 0.0 { CENTRE + minor } else { CENTRE };

    let mut image = [-1.0; PIXELS];
    for scanline in start as usize..end.ceil() as usize {
        let at = scanline as f64;
        let weight = if at < start { start.ceil() - start } else { 1.0 };
        let left = start_minor - LINE_WIDTH / 2.0 + (at - start - 0.5) * slope;
        // A width of two pixels covers one pixel wholly and its two neighbours in part.
        let part = left.fract();
        for (offset, coverage) in [1.0 - part, 1.0, part].into_iter().enumerate() {
            let across = left as usize + offset;
            let pixel = if is_flat { across * WIDTH + scanline } else { scanline * WIDTH + across };
            image[pixel] = 2.0 * weight * coverage - 1.0;
        }
    }
    image
}

/// Class of the line at `angle` (radians, in [0, 2π)): which tenth of the circle it points to.
///
/// The authors' formula, floor(10·angle / (2π - 1e-6)), gives 10 to angles within 1e-6 of the full
/// circle (a few images in a run of full length); they belong to the last class here.
#[must_use]
pub fn label(angle: f64) -> i64 {
    ((10.0 * angle / (TAU - 1e-6)) as i64).min(CLASSES - 1)
}

/// The dataset lines32.
#[derive(Debug)]
pub struct Lines {
    test: Batch,
}

impl Lines {
    /// Draws the test set.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "drawing 5,000 images is no default value")]
    pub fn new() -> Self {
        Lines { test: sample(&mut stream(TEST_SEED, Purpose::TestSet, 0), TEST_IMAGES) }
    }
}

impl Source for Lines {
    fn medium(&self) -> Medium {
        Medium::GREY
    }

    fn classes(&self) -> i64 {
        CLASSES
    }

    fn batch(&self, seed: u64, step: u64, size: usize) -> Batch {
        sample(&mut stream(seed, Purpose::Batch, step), size)
    }

    fn train(&self, _images: Range<i64>) -> Option<Batch> {
        None
    }

    fn test(&self) -> &Batch {
        &self.test
    }
}

/// `size` lines with angles drawn uniformly from [0, 2π).
fn sample(random: &mut impl Rng, size: usize) -> Batch {
    let angles: Vec<f64> = (0..size).map(|_| TAU * random.random::<f64>()).collect();
    let pixels: Vec<f32> = angles.iter().flat_map(|&angle| draw(angle)).map(|pixel| pixel as f32).collect();
    let labels: Vec<i64> = angles.iter().map(|&angle| label(angle)).collect();
    let width = WIDTH as i64;
    Batch {
        images: Tensor::from_slice(&pixels).view([-1, 1, width, width]),
        labels: Tensor::from_slice(&labels),
    }
}
