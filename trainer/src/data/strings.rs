//! Strings as examples.

use acai_datasets::{SYMBOLS, String32, Strings};
use tch::{Device, Kind, Tensor};

use super::Batch;
use super::finite::Finite;
use crate::medium::{Medium, WIDTH};

/// What strings are to models.
pub const MEDIUM: Medium = Medium::Strings { symbols: SYMBOLS.len() as i64 };

/// The texts of numbers of symbols `[n, 32]`.
#[must_use]
pub fn texts(numbers: &Tensor) -> Vec<String> {
    let rows = Vec::<Vec<i64>>::try_from(numbers.to_device(Device::Cpu)).expect("a matrix of i64");
    let text = |row: Vec<i64>| row.into_iter().map(|number| SYMBOLS[number as usize]).collect();
    rows.into_iter().map(text).collect()
}

/// Examples `[n, 32, 1, 32]`, as [`Medium::Strings`] describes them.
pub fn examples(strings: &[String32]) -> Tensor {
    let numbers: Vec<i64> = strings.iter().flatten().map(|&number| number.into()).collect();
    let symbols = SYMBOLS.len() as i64;
    let one_hot = Tensor::from_slice(&numbers).view([-1, 1, WIDTH]).one_hot(symbols).to_kind(Kind::Float);
    one_hot.permute([0, 3, 1, 2]).contiguous() * (symbols as f64).sqrt()
}

/// A source of strings, which have no labels.
pub(super) fn source(strings: &Strings) -> Finite {
    let part = |strings: &[String32]| Batch {
        images: examples(strings),
        labels: Tensor::zeros([strings.len() as i64], (Kind::Int64, Device::Cpu)),
    };
    Finite::new(1, part(&strings.train), part(&strings.test))
}
