//! One parameter with one value, as a file sets it.

use std::collections::HashSet;

use super::cursor::{Cursor, Entry};
use super::error::Fault;
use super::node::Node;
use super::place::Place;
use super::trainer::Trainer;
use crate::parameters::{Kind, Parameter, ParameterError};
use crate::scalar::Scalar;
use crate::spelling::did_you_mean;

/// A parameter with one value; the place is its key's.
#[derive(Debug)]
pub(super) struct Setting<'f> {
    pub(super) name: &'f str,
    pub(super) value: Scalar,
    pub(super) place: Place,
}

/// The first row that equals an earlier one.
pub(super) fn first_repeated(rows: &[Vec<Scalar>]) -> Option<usize> {
    let mut seen = HashSet::new();
    rows.iter().position(|row| !seen.insert(row.iter().map(Scalar::canonical).collect::<Vec<_>>()))
}

/// A parameter of the table, or one that the file declares.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known<'f> {
    pub(super) name: &'f str,
    pub(super) kind: &'f Kind,
}

impl Known<'_> {
    /// The error for a value that the parameter does not take; `found` says what it is.
    pub(super) fn refuse(&self, found: String) -> ParameterError {
        self.kind.refuse(self.name, found, None)
    }

    /// The value in canonical form.
    pub(super) fn check(&self, value: &Scalar) -> Result<Scalar, ParameterError> {
        self.kind.check(self.name, value)
    }
}

/// The parameter that a key names.
pub(super) fn find<'f>(entry: &Entry<'_>, trainer: &'f Trainer) -> Result<Known<'f>, Fault> {
    find_name(entry.name, &entry.key(), trainer)
}

/// The parameter of this name, which stands at `place`.
pub(super) fn find_name<'f>(name: &str, place: &Place, trainer: &'f Trainer) -> Result<Known<'f>, Fault> {
    if let Some(own) = trainer.parameters.iter().find(|own| own.name == name) {
        return Ok(Known { name: &own.name, kind: &own.kind });
    }
    let known = |parameter: &'static Parameter| Known { name: parameter.name, kind: &parameter.kind };
    Parameter::find(name).map(known).map_err(|error| {
        let own = did_you_mean(name, trainer.parameters.iter().map(|own| own.name.as_str()));
        let declare = || "`trainer.parameters` declares those of a trainer of your own".to_owned();
        let hint = error.hint().map(str::to_owned).or(own).unwrap_or_else(declare);
        Fault::of_parameter(place, &error).with_hint(Some(hint))
    })
}

/// One value of a parameter, in canonical form.
pub(super) fn read_scalar(parameter: Known<'_>, value: &Cursor<'_>) -> Result<Scalar, Fault> {
    let scalar = match value.node {
        Node::Int(int) => i64::try_from(*int).map_or(Scalar::Float(*int as f64), Scalar::Int),
        Node::Float(float) => Scalar::Float(*float),
        Node::Text(text) => Scalar::Word(text.clone()),
        other => {
            let error = parameter.refuse(other.to_string());
            return Err(Fault::of_parameter(&value.place(), &error));
        }
    };
    parameter.check(&scalar).map_err(|error| Fault::of_parameter(&value.place(), &error))
}
