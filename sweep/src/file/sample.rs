//! `{distribution: …}`: values by chance. All parameters that have one are drawn together, `samples` times; each draw is a row
//! of one axis.
//!
//! A draw depends on the file's `sample_seed`, the parameter's name or place, and its number alone. So the same file asks for
//! the same runs for ever, and more samples of it for those and some more.

use sha2::{Digest, Sha256};

use super::cursor::{Cursor, Entry, Fields, Keys};
use super::error::{Fault, Faults};
use super::place::Place;
use super::range::as_written;
use super::setting::{Known, read_scalar};
use super::space::Axis;
use crate::scalar::Scalar;

/// As many draws as a sweep has runs by default.
pub(super) const MOST: u32 = 10_000;
/// Parameters that a Sobol sequence spreads evenly; more are not of any use in a sweep.
const DIMENSIONS: u32 = 64;

/// How values are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    /// Each on its own.
    Random,
    /// So that they fill the space evenly: a Sobol sequence, scrambled as Burley does (2020).
    Sobol,
}

pub(super) const METHODS: [(&str, Option<Method>); 3] =
    [("grid", None), ("random", Some(Method::Random)), ("sobol", Some(Method::Sobol))];

/// What a file says of its draws.
#[derive(Debug)]
pub(super) struct Sampling {
    method: Method,
    samples: u32,
    seed: u32,
    /// Of the key `method`.
    place: Place,
}

/// `method`, `samples` and `sample_seed`; `None` where the file says `grid`, or nothing.
pub(super) fn read(fields: &Fields<'_>) -> Result<Option<Sampling>, Fault> {
    let method = fields.get("method").map(|method| method.word(&METHODS)).transpose()?.flatten();
    let Some((method, entry)) = method.zip(fields.entry("method")) else {
        return match ["samples", "sample_seed"].iter().find_map(|name| fields.entry(name)) {
            Some(entry) => Err(entry
                .fault(format!("`{}` needs `method: random` or `method: sobol`", entry.name))
                .with_hint(Some("a grid has every combination"))),
            None => Ok(None),
        };
    };
    let samples = fields.require("samples")?.integer(1..=MOST)?;
    let seed = fields.get("sample_seed").map_or(Ok(0), |seed| seed.integer(0..=u32::MAX))?;
    Ok(Some(Sampling { method, samples, seed, place: entry.key() }))
}

/// Whether a parameter's mapping is a distribution, and not a range.
pub(super) fn is_distribution(value: &Cursor<'_>) -> bool {
    value.entries().is_ok_and(|entries| entries.iter().any(|entry| entry.name == "distribution"))
}

/// A parameter whose values are drawn.
#[derive(Debug)]
pub(super) struct Drawn<'f> {
    name: &'f str,
    place: Place,
    distribution: Distribution,
}

#[derive(Debug, Clone)]
enum Distribution {
    Uniform(f64, f64),
    LogUniform(f64, f64),
    /// Both ends included.
    Integer(i64, i64),
    Choice(Vec<Scalar>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Uniform,
    LogUniform,
    Integer,
    Choice,
}

pub(super) const DISTRIBUTIONS: [(&str, Kind); 4] = [
    ("uniform", Kind::Uniform),
    ("log_uniform", Kind::LogUniform),
    ("int_uniform", Kind::Integer),
    ("choice", Kind::Choice),
];

/// Reads a parameter's distribution.
pub(super) fn read_distribution<'f>(
    parameter: Known<'f>,
    entry: &Entry<'_>,
    faults: &Faults,
) -> Result<Drawn<'f>, Fault> {
    const KEYS: Keys = Keys { known: &["distribution", "min", "max", "values"], planned: &[] };
    let fields = Fields::read(&entry.value, &KEYS, faults)?;
    let kind = fields.require("distribution")?.word(&DISTRIBUTIONS)?;
    let distribution = match kind {
        Kind::Choice => {
            let items = fields.require("values")?.some_items()?;
            let values = items.iter().map(|item| read_scalar(parameter, item));
            Distribution::Choice(values.collect::<Result<_, _>>()?)
        }
        kind => ends(parameter, kind, &fields)?,
    };
    let unused: &[&str] = if kind == Kind::Choice { &["min", "max"] } else { &["values"] };
    if let Some(entry) = unused.iter().find_map(|name| fields.entry(name)) {
        return Err(entry.fault(format!("`{}` means nothing to this distribution", entry.name)));
    }
    Ok(Drawn { name: parameter.name, place: entry.key(), distribution })
}

