//! The sweep files of the paper's tables ask for the paper's runs.

use std::collections::BTreeMap;

use acai_sweep::configuration::Configuration;
use acai_sweep::file::SweepFile;
use acai_sweep::scalar::Scalar;

const LINES: &str = include_str!("../../sweeps/paper/lines.yaml");
const CLASSIFICATION: &str = include_str!("../../sweeps/paper/classification.yaml");
const CLUSTERING: &str = include_str!("../../sweeps/paper/clustering.yaml");
const MODELS: [&str; 7] = ["baseline", "dropout", "denoising", "vae", "aae", "vqvae", "acai"];

/// The file, which must give no reason to warn.
fn parse(text: &str) -> SweepFile {
    let file = SweepFile::parse("sweep.yaml", text.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
    assert!(file.warnings.is_empty(), "{:?}", file.warnings);
    file
}

fn value(configuration: &Configuration, name: &str) -> String {
    configuration.get(name).map(ToString::to_string).unwrap_or_default()
}

/// How many runs there are of each model, dataset and number of values in a code.
fn runs(file: &SweepFile) -> BTreeMap<(String, String, i64), usize> {
    let mut runs = BTreeMap::new();
    for run in file.plan.runs() {
        let int = |name: &str| match run.configuration.get(name) {
            Some(Scalar::Int(value)) => *value,
            other => panic!("{name}: {other:?}"),
        };
        let code = int("latent") * int("latent_width").pow(2);
        let key = (value(run.configuration, "model"), value(run.configuration, "dataset"), code);
        *runs.entry(key).or_default() += 1;
    }
    runs
}

/// Five runs of each model on each of these datasets with codes of this size.
fn five_of_each(sizes: &[(&str, i64)]) -> BTreeMap<(String, String, i64), usize> {
    let all = MODELS.iter().flat_map(|model| {
        sizes.iter().map(|(dataset, code)| (((*model).to_owned(), (*dataset).to_owned(), *code), 5))
    });
    all.collect()
}

#[test]
fn lines_are_trained_by_seven_models_with_codes_of_64_values() {
    let file = parse(LINES);
    let mut expected = five_of_each(&[("lines32", 64)]);
    expected.remove(&("vqvae".to_owned(), "lines32".to_owned(), 64));
    expected.insert(("vqvae".to_owned(), "lines32".to_owned(), 256), 5);
    assert_eq!(runs(&file), expected);
    let names: Vec<&str> = file.metrics.iter().map(|metric| metric.name.as_str()).collect();
    assert_eq!(names, ["final/mean_distance", "final/smoothness"]);
}

#[test]
fn codes_of_three_datasets_are_classified_at_two_sizes_each() {
    let file = parse(CLASSIFICATION);
    let sizes = [
        ("mnist32", 32),
        ("mnist32", 256),
        ("svhn32", 32),
        ("svhn32", 256),
        ("cifar10", 256),
        ("cifar10", 1024),
    ];
    assert_eq!(runs(&file), five_of_each(&sizes));
    for configuration in file.plan.configurations() {
        let of = |name: &str| value(configuration, name);
        assert_eq!(of("depth"), if of("dataset") == "mnist32" { "16" } else { "64" });
        if of("model") == "dropout" {
            assert_eq!(of("dropout"), if of("dataset") == "cifar10" { "0.25" } else { "0.5" });
        }
    }
}

#[test]
fn codes_of_two_datasets_are_clustered_and_are_those_that_are_classified() {
    let (clustering, classification) = (parse(CLUSTERING), parse(CLASSIFICATION));
    let sizes = [("mnist32", 32), ("mnist32", 256), ("svhn32", 32), ("svhn32", 256)];
    assert_eq!(runs(&clustering), five_of_each(&sizes));
    for configuration in clustering.plan.configurations() {
        assert!(classification.plan.configurations().contains(configuration), "{configuration:?}");
    }
}

#[test]
fn every_run_of_the_paper_has_its_length_its_batches_and_its_step_size() {
    for file in [LINES, CLASSIFICATION, CLUSTERING].map(parse) {
        assert_eq!(file.plan.seeds(), [0, 1, 2, 3, 4]);
        for configuration in file.plan.configurations() {
            let of = |name: &str| value(configuration, name);
            assert_eq!([of("total_kimg"), of("eval_kimg"), of("batch")], ["16384.0", "64.0", "64"]);
            assert_eq!([of("lr"), of("precision"), of("kmeans_inits")], ["0.0001", "fp32", "1000"]);
            if of("model") == "acai" {
                assert_eq!([of("lambda"), of("gamma"), of("advdepth")], ["0.5", "0.2", of("depth").as_str()]);
            }
        }
    }
}
