//! A run's resolved configuration: every parameter that its model uses, in canonical form.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::{Serialize, Serializer};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::parameters::{DefaultValue, PARAMETERS, Parameter, ParameterError, Sharing};
use crate::scalar::Scalar;
use crate::training::{Dataset, TrainingConfig};

/// What a run trains, without its seed: a value for each parameter that its model uses, and for no
/// other, in the order of [`PARAMETERS`]. Equal configurations train the same thing.
///
/// Serializes as a flat object, `{"model":"acai","dataset":"lines32","lambda":0.5,…}`.
#[derive(Debug, Clone, PartialEq)]
pub struct Configuration {
    values: Vec<(&'static str, Scalar)>,
}

impl Configuration {
    /// The configuration with these values and defaults for what is not named.
    ///
    /// # Errors
    /// Names the parameter that is unknown, out of range, repeated, missing or not used by the model.
    pub fn new<N: AsRef<str>>(pairs: impl IntoIterator<Item = (N, Scalar)>) -> Result<Self, ParameterError> {
        let mut set = BTreeMap::new();
        for (name, value) in pairs {
            let parameter = Parameter::find(name.as_ref())?;
            if set.insert(parameter.name, parameter.check(&value)?).is_some() {
                return Err(ParameterError::Repeated { name: parameter.name });
            }
        }
        let configuration = Self::resolve(|name| set.get(name))?;
        match set.into_keys().find(|name| configuration.get(name).is_none()) {
            Some(name) => Err(ParameterError::Unused { name, model: configuration.word("model").to_owned() }),
            None => Ok(configuration),
        }
    }

    /// Reads what [`to_json`](Self::to_json) writes.
    ///
    /// # Errors
    /// Text that is no flat JSON object, and all errors of [`new`](Self::new).
    pub fn from_json(text: &str) -> Result<Self, ConfigurationError> {
        let values: BTreeMap<String, Scalar> = serde_json::from_str(text)?;
        Ok(Self::new(values)?)
    }

    /// The configuration as a flat JSON object.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("names are text, and values are finite")
    }

    /// Completes checked values; those that the model does not use are left out.
    pub(crate) fn resolve<'v>(set: impl Fn(&str) -> Option<&'v Scalar>) -> Result<Self, ParameterError> {
        let mut resolved = Configuration { values: Vec::with_capacity(PARAMETERS.len()) };
        for parameter in PARAMETERS {
            // `model` is the first row, and every model uses it.
            if resolved.values.is_empty() || parameter.is_used_by(resolved.word("model")) {
                let value = match set(parameter.name) {
                    Some(value) => value.clone(),
                    None => resolved.default_of(parameter)?,
                };
                resolved.values.push((parameter.name, value));
            }
        }
        Ok(resolved)
    }

    /// What `parameter` is when not set, given the parameters before it.
    fn default_of(&self, parameter: &'static Parameter) -> Result<Scalar, ParameterError> {
        match parameter.default {
            DefaultValue::Required => Err(missing(parameter)),
            DefaultValue::Int(value) => Ok(Scalar::Int(value)),
            DefaultValue::Float(value) => Ok(Scalar::Float(value)),
            DefaultValue::Word(word) => Ok(Scalar::from(word)),
            DefaultValue::ByModel(value_for) => Ok(Scalar::Float(value_for(self.word("model")))),
            DefaultValue::ByDataset(value_for) => {
                let dataset = &Dataset::from_name(self.word("dataset")).ok_or_else(|| missing(parameter))?;
                Ok(Scalar::Int(value_for(dataset)))
            }
            DefaultValue::SameAs(name) => self.get(name).cloned().ok_or_else(|| missing(parameter)),
        }
    }

    /// The value of a parameter; `None` when the model does not use it.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Scalar> {
        self.values.iter().find(|(own, _)| *own == name).map(|(_, value)| value)
    }

    /// Names and values, in the order of [`PARAMETERS`].
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Scalar)> {
        self.values.iter().map(|(name, value)| (*name, value))
    }

    fn word(&self, name: &str) -> &str {
        match self.get(name) {
            Some(Scalar::Word(word)) => word,
            _ => "",
        }
    }

    /// The configuration as the trainer takes it.
    #[must_use]
    pub fn training_config(&self) -> TrainingConfig {
        let fields = self.iter().map(|(name, value)| (name.to_owned(), serde_json::json!(value))).collect();
        serde_json::from_value(Value::Object(fields))
            .expect("the table has a row for each field, within the field's range (tested for every model)")
    }

    /// Digest of the whole configuration (SHA-256, 64 hex digits): what identifies a run, together
    /// with its seed. Does not depend on the order of [`PARAMETERS`].
    #[must_use]
    pub fn config_hash(&self) -> String {
        digest("acai configuration 1", self.iter().map(|(name, value)| (name, value.canonical())))
    }

    /// Digest of what fixes tensor shapes and schedule (SHA-256, 64 hex digits): runs that share it
    /// can be trained as one fused program.
    #[must_use]
    pub fn shape_key(&self) -> String {
        let shape = PARAMETERS.iter().filter_map(|parameter| {
            let value = self.get(parameter.name)?;
            let shared = match parameter.sharing {
                Sharing::Equal => value.canonical(),
                Sharing::Zero if value.is_zero() => "zero".to_owned(),
                Sharing::Zero => "nonzero".to_owned(),
                Sharing::Free => return None,
            };
            Some((parameter.name, shared))
        });
        digest("acai shape 1", shape)
    }
}

fn missing(parameter: &Parameter) -> ParameterError {
    ParameterError::Missing { name: parameter.name, expected: parameter.kind.to_string() }
}

/// SHA-256 of `domain`, then `name=value` lines sorted by name.
fn digest<'n>(domain: &str, values: impl Iterator<Item = (&'n str, String)>) -> String {
    let sorted: BTreeMap<_, _> = values.collect();
    let mut hasher = Sha256::new();
    hasher.update(format!("{domain}\n"));
    for (name, value) in sorted {
        hasher.update(format!("{name}={value}\n"));
    }
    hasher.finalize().iter().fold(String::with_capacity(64), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("a string takes any text");
        hex
    })
}

impl Serialize for Configuration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

/// The trainer's form, checked: it may come from a command line.
impl TryFrom<&TrainingConfig> for Configuration {
    type Error = ConfigurationError;

    fn try_from(config: &TrainingConfig) -> Result<Self, Self::Error> {
        let fields: BTreeMap<String, Scalar> = serde_json::from_value(serde_json::to_value(config)?)?;
        Ok(Self::new(fields)?)
    }
}

/// Text or a trainer's configuration that is no configuration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigurationError {
    /// Not a flat JSON object of numbers and words.
    #[error("a configuration is a flat object of numbers and words")]
    Format(#[from] serde_json::Error),
    /// A parameter is wrong.
    #[error(transparent)]
    Parameter(#[from] ParameterError),
}
