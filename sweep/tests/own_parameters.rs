//! Parameters and metrics that a sweep file declares for a trainer of one's own.

use std::collections::BTreeMap;

use acai_sweep::configuration::{Configuration, ConfigurationError};
use acai_sweep::file::SweepFile;
use acai_sweep::parameters::ParameterError;
use acai_sweep::report::Report;
use acai_sweep::scalar::Scalar;

const FILE: &str = "
version: 1
name: own
metric: {name: eval/my_score, goal: max}
trainer:
  parameters:
    weight: {type: float, min: 0}
    rounds: {type: int, min: 1, max: 9, default: 3}
    shape: {type: word, choices: [round, square], default: round}
  metrics: [eval/my_score, eval/other]
parameters: {model: acai, dataset: lines32, weight: [0, 0.5], lambda: [0.1, 0.2]}
exclude: [{weight: 0.5, lambda: 0.2}]
include: [{weight: 0.5, lambda: 0.1, shape: square}]
report: {group_by: [weight, lambda], metrics: [eval/other]}
";

fn file(text: &str) -> SweepFile {
    SweepFile::parse("sweep.yaml", text.as_bytes()).unwrap_or_else(|error| panic!("{error}"))
}

/// Each mistake of the file as it is shown.
fn mistakes(text: &str) -> String {
    SweepFile::parse("sweep.yaml", text.as_bytes()).expect_err("a mistake").to_string()
}

fn plain() -> Configuration {
    Configuration::new([("model", Scalar::from("acai")), ("dataset", "lines32".into())]).expect("valid")
}

fn with_weight(value: Scalar) -> Configuration {
    plain().with_own([("weight".to_owned(), value)]).expect("valid")
}

#[test]
fn declared_parameters_are_swept_excluded_included_and_grouped_by() {
    let file = file(FILE);
    let own: Vec<String> = file
        .plan
        .configurations()
        .iter()
        .map(|configuration| {
            let own = configuration.own().iter().map(|(name, value)| format!("{name}={value}"));
            format!("{} {}", configuration.get("lambda").expect("set"), own.collect::<Vec<_>>().join(" "))
        })
        .collect();
    assert_eq!(
        own,
        [
            "0.1 rounds=3 shape=round weight=0.0",
            "0.2 rounds=3 shape=round weight=0.0",
            "0.1 rounds=3 shape=square weight=0.5",
        ]
    );
    assert_eq!(file.plan.swept(), ["weight", "lambda"]);
    assert_eq!(file.group_by, ["weight", "lambda"]);
    assert_eq!(file.warnings, [], "declared metrics are known");
    let report = Report::from(&file);
    assert_eq!(report.own_parameters, ["weight", "rounds", "shape"]);
    assert_eq!(report.own_metrics, ["eval/my_score", "eval/other"]);
}

