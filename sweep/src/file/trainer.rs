//! `trainer`: parameters and metrics that a trainer of one's own has and the built-in one does not.

use std::ops::Bound;

use super::cursor::{Cursor, Entry, Fields, Keys};
use super::error::{Fault, Faults};
use super::node::Node;
use super::setting::{Known, read_scalar};
use super::settings::any_metric_name;
use crate::parameters::{Kind, OwnParameter, is_own_name, is_taken};
use crate::spelling::quoted;

/// What the file declares.
#[derive(Debug, Default)]
pub(super) struct Trainer {
    pub(super) parameters: Vec<OwnParameter>,
    pub(super) metrics: Vec<String>,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Type {
    Int,
    Float,
    Word,
}

pub(super) const TYPES: [(&str, Type); 3] =
    [("int", Type::Int), ("float", Type::Float), ("word", Type::Word)];

/// Reads `trainer`.
pub(super) fn read(fields: &Fields<'_>, faults: &Faults) -> Result<Trainer, Fault> {
    const KEYS: Keys = Keys { known: &["parameters", "metrics"], planned: &[] };
    let Some(trainer) = fields.get("trainer") else { return Ok(Trainer::default()) };
    let fields = Fields::read(trainer, &KEYS, faults)?;
    let parameters = fields.get("parameters").map_or(Ok(Vec::new()), Cursor::entries)?;
    let parameters = parameters.iter().filter_map(|entry| faults.keep(parameter(entry, faults))).collect();
    let metrics = fields.get("metrics").map_or(Ok(Vec::new()), Cursor::some_items)?;
    let metrics =
        metrics.iter().filter_map(|name| faults.keep(any_metric_name(name))).map(str::to_owned).collect();
    Ok(Trainer { parameters, metrics })
}

fn parameter(entry: &Entry<'_>, faults: &Faults) -> Result<OwnParameter, Fault> {
    const KEYS: Keys = Keys { known: &["type", "min", "max", "choices", "default"], planned: &[] };
    let name = entry.name;
    if !is_own_name(name) {
        let what = "a name of small letters, digits and `_` that begins with a letter (at most 64)";
        return Err(entry.fault(format!("expected {what}, found {}", quoted(name))));
    }
    if is_taken(name) {
        return Err(entry.fault(format!("{} is a parameter already", quoted(name))));
    }
    let fields = Fields::read(&entry.value, &KEYS, faults)?;
    let kind = match fields.require("type")?.word(&TYPES)? {
        Type::Int => int(&fields)?,
        Type::Float => float(&fields)?,
        Type::Word => Kind::Choice(choices(&fields)?),
    };
    let misplaced: &[&str] = if kind.takes_words() { &["min", "max"] } else { &["choices"] };
    if let Some(key) = misplaced.iter().find_map(|key| fields.entry(key)) {
        return Err(key.fault(format!("{} does not go with this `type`", quoted(key.name))));
    }
    let known = Known { name, kind: &kind };
    let default = fields.get("default").map(|value| read_scalar(known, value)).transpose()?;
    Ok(OwnParameter { name: name.to_owned(), kind, default })
}

fn int(fields: &Fields<'_>) -> Result<Kind, Fault> {
    let end = |key, open| fields.get(key).map_or(Ok(open), |end| end.integer(i64::MIN..=i64::MAX));
    let (min, max) = (end("min", i64::MIN)?, end("max", i64::MAX)?);
    in_order(fields, min <= max)?;
    Ok(Kind::Int(min..=max))
}

fn float(fields: &Fields<'_>) -> Result<Kind, Fault> {
    let end = |key| fields.get(key).map(Cursor::number).transpose();
    let (min, max) = (end("min")?, end("max")?);
    in_order(fields, min.zip(max).is_none_or(|(min, max)| min <= max))?;
    let bound = |end: Option<f64>| end.map_or(Bound::Unbounded, Bound::Included);
    Ok(Kind::Float(bound(min), bound(max)))
}

fn in_order(fields: &Fields<'_>, in_order: bool) -> Result<(), Fault> {
    match fields.get("min").filter(|_| !in_order) {
        Some(min) => Err(min.fault("`min` is above `max`")),
        None => Ok(()),
    }
}

fn choices(fields: &Fields<'_>) -> Result<Vec<String>, Fault> {
    let mut words: Vec<String> = Vec::new();
    for item in fields.require("choices")?.some_items()? {
        let word = item.text_that("a word without line breaks", |text| {
            !text.is_empty() && !text.contains(char::is_control)
        })?;
        if words.iter().any(|known| known == word) {
            return Err(item.fault(format!("{} is in the list twice", Node::Text(word.to_owned()))));
        }
        words.push(word.to_owned());
    }
    Ok(words)
}
