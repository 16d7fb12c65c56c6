//! What can be wrong with a parameter.

/// A parameter, or its value, that cannot be used. Names the parameter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParameterError {
    /// No such parameter.
    #[error("unknown parameter {name}")]
    Unknown {
        /// The name, quoted.
        name: String,
        /// The nearest one.
        hint: Option<String>,
    },
    /// A value that the parameter does not take.
    #[error("`{name}` takes {expected}, found {found}")]
    Value {
        /// The parameter.
        name: String,
        /// The values that it takes.
        expected: String,
        /// The value, described.
        found: String,
        /// The nearest word that it takes.
        hint: Option<String>,
    },
    /// Not set, and without a default.
    #[error("`{name}` is not set; it takes {expected}")]
    Missing {
        /// The parameter.
        name: String,
        /// The values that it takes.
        expected: String,
    },
    /// Set twice.
    #[error("`{name}` is set twice")]
    Repeated {
        /// The parameter.
        name: String,
    },
    /// Set for a model that has no such parameter.
    #[error("model `{model}` does not use `{name}`")]
    Unused {
        /// The parameter.
        name: String,
        /// The model.
        model: String,
    },
    /// Values that do not go together.
    #[error("{what} is not for dataset `{dataset}`, whose examples are strings: {reason}")]
    NotForStrings {
        /// The model or parameter.
        what: String,
        /// The dataset.
        dataset: String,
        /// Why.
        reason: &'static str,
    },
}

impl ParameterError {
    /// What to do about it, where that is known.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        match self {
            ParameterError::Unknown { hint, .. } | ParameterError::Value { hint, .. } => hint.as_deref(),
            _ => None,
        }
    }
}
