//! Configurations: defaults, canonical form, digests, and what is refused.

use acai_sweep::configuration::Configuration;
use acai_sweep::parameters::{DefaultValue, Kind, PARAMETERS, Parameter, ParameterError};
use acai_sweep::scalar::Scalar;
use acai_sweep::training::{Dataset, Model, Precision, TrainingConfig};

fn configuration(values: &[(&str, Scalar)]) -> Configuration {
    Configuration::new(values.iter().cloned()).expect("valid values")
}

fn acai_on_lines(values: &[(&str, Scalar)]) -> Configuration {
    configuration(&[&[("model", "acai".into()), ("dataset", "lines32".into())], values].concat())
}

fn words(name: &str) -> &'static [&'static str] {
    match Parameter::find(name).expect("a parameter").kind {
        Kind::Word(words) => words,
        _ => panic!("`{name}` takes words"),
    }
}

#[test]
fn defaults_are_the_papers() {
    let config = acai_on_lines(&[("depth", 32.into())]).training_config();
    assert_eq!(
        config,
        TrainingConfig {
            model: Model::Acai { lambda: 0.5, gamma: 0.2, advdepth: 32 },
            dataset: Dataset::Lines32,
            depth: 32,
            latent: 16,
            latent_width: 2,
            batch: 64,
            lr: 1e-4,
            total_kimg: 16384.0,
            eval_kimg: 64.0,
            precision: Precision::Fp32,
            kmeans_inits: 1000,
        }
    );
    let digits = configuration(&[("model", "baseline".into()), ("dataset", "digits32".into())]);
    assert_eq!(digits.get("latent_width"), Some(&Scalar::Int(4)));
    assert_eq!(digits.get("lambda"), None);
}

#[test]
fn every_model_and_dataset_converts_to_the_trainers_form_and_back() {
    for dataset in Dataset::NAMED {
        assert_eq!(Dataset::from_name(dataset.name()), Some(dataset));
    }
    let own = Dataset::from_name("images:some/folder").expect("a folder");
    assert_eq!((own.name(), own.own_path()), ("images:some/folder", Some("some/folder")));
    let curve = Dataset::from_name("curve:seasons.txt").expect("a file");
    assert_eq!((curve.name(), curve.own_path()), ("curve:seasons.txt", Some("seasons.txt")));
    assert_eq!(Dataset::from_name("images:"), None);
    assert_eq!(Dataset::from_name(&format!("images:{}", "a".repeat(1025))), None);
    for &model in words("model") {
        let is_of_images = ["aae", "vqvae", "pixels"].contains(&model);
        let datasets = Dataset::NAMED.iter().chain([&own, &curve]);
        for dataset in datasets.filter(|dataset| !(is_of_images && dataset.is_strings())) {
            let configuration = configuration(&[("model", model.into()), ("dataset", dataset.name().into())]);
            let config = configuration.training_config();
            assert_eq!(Configuration::try_from(&config).unwrap(), configuration);
            assert_eq!(Configuration::from_json(&configuration.to_json()).unwrap(), configuration);
        }
    }
}

#[test]
fn the_largest_and_smallest_values_fit_the_trainers_form() {
    for (&model, smallest) in words("model").iter().flat_map(|model| [(model, true), (model, false)]) {
        let ends =
            PARAMETERS.iter().filter(|parameter| parameter.is_used_by(model)).filter_map(|parameter| {
                let value = match &parameter.kind {
                    Kind::Int(range) | Kind::PowerOfTwo(range) => {
                        Scalar::Int(if smallest { *range.start() } else { *range.end() })
                    }
                    _ => return None,
                };
                Some((parameter.name, parameter.check(&value).unwrap()))
            });
        let words = [("model", model.into()), ("dataset", "lines32".into())];
        let _ = configuration(&words.into_iter().chain(ends).collect::<Vec<_>>()).training_config();
    }
}

#[test]
fn every_default_is_a_value_the_parameter_takes() {
    for parameter in PARAMETERS {
        let default = match parameter.default {
            DefaultValue::Int(value) => Scalar::Int(value),
            DefaultValue::Float(value) => Scalar::Float(value),
            _ => continue,
        };
        assert_eq!(parameter.check(&default), Ok(default));
    }
}