#[test]
fn a_range_of_an_own_parameter_has_its_own_numbers_however_large() {
    let text = "version: 1\nname: x\nparameters: {model: baseline, dataset: lines32, size: {min: 0, max: 1.0e300, count: 3}}\n\
                trainer: {parameters: {size: {type: float, default: 1}}}\n";
    let file = SweepFile::parse("sweep.yaml", text.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
    let sizes: Vec<_> = file.plan.configurations().iter().map(|it| it.get("size").cloned()).collect();
    assert_eq!(sizes, [0.0, 5e299, 1e300].map(|size| Some(Scalar::Float(size))));
}

#[test]
fn a_stored_configuration_says_which_parameters_are_own_and_is_read_without_the_file() {
    let own = with_weight(Scalar::Float(0.5));
    let json = own.to_json();
    assert!(json.ends_with(r#","own.weight":0.5}"#), "{json}");
    let read = Configuration::from_json(&json).expect("what was written");
    assert_eq!((&read, read.config_hash()), (&own, own.config_hash()));
    assert_eq!(read.own(), &BTreeMap::from([("weight".to_owned(), Scalar::Float(0.5))]));
    assert_eq!(read.training_config(), plain().training_config());
}

#[test]
fn a_version_that_knows_of_no_own_parameters_finds_an_unknown_one() {
    // Earlier versions look each name of the object up in their table, as this does.
    let flat: BTreeMap<String, Scalar> =
        serde_json::from_str(&with_weight(Scalar::Float(0.5)).to_json()).expect("a flat object");
    assert!(matches!(Configuration::resolved(flat), Err(ParameterError::Unknown { .. })));
}

#[test]
fn own_parameters_are_part_of_what_a_run_is() {
    let [half, one] = [0.5, 1.0].map(|value| with_weight(Scalar::Float(value)));
    let digests = |configuration: &Configuration| {
        [configuration.config_hash(), configuration.shape_key(), configuration.training_digest()]
    };
    for (a, b) in [(&half, &one), (&half, &plain())] {
        assert_ne!(a, b);
        for (a, b) in digests(a).iter().zip(&digests(b)) {
            assert_ne!(a, b);
        }
    }
}

#[test]
fn stored_own_parameters_that_make_no_sense_are_refused() {
    for json in [r#"{"own.Weight":1}"#, r#"{"own.":1}"#, r#"{"own.a.b":1}"#] {
        let all = plain().to_json().replace('}', &format!(",{}", &json[1..]));
        let refused = Configuration::from_json(&all);
        assert!(matches!(refused, Err(ConfigurationError::Parameter(_))), "{json}: {refused:?}");
    }
    let infinite = plain().with_own([("weight".to_owned(), Scalar::Float(f64::INFINITY))]);
    assert!(infinite.is_err(), "no JSON could hold this number");
}

#[test]
fn values_are_checked_as_declared() {
    let cases = [
        ("weight: -1", "`weight` takes a number of at least 0, found `-1`"),
        ("weight: .inf", "`weight` takes a number of at least 0, found `inf`"),
        ("weight: {min: -1, max: 1, count: 3}", "`weight` takes a number of at least 0, found `-1`"),
        ("{weight: 1, rounds: 0.5}", "`rounds` takes an integer from 1 to 9, found `0.5`"),
        (
            "{weight: 1, shape: sqare}",
            "`shape` takes one of `round`, `square`, found `sqare`\nhint: did you mean `square`?",
        ),
        ("rounds: 4", "`weight` is not set; it takes a number of at least 0"),
        ("wieght: 1", "unknown parameter `wieght`\nhint: did you mean `weight`?"),
        ("{weight: 1, zzz: 1}", "hint: `trainer.parameters` declares those of a trainer of your own"),
    ];
    let (declared, _) = FILE.split_once("parameters: {").expect("the parameters");
    for (set, expected) in cases {
        let set = set.trim_start_matches('{');
        let end = if set.ends_with("3}") || !set.ends_with('}') { "}" } else { "" };
        let text = format!("{declared}parameters: {{model: acai, dataset: lines32, {set}{end}\n");
        let shown = mistakes(&text);
        assert!(shown.contains(expected), "{text}\n{shown}");
    }
}

#[test]
fn a_declaration_that_makes_no_sense_is_a_mistake_at_its_place() {
    let cases = [
        ("{lambda: {type: float}}", "4:24: `lambda` is a parameter already"),
        ("{seed: {type: int}}", "4:24: `seed` is a parameter already"),
        ("{Mine: {type: int}}", "4:24: expected a name of small letters"),
        ("{mine: {type: flaot}}", "4:37: expected one of `int`, `float`, `word`, found `flaot`"),
        ("{mine: {min: 1}}", "the key `type` is missing"),
        ("{mine: {type: word}}", "the key `choices` is missing"),
        ("{mine: {type: int, choices: [a]}}", "4:42: `choices` does not go with this `type`"),
        ("{mine: {type: word, choices: [a], min: 1}}", "`min` does not go with this `type`"),
        ("{mine: {type: word, choices: [a, a]}}", "is in the list twice"),
        ("{mine: {type: int, min: 3, max: 2}}", "`min` is above `max`"),
        ("{mine: {type: float, max: 2, default: 3}}", "`mine` takes a number of at most 2, found `3`"),
    ];
    for (parameters, expected) in cases {
        let text = format!(
            "version: 1\nname: x\nparameters: {{model: acai, dataset: lines32}}\ntrainer: {{parameters: {parameters}}}\n"
        );
        let shown = mistakes(&text);
        assert!(shown.contains(expected), "{parameters}\n{shown}");
    }
}

#[test]
fn a_score_that_is_not_declared_stays_unknown_with_a_hint_how_to_declare_one() {
    let shown = mistakes(&FILE.replace("  metrics: [eval/my_score, eval/other]\n", ""));
    assert!(shown.contains("there is no score `eval/my_score`\nhint: `trainer.metrics` declares"), "{shown}");
}
