//! digits32: 1,797 handwritten digits, built in, so that a first run needs no download.
//!
//! Origin, licence and format of the data: `digits.md` beside this file.

use std::io::Read;

use flate2::read::GzDecoder;
use tch::{Kind, Tensor};

use super::finite::Finite;
use super::{Batch, WIDTH};

const CSV_GZ: &[u8] = include_bytes!("digits.csv.gz");
/// Pixels of a digit (8×8) and its label.
const COLUMNS: i64 = 65;
/// The first digits are for training, the other 360 for testing.
const TRAIN: i64 = 1_437;
const CLASSES: i64 = 10;

/// Unpacks the digits.
pub(super) fn open() -> Finite {
    let table = Tensor::from_slice(&values()).view([-1, COLUMNS]);
    let pixels = table.narrow(1, 0, COLUMNS - 1).to_kind(Kind::Float).reshape([-1, 1, 8, 8]);
    let width = WIDTH as i64;
    // x/8 - 1: 0..16 to [-1, 1]. All of it is exact in f32: multiples of 1/64.
    let images = pixels.upsample_bilinear2d([width, width], false, None, None) / 8.0 - 1.0;
    let labels = table.select(1, COLUMNS - 1).to_kind(Kind::Int64);
    let part =
        |start, len| Batch { images: images.narrow(0, start, len), labels: labels.narrow(0, start, len) };
    let test = labels.size()[0] - TRAIN;
    Finite::new(CLASSES, part(0, TRAIN), part(TRAIN, test))
}

/// All numbers of the embedded table, row by row.
fn values() -> Vec<u8> {
    let mut csv = String::new();
    GzDecoder::new(CSV_GZ).read_to_string(&mut csv).expect("the embedded file is gzip");
    csv.lines()
        .flat_map(|line| line.split(','))
        .map(|value| value.parse().expect("the embedded file holds numbers"))
        .collect()
}
