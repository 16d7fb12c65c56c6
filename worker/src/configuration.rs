//! From a run's parameters on the wire to what its trainer is given.

use acai_proto::v1::{Parameter, parameter};
use acai_sweep::training::TrainingConfig;
use serde_json::{Map, Value};

/// Why a run's parameters are no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigurationError {
    /// The oneof is not set, or the number is not finite.
    #[error("parameter `{0}` has no value that a configuration can hold")]
    Value(String),
    /// Which of the two is meant cannot be known.
    #[error("parameter `{0}` is given twice")]
    Repeated(String),
    /// A parameter is missing or has the wrong type; perhaps the coordinator is of another version.
    #[error("the parameters are not a configuration this worker knows: {0}")]
    Unknown(#[from] serde_json::Error),
}

/// The training configuration that the parameters spell; [`TrainingConfig`] is flat, so each
/// parameter is a field.
///
/// # Errors
///
/// A parameter without a value, a repeated one, or a set of them that is no configuration.
pub fn training_config(parameters: &[Parameter]) -> Result<TrainingConfig, ConfigurationError> {
    let mut fields = Map::new();
    for Parameter { name, value } in parameters {
        let value = match value {
            Some(parameter::Value::Integer(integer)) => Value::from(*integer),
            Some(parameter::Value::Number(number)) if number.is_finite() => Value::from(*number),
            Some(parameter::Value::Word(word)) => Value::from(word.as_str()),
            Some(parameter::Value::Number(_)) | None => return Err(ConfigurationError::Value(name.clone())),
        };
        if fields.insert(name.clone(), value).is_some() {
            return Err(ConfigurationError::Repeated(name.clone()));
        }
    }
    Ok(serde_json::from_value(Value::Object(fields))?)
}

#[cfg(test)]
mod tests {
    use acai_sweep::training::{Dataset, Model};

    use super::*;

    fn parameters() -> Vec<Parameter> {
        use parameter::Value::{Integer, Number, Word};
        let values = [
            ("model", Word("acai".into())),
            ("dataset", Word("lines32".into())),
            ("lambda", Number(0.5)),
            ("gamma", Integer(1)),
            ("advdepth", Integer(16)),
            ("depth", Integer(16)),
            ("latent", Integer(2)),
            ("latent_width", Integer(4)),
            ("batch", Integer(64)),
            ("lr", Number(1e-4)),
            ("total_kimg", Integer(128)),
            ("eval_kimg", Number(0.5)),
        ];
        values.map(|(name, value)| Parameter { name: name.into(), value: Some(value) }).into()
    }

    #[test]
    fn parameters_become_the_configuration_they_spell() {
        let config = training_config(&parameters()).unwrap();
        assert_eq!(config.model, Model::Acai { lambda: 0.5, gamma: 1.0, advdepth: 16 });
        assert_eq!((config.dataset, config.batch, config.total_kimg), (Dataset::Lines32, 64, 128.0));
    }

    #[test]
    fn parameters_that_make_no_sense_are_named() {
        let error = |change: fn(&mut Vec<Parameter>)| {
            let mut parameters = parameters();
            change(&mut parameters);
            training_config(&parameters).unwrap_err().to_string()
        };
        assert!(error(|p| p[2].value = None).contains("`lambda`"));
        assert!(error(|p| p[9].value = Some(parameter::Value::Number(f64::NAN))).contains("`lr`"));
        assert!(error(|p| p.push(p[0].clone())).contains("`model` is given twice"));
        assert!(error(|p| drop(p.remove(8))).contains("`batch`"));
    }
}
