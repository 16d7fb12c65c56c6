//! `{min, max, count, scale}`: evenly spaced values as an axis.

use super::cursor::{Cursor, Fields, Keys};
use super::error::{Fault, Faults};
use super::setting::{Known, first_repeated, read_scalar};
use crate::scalar::Scalar;

const KEYS: Keys = Keys { known: &["min", "max", "count", "scale"], planned: &[] };

/// As many values as a sweep has runs by default.
pub(super) const MAX_COUNT: u32 = 10_000;

/// From this number on, numbers are no integers of a sweep: 2⁶³.
const LARGEST_INTEGER: f64 = 9_223_372_036_854_775_808.0;

/// How values are spaced.
#[derive(Debug, Clone, Copy)]
pub(super) enum Scale {
    Linear,
    Log,
}

pub(super) const SCALES: [(&str, Scale); 2] = [("linear", Scale::Linear), ("log", Scale::Log)];

/// The range's values, both ends included, or `None` and faults noted.
pub(super) fn read(
    parameter: Known<'_>,
    range: &Cursor<'_>,
    faults: &Faults,
) -> Result<Option<Vec<Scalar>>, Fault> {
    if parameter.kind.takes_words() {
        let error = parameter.refuse(range.node.to_string());
        return Err(Fault::of_parameter(&range.place(), &error));
    }
    let fields = Fields::read(range, &KEYS, faults)?;
    let end = |name| {
        let value = fields.require(name)?;
        read_scalar(parameter, value)?;
        value.number()
    };
    let (min, max) = (end("min")?, end("max")?);
    let count = fields.require("count")?.integer(1..=MAX_COUNT)?;
    let scale = match fields.get("scale") {
        Some(scale) => scale.word(&SCALES)?,
        None => Scale::Linear,
    };
    if min > max {
        return Err(fields.require("min")?.fault(format!("`min` is above `max`, which is `{max}`")));
    }
    if count == 1 && min < max {
        return Err(fields
            .require("count")?
            .fault("`min` and `max` are two values, so `count` is at least 2"));
    }
    if matches!(scale, Scale::Log) && min <= 0.0 {
        return Err(fields.require("min")?.fault("a range on a log scale begins above 0"));
    }
    let mut values = Vec::with_capacity(count as usize);
    for index in 0..count {
        let value = match scale {
            _ if index == 0 => min,
            _ if index == count - 1 => max,
            Scale::Linear => as_written(min + (max - min) * f64::from(index) / f64::from(count - 1)),
            Scale::Log => as_written(min * (max / min).powf(f64::from(index) / f64::from(count - 1))),
        };
        let is_integer = value.fract() == 0.0 && value.abs() < LARGEST_INTEGER;
        let scalar = if is_integer { Scalar::Int(value as i64) } else { Scalar::Float(value) };
        let checked = parameter.check(&scalar);
        values.push(checked.map_err(|error| Fault::of_parameter(&range.place(), &error))?);
    }
    match first_repeated(&values.iter().map(|value| vec![value.clone()]).collect::<Vec<_>>()) {
        Some(row) => Err(range.fault(format!("the range has `{}` twice", values[row]))),
        None => Ok(Some(values)),
    }
}

/// `value` to 12 significant digits, so that people can write it elsewhere in the file (0.3, where
/// the arithmetic gives 0.30000000000000004), and so that it is the same on every machine.
pub(super) fn as_written(value: f64) -> f64 {
    format!("{value:.11e}").parse().unwrap_or(value)
}
