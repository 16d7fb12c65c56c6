//! A parameter that the table does not have: a sweep file declares it for a trainer of one's own.

use super::{Kind, PARAMETERS, ParameterError};
use crate::scalar::Scalar;

/// Bytes of a name at the most.
pub(crate) const LONGEST_NAME: usize = 64;

/// A declared parameter.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct OwnParameter {
    /// Its name in sweep files, in tables and for the trainer.
    pub(crate) name: String,
    /// The values that it takes.
    pub(crate) kind: Kind,
    /// Its value at points that do not set it; `None`: they have to set it.
    pub(crate) default: Option<Scalar>,
}

impl OwnParameter {
    /// Name and value at a point that sets this, or leaves it at its default.
    pub(crate) fn value(&self, set: Option<&Scalar>) -> Result<(String, Scalar), ParameterError> {
        let missing = || ParameterError::Missing { name: self.name.clone(), expected: self.kind.to_string() };
        let value = set.or(self.default.as_ref()).ok_or_else(missing)?;
        Ok((self.name.clone(), value.clone()))
    }
}

/// Whether an own parameter can have this name: small letters, digits and `_`, and a letter in front.
pub(crate) fn is_own_name(name: &str) -> bool {
    name.len() <= LONGEST_NAME
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// Whether the name means something else already.
pub(crate) fn is_taken(name: &str) -> bool {
    name == "seed" || PARAMETERS.iter().any(|parameter| parameter.name == name)
}