/// A distribution between `min` and `max`.
fn ends(parameter: Known<'_>, kind: Kind, fields: &Fields<'_>) -> Result<Distribution, Fault> {
    let end = |name| {
        let value = fields.require(name)?;
        read_scalar(parameter, value)?;
        Ok::<_, Fault>((value.number()?, value))
    };
    let ((min, at), (max, _)) = (end("min")?, end("max")?);
    if min >= max {
        return Err(at.fault(format!("`min` is not below `max`, which is `{max}`")));
    }
    match kind {
        Kind::LogUniform if min <= 0.0 => Err(at.fault("a log-uniform distribution begins above 0")),
        Kind::LogUniform => Ok(Distribution::LogUniform(min, max)),
        Kind::Integer if min.fract() != 0.0 || max.fract() != 0.0 => {
            Err(at.fault("the ends of a distribution of integers are integers"))
        }
        Kind::Integer => Ok(Distribution::Integer(min as i64, max as i64)),
        Kind::Uniform | Kind::Choice => Ok(Distribution::Uniform(min, max)),
    }
}

/// The axis of all parameters that are drawn; a draw that repeats an earlier one is left out. A distribution that makes no
/// sense is `None`, and its fault noted.
pub(super) fn axis<'f>(
    sampling: Option<&Sampling>,
    drawn: Vec<Option<Drawn<'f>>>,
    check: impl Fn(&str, &Scalar) -> Result<Scalar, Fault>,
) -> Result<Option<Axis<'f>>, Fault> {
    let Some(sampling) = sampling else {
        return match drawn.iter().flatten().next() {
            Some(first) => Err(Fault::new(
                &first.place,
                format!("`{}` has a distribution, and the file no draws", first.name),
            )
            .with_hint(Some("add `method: random` and `samples: 50`"))),
            None => Ok(None),
        };
    };
    if drawn.is_empty() {
        return Err(Fault::new(&sampling.place, "no parameter has a distribution to draw from")
            .with_hint(Some("like `lr: {distribution: log_uniform, min: 1e-5, max: 1e-2}`")));
    }
    if drawn.len() > DIMENSIONS as usize {
        return Err(Fault::new(
            &sampling.place,
            format!("more than {DIMENSIONS} parameters have distributions"),
        ));
    }
    let Some(drawn) = drawn.into_iter().collect::<Option<Vec<_>>>() else { return Ok(None) };
    let mut rows: Vec<Vec<Scalar>> = Vec::new();
    for number in 0..sampling.samples {
        let mut row = Vec::with_capacity(drawn.len());
        for (dimension, Drawn { name, place, distribution }) in (0..).zip(&drawn) {
            let value = distribution.at(sampling.draw(name, dimension, number));
            row.push(check(name, &value).map_err(|fault| Fault { place: place.clone(), ..fault })?);
        }
        if !rows.contains(&row) {
            rows.push(row);
        }
    }
    Ok(Some(Axis { names: drawn.into_iter().map(|drawn| (drawn.name, drawn.place)).collect(), rows }))
}

impl Sampling {
    /// A number from 0 to below 1.
    fn draw(&self, name: &str, dimension: u32, number: u32) -> f64 {
        match self.method {
            Method::Sobol => sobol_burley::sample(number, dimension, self.seed).into(),
            Method::Random => {
                let digest = Sha256::digest(format!("acai sample 1\n{}\n{name}\n{number}", self.seed));
                let bits = digest.iter().take(8).fold(0u64, |bits, &byte| bits << 8 | u64::from(byte));
                // As many bits as a number between 0 and 1 has.
                (bits >> 11) as f64 / (1u64 << 53) as f64
            }
        }
    }
}

impl Distribution {
    /// The value below which this share of the distribution lies.
    fn at(&self, share: f64) -> Scalar {
        match self {
            Distribution::Uniform(min, max) => {
                Scalar::Float(as_written(min + share * (max - min)).clamp(*min, *max))
            }
            Distribution::LogUniform(min, max) => {
                Scalar::Float(as_written(min * (max / min).powf(share)).clamp(*min, *max))
            }
            Distribution::Integer(min, max) => {
                // A trainer's own parameter may be any integer: the distance between two may be beyond 64 bits.
                let (first, last) = (i128::from(*min), i128::from(*max));
                let drawn = first + (share * (last - first + 1) as f64) as i128;
                Scalar::Int(i64::try_from(drawn).map_or(*max, |drawn| drawn.min(*max)))
            }
            Distribution::Choice(values) => {
                values[((share * values.len() as f64) as usize).min(values.len() - 1)].clone()
            }
        }
    }
}
