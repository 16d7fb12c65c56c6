//! One parameter with one value, as a file sets it.

use std::collections::HashSet;

use super::cursor::{Cursor, Entry};
use super::error::Fault;
use super::node::Node;
use super::place::Place;
use crate::parameters::Parameter;
use crate::scalar::Scalar;

/// A parameter with one value; the place is its key's.
#[derive(Debug)]
pub(super) struct Setting {
    pub(super) name: &'static str,
    pub(super) value: Scalar,
    pub(super) place: Place,
}

/// The first row that equals an earlier one.
pub(super) fn first_repeated(rows: &[Vec<Scalar>]) -> Option<usize> {
    let mut seen = HashSet::new();
    rows.iter().position(|row| !seen.insert(row.iter().map(Scalar::canonical).collect::<Vec<_>>()))
}

/// The parameter that a key names.
pub(super) fn find(entry: &Entry<'_>) -> Result<&'static Parameter, Fault> {
    Parameter::find(entry.name).map_err(|error| Fault::of_parameter(&entry.key(), &error))
}

/// One value of a parameter, in canonical form.
pub(super) fn read_scalar(parameter: &Parameter, value: &Cursor<'_>) -> Result<Scalar, Fault> {
    let scalar = match value.node {
        Node::Int(int) => i64::try_from(*int).map_or(Scalar::Float(*int as f64), Scalar::Int),
        Node::Float(float) => Scalar::Float(*float),
        Node::Text(text) => Scalar::Word(text.clone()),
        other => {
            let error = parameter.refuse(other.to_string(), None);
            return Err(Fault::of_parameter(&value.place(), &error));
        }
    };
    parameter.check(&scalar).map_err(|error| Fault::of_parameter(&value.place(), &error))
}
