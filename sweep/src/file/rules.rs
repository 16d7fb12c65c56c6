//! `exclude` and `include`: points to drop and points to extend or add.

use super::cursor::Cursor;
use super::error::{Fault, Faults};
use super::node::Node;
use super::place::Place;
use super::setting::{Setting, find, read_scalar};
use super::trainer::Trainer;
use crate::scalar::Scalar;

/// Drops the points that meet every condition.
#[derive(Debug)]
pub(super) struct Exclude<'f> {
    pub(super) place: Place,
    pub(super) conditions: Vec<Condition<'f>>,
}

/// A parameter has one of these values. The place is its key's; each value has its own.
#[derive(Debug)]
pub(super) struct Condition<'f> {
    pub(super) name: &'f str,
    pub(super) place: Place,
    pub(super) any_of: Vec<(Scalar, Place)>,
}

/// Values to merge into points, or a point to add.
#[derive(Debug)]
pub(super) struct Include<'f> {
    pub(super) place: Place,
    pub(super) settings: Vec<Setting<'f>>,
}

/// Reads `exclude`.
pub(super) fn read_exclude<'f>(
    list: &Cursor<'_>,
    trainer: &'f Trainer,
    faults: &Faults,
) -> Result<Vec<Exclude<'f>>, Fault> {
    read_rules(list, faults, |rule, faults| {
        let mut conditions = Vec::new();
        for entry in rule.entries()? {
            let parameter = find(&entry, trainer)?;
            let values = match entry.value.node {
                Node::List(_) => entry.value.some_items()?,
                _ => vec![entry.value.clone()],
            };
            let any_of = values
                .iter()
                .filter_map(|value| Some((faults.keep(read_scalar(parameter, value))?, value.place())))
                .collect();
            conditions.push(Condition { name: parameter.name, place: entry.key(), any_of });
        }
        Ok(Exclude { place: rule.place(), conditions })
    })
}

/// Reads `include`.
pub(super) fn read_include<'f>(
    list: &Cursor<'_>,
    trainer: &'f Trainer,
    faults: &Faults,
) -> Result<Vec<Include<'f>>, Fault> {
    read_rules(list, faults, |rule, faults| {
        let mut settings = Vec::new();
        for entry in rule.entries()? {
            let setting = find(&entry, trainer).and_then(|parameter| {
                let value = read_scalar(parameter, &entry.value)?;
                Ok(Setting { name: parameter.name, value, place: entry.key() })
            });
            settings.extend(faults.keep(setting));
        }
        Ok(Include { place: rule.place(), settings })
    })
}

fn read_rules<T>(
    list: &Cursor<'_>,
    faults: &Faults,
    read: impl Fn(&Cursor<'_>, &Faults) -> Result<T, Fault>,
) -> Result<Vec<T>, Fault> {
    let mut rules = Vec::new();
    for rule in list.items()? {
        if matches!(rule.node, Node::Map(entries) if entries.is_empty()) {
            faults.push(rule.fault("expected parameters with values, found an empty mapping"));
            continue;
        }
        let read = read(&rule, faults);
        rules.extend(faults.keep(read));
    }
    Ok(rules)
}