#[test]
fn a_float_is_the_same_however_it_is_written() {
    let hash = |lambda: Scalar| acai_on_lines(&[("lambda", lambda)]).config_hash();
    assert_eq!(hash(Scalar::Int(1)), hash(Scalar::Float(1e0)));
    assert_eq!(hash(Scalar::Float(-0.0)), hash(Scalar::Int(0)));
    assert_ne!(hash(Scalar::Float(0.1)), hash(Scalar::Float(0.1 + f64::EPSILON)));
}

#[test]
fn json_keeps_every_bit_of_a_float() {
    for gamma in
        [0.1 + f64::EPSILON / 8.0, 0.123_456_789_012_345_67, 1.0 / 3.0, 5e-324, 0.999_999_999_999_999_9]
    {
        let configuration = acai_on_lines(&[("gamma", gamma.into())]);
        assert_eq!(Configuration::from_json(&configuration.to_json()).unwrap(), configuration);
    }
}

/// Databases hold these digests: a change here makes every run of theirs a new one.
#[test]
fn digests_never_change() {
    let configuration = acai_on_lines(&[("lambda", 0.25.into()), ("lr", 2e-4.into())]);
    assert_eq!(
        configuration.to_json(),
        r#"{"model":"acai","dataset":"lines32","lambda":0.25,"gamma":0.2,"lr":0.0002,"batch":64,"depth":16,"latent":16,"latent_width":2,"advdepth":16,"total_kimg":16384.0,"eval_kimg":64.0,"precision":"fp32","kmeans_inits":1000}"#
    );
    assert_eq!(
        configuration.config_hash(),
        "c1870bdaf4752cf6bb5261d612a49eef38d2a2d9d3aaec1799daab25db325cf7"
    );
    assert_eq!(configuration.shape_key(), "018dd6b08eb7586c971e8d493a8156b7c2e5c1d058fcd57240ebc74023d1039e");
}

#[test]
fn runs_share_a_shape_unless_shapes_schedule_or_the_critics_existence_differ() {
    let shape = |name, value| acai_on_lines(&[(name, value)]).shape_key();
    let usual = acai_on_lines(&[]).shape_key();
    for free in [("lambda", 0.1), ("gamma", 0.0), ("lr", 1e-3)] {
        assert_eq!(shape(free.0, free.1.into()), usual, "{}", free.0);
    }
    for fixed in ["batch", "depth", "latent", "latent_width", "advdepth", "total_kimg", "eval_kimg"] {
        assert_ne!(shape(fixed, 8.into()), usual, "{fixed}");
    }
    assert_ne!(shape("precision", "bf16".into()), usual);
    assert_ne!(shape("lambda", 0.into()), usual);
}

#[test]
fn errors_name_the_parameter() {
    let with = |name: &'static str, value: Scalar| {
        let values: [(&str, Scalar); 3] =
            [("model", "baseline".into()), ("dataset", "lines32".into()), (name, value)];
        Configuration::new(values).unwrap_err()
    };
    let cases = [
        (with("laten", 4.into()), "unknown parameter `laten`", Some("did you mean `latent`?")),
        (with("batch", 0.into()), "`batch` takes an integer from 1 to 4096, found `0`", None),
        (with("batch", 2.5.into()), "`batch` takes an integer from 1 to 4096, found `2.5`", None),
        (with("latent_width", 3.into()), "`latent_width` takes a power of two from 1 to 16, found `3`", None),
        (
            with("latent_width", i64::MIN.into()),
            "`latent_width` takes a power of two from 1 to 16, found `-9223372036854775808`",
            None,
        ),
        (with("gamma", f64::NAN.into()), "`gamma` takes a number from 0 to 1, found `NaN`", None),
        (with("lr", 0.into()), "`lr` takes a number above 0 and at most 1, found `0`", None),
        (with("lr", "fast".into()), "`lr` takes a number above 0 and at most 1, found the word `fast`", None),
        (with("gamma", 0.5.into()), "model `baseline` does not use `gamma`", None),
        (with("model", "acai".into()), "`model` is set twice", None),
    ];
    for (error, message, hint) in cases {
        assert_eq!((error.to_string().as_str(), error.hint()), (message, hint));
    }
    let words: [(&str, Scalar); 1] = [("dataset", "line32".into())];
    let error = Configuration::new(words).unwrap_err();
    assert_eq!(error.hint(), Some("did you mean `lines32`?"));
    let missing = Configuration::new([("model", Scalar::from("acai"))]).unwrap_err();
    assert!(matches!(missing, ParameterError::Missing { ref name, .. } if name == "dataset"));
    assert!(Configuration::from_json("[1]").is_err());
}
