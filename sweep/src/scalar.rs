//! One value of one parameter.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A parameter's value: JSON's and YAML's scalars without null and booleans, which no parameter takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Scalar {
    /// A count or a size.
    Int(i64),
    /// A real number; finite and never -0.0 once a [`Parameter`](crate::parameters::Parameter) has checked it.
    Float(f64),
    /// One of a list of words.
    Word(String),
}

impl Scalar {
    pub(crate) fn is_zero(&self) -> bool {
        matches!(self, Scalar::Int(0)) || *self == Scalar::Float(0.0)
    }

    /// The text that digests are made of. Shortest scientific notation, which Rust does not change
    /// between releases, so that a digest never changes by accident.
    pub(crate) fn canonical(&self) -> String {
        match self {
            Scalar::Int(value) => value.to_string(),
            Scalar::Float(value) => format!("{value:e}"),
            Scalar::Word(value) => value.clone(),
        }
    }
}

/// For people, and to be read back: a float keeps a point or an exponent.
impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scalar::Int(value) => write!(f, "{value}"),
            Scalar::Float(value) => write!(f, "{value:?}"),
            Scalar::Word(value) => f.write_str(value),
        }
    }
}

impl From<i64> for Scalar {
    fn from(value: i64) -> Self {
        Scalar::Int(value)
    }
}

impl From<f64> for Scalar {
    fn from(value: f64) -> Self {
        Scalar::Float(value)
    }
}

impl From<&str> for Scalar {
    fn from(value: &str) -> Self {
        Scalar::Word(value.to_owned())
    }
}
