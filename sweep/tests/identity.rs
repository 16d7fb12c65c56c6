//! A run is its configuration and its seed, also for versions that know more parameters.

use acai_sweep::configuration::{Configuration, ConfigurationError};
use acai_sweep::parameters::{DefaultValue, Kind, Models, PARAMETERS, Parameter, ParameterError, Sharing};
use acai_sweep::scalar::Scalar;

/// What acai 0.1.0 stored for every model on several datasets: the digest of the configuration, that of its shape, and
/// the configuration itself.
const RELEASED: &str = include_str!("golden/configurations-0.1.0.txt");

/// Digest, shape and JSON of each released configuration.
fn released() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    RELEASED.lines().map(|line| {
        let mut words = line.splitn(3, ' ');
        let mut next = || words.next().expect("three words a line");
        (next(), next(), next())
    })
}

/// The value of `name` in a stored configuration.
fn stored_word(json: &str, name: &str) -> String {
    let json: serde_json::Value = serde_json::from_str(json).expect("JSON");
    json[name].as_str().expect("a word").to_owned()
}

/// A table of a later version, with one more parameter for every model.
fn later_table(default: DefaultValue, before: Option<DefaultValue>) -> &'static [Parameter] {
    let added = Parameter {
        name: "weight_decay",
        kind: Kind::Float(std::ops::Bound::Included(0.0), std::ops::Bound::Included(1.0)),
        default,
        before,
        models: Models::All,
        needs: None,
        sharing: Sharing::Equal,
        doc: "shrinks weights in every step",
    };
    [PARAMETERS.to_vec(), vec![added]].concat().leak()
}

/// As sweep files set values, where a table has this one more parameter.
fn on_lines(table: &'static [Parameter], weight_decay: Option<f64>) -> Configuration {
    let usual = [("model", Scalar::from("acai")), ("dataset", "lines32".into())];
    let added = weight_decay.map(|value| ("weight_decay", Scalar::Float(value)));
    Configuration::new_with(table, usual.into_iter().chain(added)).expect("valid values")
}

#[test]
fn configurations_of_the_first_release_keep_their_digests() {
    assert_eq!(released().count(), 45);
    for (config_hash, shape_key, json) in released() {
        let stored = Configuration::from_json(json).expect(json);
        let words = ["model", "dataset"].map(|name| (name, Scalar::Word(stored_word(json, name))));
        let resolved = Configuration::new(words).expect(json);
        for configuration in [stored, resolved] {
            assert_eq!(configuration.config_hash(), config_hash, "{json}");
            assert_eq!(configuration.shape_key(), shape_key, "{json}");
            assert_eq!(configuration.to_json(), json);
        }
    }
}

#[test]
fn a_parameter_added_later_leaves_earlier_runs_what_they_were() {
    // New sweeps get another value unless they say otherwise.
    let later = later_table(DefaultValue::Float(0.01), Some(DefaultValue::Float(0.0)));
    for (config_hash, shape_key, json) in released() {
        let read = Configuration::from_json_with(later, json).expect(json);
        assert_eq!(read.get("weight_decay"), Some(&Scalar::Float(0.0)), "the value that was in effect");
        assert_eq!((read.config_hash().as_str(), read.shape_key().as_str()), (config_hash, shape_key));
        let again = Configuration::from_json_with(later, &read.to_json()).expect(json);
        assert_eq!(again, read);
    }
    let earlier = on_lines(PARAMETERS, None);
    let as_before = on_lines(later, Some(0.0));
    assert_eq!(as_before.config_hash(), earlier.config_hash());
    assert_eq!(as_before.shape_key(), earlier.shape_key());
    let new = on_lines(later, None);
    assert_eq!(new.get("weight_decay"), Some(&Scalar::Float(0.01)));
    for other in [&new, &on_lines(later, Some(0.5))] {
        assert_ne!(other.config_hash(), earlier.config_hash());
        assert_ne!(other.shape_key(), earlier.shape_key());
    }
    assert_ne!(new.config_hash(), on_lines(later, Some(0.5)).config_hash());
}

#[test]
fn what_was_in_effect_earlier_may_be_the_value_of_another_parameter() {
    let later = later_table(DefaultValue::Float(0.0), Some(DefaultValue::SameAs("gamma")));
    let gamma_in_effect = on_lines(later, Some(0.2));
    assert_eq!(gamma_in_effect.config_hash(), on_lines(PARAMETERS, None).config_hash());
    assert_ne!(on_lines(later, None).config_hash(), gamma_in_effect.config_hash());
}

#[test]
fn a_stored_configuration_is_not_completed_with_todays_defaults() {
    let later = later_table(DefaultValue::Float(0.01), None);
    let (_, _, json) = released().next().expect("a configuration");
    let refused = Configuration::from_json_with(later, json);
    assert!(
        matches!(
            refused,
            Err(ConfigurationError::Parameter(ParameterError::Missing { ref name, .. })) if name == "weight_decay"
        ),
        "{refused:?}"
    );
}

#[test]
fn a_stored_configuration_of_a_later_version_is_refused_by_the_name_of_its_parameter() {
    let later = later_table(DefaultValue::Float(0.01), Some(DefaultValue::Float(0.0)));
    let refused = Configuration::from_json(&on_lines(later, None).to_json());
    let refused = refused.expect_err("this version cannot train it").to_string();
    assert!(refused.contains("unknown parameter `weight_decay`"), "{refused}");
}

#[test]
fn what_earlier_runs_had_in_effect_is_a_value_that_the_parameter_takes() {
    for parameter in PARAMETERS {
        let value = match &parameter.before {
            None => continue,
            Some(DefaultValue::Int(value)) => Scalar::Int(*value),
            Some(DefaultValue::Float(value)) => Scalar::Float(*value),
            Some(DefaultValue::Word(word)) => Scalar::from(*word),
            Some(DefaultValue::Required) => panic!("`{}` has no value for earlier runs", parameter.name),
            Some(_) => continue,
        };
        assert_eq!(parameter.check(&value), Ok(value), "{}", parameter.name);
    }
}
