//! The authors' way to 32×32 for CelebA: TensorFlow's bicubic interpolation, which does not smooth before it shrinks.
//!
//! Their `lib/data.py` calls `tf.image.resize_bicubic([x], [32, 32])` of TensorFlow 1, that is `resize_bicubic_op.cc`
//! without half-pixel centres: cubic convolution (Keys 1981) with a = -3/4 of the 4×4 pixels around a place, where
//! pixel i of n is at i·(width/n) and pixels beyond the border are those at the border. TensorFlow looks weights up in
//! 1024 steps between two pixels; at 146/32 all places are sixteenths, so that makes no difference here.
//!
//! They train on the floats that come out. Datasets are held as bytes here, so each is rounded to the nearest one, and
//! what the interpolation overshoots is cut off: an error of at most half a step of 255, but for overshoots.

use std::array;

use image::RgbImage;

use crate::WIDTH;
use crate::pictures::{Small, planes};

const A: f64 = -0.75;
/// Pixels that count towards one, in each direction.
const TAPS: usize = 4;

/// Scales a picture to 32×32.
pub(crate) fn shrink(picture: &RgbImage) -> Small {
    let (rows, columns) = (taps(picture.height()), taps(picture.width()));
    let value = |row: u32, column: u32, colour: usize| f64::from(picture.get_pixel(column, row)[colour]);
    planes(|at, colour| {
        let (row, column) = (&rows[at / WIDTH], &columns[at % WIDTH]);
        let value: f64 = row
            .iter()
            .flat_map(|row| column.iter().map(move |column| (row, column)))
            .map(|(row, column)| row.weight * column.weight * value(row.at, column.at, colour))
            .sum();
        value.round() as u8 // what is outside 0..=255 becomes 0 or 255
    })
}

/// A row or column that counts towards a pixel, and how much.
struct Tap {
    at: u32,
    weight: f64,
}

/// For each of 32 pixels those that count, of `len`.
fn taps(len: u32) -> [[Tap; TAPS]; WIDTH] {
    array::from_fn(|pixel| {
        let place = pixel as f64 * f64::from(len) / WIDTH as f64;
        let first = place.floor() - 1.0;
        array::from_fn(|tap| {
            let at = first + tap as f64;
            Tap { at: at.clamp(0.0, f64::from(len - 1)) as u32, weight: weight((at - place).abs()) }
        })
    })
}

/// The weight of a pixel at the distance `x`, below 2.
fn weight(x: f64) -> f64 {
    if x <= 1.0 {
        ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0
    } else {
        ((A * x - 5.0 * A) * x + 8.0 * A) * x - 4.0 * A
    }
}
