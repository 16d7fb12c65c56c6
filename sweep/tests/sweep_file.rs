//! Sweep files that can be run: what they mean and what they expand to.

use acai_sweep::configuration::Configuration;
use acai_sweep::file::SweepFile;
use acai_sweep::metric::{Goal, Metric};
use acai_sweep::plan::{Counts, Plan};
use acai_sweep::scalar::Scalar;

fn parse(text: &str) -> SweepFile {
    SweepFile::parse("sweep.yaml", text.as_bytes()).unwrap_or_else(|error| panic!("{error}"))
}

/// The plan of a file with these lines in it.
fn plan(lines: &str) -> Plan {
    parse(&format!("version: 1\nname: test\n{lines}")).plan
}

fn column(plan: &Plan, name: &str) -> Vec<Option<Scalar>> {
    plan.configurations().iter().map(|configuration| configuration.get(name).cloned()).collect()
}

fn numbers(plan: &Plan, name: &str) -> Vec<f64> {
    let number = |value: Option<Scalar>| match value {
        Some(Scalar::Float(value)) => value,
        Some(Scalar::Int(value)) => value as f64,
        other => panic!("{other:?}"),
    };
    column(plan, name).into_iter().map(number).collect()
}

#[test]
fn five_lines_are_a_sweep() {
    let file = parse("version: 1\nname: smallest\nparameters:\n  model: acai\n  dataset: lines32\n");
    let expected = Configuration::new([("model", Scalar::from("acai")), ("dataset", "lines32".into())]);
    assert_eq!(file.plan.configurations(), [expected.unwrap()]);
    assert_eq!((file.plan.seeds(), file.group_by.len()), (&[0][..], 0));
    assert_eq!((file.priority, file.max_concurrent, file.max_restarts), (0, None, 3));
}

const LAMBDA_GAMMA: &str = "
version: 1
name: acai-lambda-gamma
description: Interpolation quality against adversarial weight and critic mix
tags: [acai, interpolation]
method: grid
metric:
  - {name: eval/mean_distance, goal: minimize}
  - {name: eval/latent_accuracy, goal: maximize}

parameters:
  model: acai
  lambda: [0.0, 0.1, 0.25, 0.5, 1.0]
  gamma: [0.0, 0.1, 0.2, 0.5]
  dataset: [lines32, digits32, mnist32, fashion-mnist32]
  total_kimg: 4096

exclude: # without the adversarial term gamma does nothing, so one gamma is enough
  - {lambda: 0, gamma: [0, 0.1, 0.5]}

include:
  - {dataset: lines32, latent: 8}
  - {dataset: digits32, latent: 4, advdepth: 32}
  - {dataset: mnist32, latent: 2}
  - {dataset: fashion-mnist32, latent: 2}
  - {dataset: lines32, lambda: 2, gamma: 0.2, latent_width: 4}

seeds: 5
max_runs: 400
priority: 10
max_concurrent: 64
max_restarts: 1
max_lost_workers: 5
max_failed_runs: 20
checkpoint: {every_kimg: 16}
artifacts: {weights: true}
report:
  group_by: [dataset, lambda, gamma]
  metrics: [eval/smoothness]
";

#[test]
fn a_grid_with_exclusions_and_inclusions_expands_as_a_ci_matrix_does() {
    let file = parse(LAMBDA_GAMMA);
    let plan = &file.plan;
    assert_eq!(
        plan.counts(),
        Counts { grid: 80, excluded: 12, merged: 0, included: 1, configurations: 69, seeds: 5, runs: 345 }
    );
    let with = |name, value: Scalar| {
        plan.configurations().iter().filter(|configuration| configuration.get(name) == Some(&value)).count()
    };
    assert_eq!(with("latent", 8.into()), 17);
    assert_eq!(with("latent", 2.into()), 34);
    assert_eq!(with("advdepth", 32.into()), 17);

    let added = plan.configurations().last().unwrap();
    assert_eq!(added.get("lambda"), Some(&Scalar::Float(2.0)));
    assert_eq!(added.get("latent_width"), Some(&Scalar::Int(4)));
    assert_eq!(added.get("latent"), Some(&Scalar::Int(16)), "an added point takes no other inclusion");
    assert_eq!(added.get("total_kimg"), Some(&Scalar::Float(4096.0)), "but the file's constants");
}

#[test]
fn settings_are_read() {
    let file = parse(LAMBDA_GAMMA);
    assert_eq!(file.name, "acai-lambda-gamma");
    assert_eq!(file.description, "Interpolation quality against adversarial weight and critic mix");
    assert_eq!(file.tags, ["acai", "interpolation"]);
    let metric = |name: &str, goal| Metric { name: name.to_owned(), goal: Some(goal) };
    assert_eq!(
        file.metrics,
        [metric("eval/mean_distance", Goal::Minimize), metric("eval/latent_accuracy", Goal::Maximize)]
    );
    assert_eq!((file.priority, file.max_concurrent, file.max_restarts), (10, Some(64), 1));
    assert_eq!((file.max_lost_workers, file.max_failed_runs), (5, Some(20)));
    assert_eq!(file.checkpoint_kimg, Some(16.0));
    assert!(file.keeps_weights);
    assert_eq!(file.group_by, ["dataset", "lambda", "gamma"]);
    assert_eq!(file.report_metrics, Some(vec!["eval/smoothness".to_owned()]));
}

#[test]
fn a_score_needs_neither_its_kind_nor_its_goal() {
    let metrics = |metric: &str| {
        let lines =
            "parameters: {model: acai, dataset: lines32}\nreport: {metrics: [smoothness, train/loss_ae]}\n";
        let file = parse(&format!("version: 1\nname: x\nmetric: {metric}\n{lines}"));
        assert_eq!(file.report_metrics.unwrap(), ["eval/smoothness", "train/loss_ae"]);
        file.metrics
    };
    let metric = |name: &str, goal| Metric { name: name.to_owned(), goal: Some(goal) };
    assert_eq!(metrics("latent_accuracy"), [metric("eval/latent_accuracy", Goal::Maximize)]);
    assert_eq!(metrics("final/mean_distance"), [metric("final/mean_distance", Goal::Minimize)]);
    assert_eq!(
        metrics("[mean_distance, {name: clustering_accuracy, goal: max}, {name: train/loss_ae, goal: min}]"),
        [
            metric("eval/mean_distance", Goal::Minimize),
            metric("eval/clustering_accuracy", Goal::Maximize),
            metric("train/loss_ae", Goal::Minimize)
        ]
    );
}

#[test]
fn the_last_axis_is_fastest_and_the_seed_slowest() {
    let plan = plan(
        "parameters:\n  lambda: [0.1, 0.2]\n  model: acai\n  dataset: [mnist32, lines32]\n\
         zip:\n  - {lr: [1e-4, 2e-4], batch: [64, 128]}\nseeds: [7, 3]\n",
    );
    assert_eq!(plan.swept(), ["lambda", "dataset", "lr", "batch"]);
    let runs: Vec<String> = plan
        .runs()
        .map(|run| {
            let values: Vec<String> =
                plan.assignment(run.configuration).map(|(_, value)| value.to_string()).collect();
            assert_eq!(*run.configuration, plan.configurations()[run.point]);
            format!("{} {} {}", run.index, run.seed, values.join(" "))
        })
        .collect();
    assert_eq!(
        runs,
        [
            "0 7 0.1 mnist32 0.0001 64",
            "1 7 0.1 mnist32 0.0002 128",
            "2 7 0.1 lines32 0.0001 64",
            "3 7 0.1 lines32 0.0002 128",
            "4 7 0.2 mnist32 0.0001 64",
            "5 7 0.2 mnist32 0.0002 128",
            "6 7 0.2 lines32 0.0001 64",
            "7 7 0.2 lines32 0.0002 128",
            "8 3 0.1 mnist32 0.0001 64",
            "9 3 0.1 mnist32 0.0002 128",
            "10 3 0.1 lines32 0.0001 64",
            "11 3 0.1 lines32 0.0002 128",
            "12 3 0.2 mnist32 0.0001 64",
            "13 3 0.2 mnist32 0.0002 128",
            "14 3 0.2 lines32 0.0001 64",
            "15 3 0.2 lines32 0.0002 128",
        ]
    );
}

#[test]
fn points_that_differ_only_in_what_their_model_ignores_are_one() {
    let plan = plan(
        "parameters:\n  model: [baseline, acai]\n  dataset: lines32\n  lambda: [0.1, 0.5]\n  gamma: [0, 0.2, 1]\n",
    );
    let Counts { grid, merged, configurations, .. } = plan.counts();
    assert_eq!((grid, merged, configurations), (12, 5, 7));
    let assignment: Vec<_> = plan.assignment(&plan.configurations()[0]).collect();
    assert_eq!(assignment, [("model", &Scalar::from("baseline"))]);
}

#[test]
fn points_that_differ_only_in_what_the_critic_uses_are_one_where_there_is_no_critic() {
    let plan = plan(
        "parameters:\n  model: [acai, acai_vae]\n  dataset: lines32\n  lambda: [0, 0.5]\n  gamma: [0.1, 0.2, 1]\n  \
         advdepth: [8, 16]\n",
    );
    let Counts { grid, merged, configurations, .. } = plan.counts();
    assert_eq!((grid, merged, configurations), (24, 10, 14));
    let alone = &plan.configurations()[0];
    assert_eq!(
        plan.assignment(alone).collect::<Vec<_>>(),
        [
            ("model", &Scalar::from("acai")),
            ("lambda", &0.0.into()),
            ("gamma", &0.1.into()),
            ("advdepth", &8.into())
        ],
        "the first point stands for the others"
    );
    assert_eq!(
        plan.reasons_to_merge(),
        ["10 points: `advdepth`, `gamma` have no effect where `lambda` is 0"]
    );
}

#[test]
fn each_reason_to_merge_is_named_with_its_points() {
    let plan = plan(
        "parameters:\n  model: [baseline, acai]\n  dataset: lines32\n  lambda: [0, 0.5]\n  gamma: [0.1, 0.2]\n",
    );
    assert_eq!(
        plan.reasons_to_merge(),
        [
            "3 points: model `baseline` does not use `gamma`, `lambda`",
            "1 point: `gamma` has no effect where `lambda` is 0"
        ]
    );
}

#[test]
fn an_inclusion_that_trains_what_the_grid_trains_is_merged_with_it() {
    let plan = plan(
        "parameters: {model: acai, dataset: lines32, lambda: [0, 0.5], gamma: [0.2, 0.4]}\n\
         include: [{lambda: 0, gamma: 0.9}, {lambda: 0.7}]\n",
    );
    let Counts { grid, merged, included, configurations, .. } = plan.counts();
    assert_eq!((grid, merged, included, configurations), (4, 2, 2, 4));
}

#[test]
fn runs_that_are_there_stay_under_their_own_configurations() {
    let plan = plan(
        "parameters: {model: acai, dataset: lines32, lambda: [0, 0.5], gamma: [0.1, 0.2, 0.4]}\nseeds: 2\n",
    );
    let runs = |there: &[(f64, u64)]| -> Vec<String> {
        let is_there = |configuration: &Configuration, seed| {
            let gamma = |gamma: f64| configuration.get("gamma") == Some(&gamma.into());
            there.iter().any(|(value, of)| gamma(*value) && seed == *of)
        };
        let runs = plan.runs_beside(is_there).into_iter();
        let alone = runs.filter(|run| run.configuration.get("lambda") == Some(&0.0.into()));
        alone.map(|run| format!("{} {}", run.configuration.get("gamma").unwrap(), run.seed)).collect()
    };
    assert_eq!(runs(&[]), ["0.1 0", "0.1 1"]);
    assert_eq!(runs(&[(0.4, 1)]), ["0.1 0", "0.4 1"], "nothing is trained again under another name");
    assert_eq!(runs(&[(0.1, 0), (0.2, 0), (0.4, 0)]), ["0.1 0", "0.2 0", "0.4 0", "0.1 1"]);
    let places: Vec<usize> = plan.runs_beside(|_, seed| seed == 0).iter().map(|run| run.index).collect();
    assert_eq!(places, (0..10).collect::<Vec<_>>(), "six runs of seed 0, four of seed 1");
}

#[test]
fn ranges_have_values_that_people_would_write() {
    let lines = "parameters:\n  model: acai\n  dataset: lines32\n";
    let linear =
        plan(&format!("{lines}  gamma: {{min: 0.1, max: 0.7, count: 7}}\nexclude: [{{gamma: 0.3}}]\n"));
    assert_eq!(numbers(&linear, "gamma"), [0.1, 0.2, 0.4, 0.5, 0.6, 0.7]);
    let log = plan(&format!("{lines}  lambda: {{min: 1e-3, max: 10, count: 5, scale: log}}\n"));
    assert_eq!(numbers(&log, "lambda"), [0.001, 0.01, 0.1, 1.0, 10.0]);
    let powers = plan(&format!("{lines}  latent_width: {{min: 1, max: 16, count: 5, scale: log}}\n"));
    assert_eq!(numbers(&powers, "latent_width"), [1.0, 2.0, 4.0, 8.0, 16.0]);
}

#[test]
fn an_inclusion_never_overwrites_what_parameters_sets_but_a_later_one_may_overwrite_it() {
    let plan = plan(
        "parameters:\n  model: acai\n  dataset: lines32\n  lambda: [0.1, 0.5]\n\
         include:\n  - {depth: 32}\n  - {model: baseline}\n  - {lambda: 0.5, depth: 64}\n",
    );
    assert_eq!(numbers(&plan, "depth"), [32.0, 64.0, 16.0]);
    assert_eq!(column(&plan, "model").last(), Some(&Some("baseline".into())));
    assert_eq!(plan.swept(), ["lambda", "model"], "depth follows from lambda");
}

#[test]
fn what_only_an_inclusion_varies_is_swept_where_nothing_else_tells_points_apart() {
    let plan = plan(
        "parameters: {model: acai, dataset: lines32, lambda: [0.1]}\n\
         include:\n  - {lambda: 0.2, depth: 32}\n  - {lambda: 0.2, depth: 64}\n",
    );
    assert_eq!(plan.swept(), ["lambda", "depth"]);
}

#[test]
fn numbers_and_words_are_those_of_yaml_1_2() {
    let file = parse(
        "version: 1\nname: no\ntags: [010, 'on']\n\
         parameters: {model: acai, dataset: lines32, lr: [1e-4, 2.0E-4, .5], lambda: 0x10}\n",
    );
    assert_eq!((file.name.as_str(), file.tags.join(" ").as_str()), ("no", "010 on"));
    assert_eq!(numbers(&file.plan, "lr"), [1e-4, 2e-4, 0.5]);
    assert_eq!(numbers(&file.plan, "lambda"), [16.0, 16.0, 16.0]);
}

#[test]
fn aliases_stand_for_what_they_name() {
    let plan = plan(
        "parameters:\n  model: acai\n  dataset: lines32\n  lambda: &values [0.1, 0.2]\n  gamma: *values\n",
    );
    assert_eq!(plan.counts().configurations, 4);
}

#[test]
fn draws_are_the_same_for_ever_and_more_of_them_are_those_and_some_more() {
    let drawn = |method: &str, samples: u32, more: &str| {
        plan(&format!(
            "method: {method}\nsamples: {samples}\n{more}parameters:\n  model: acai\n  dataset: [lines32, digits32]\n  \
             lr: {{distribution: log_uniform, min: 1.0e-5, max: 1.0e-2}}\n  gamma: {{distribution: uniform, min: 0, max: 0.5}}\n  \
             depth: {{distribution: int_uniform, min: 8, max: 32}}\n  latent: {{distribution: choice, values: [2, 4]}}\n"
        ))
    };
    for method in ["random", "sobol"] {
        let plan = drawn(method, 64, "");
        assert_eq!(plan.counts().configurations, 128, "each draw is made on each dataset");
        assert_eq!(plan.swept(), ["dataset", "lr", "gamma", "depth", "latent"]);
        let lr = numbers(&plan, "lr");
        assert!(lr.iter().all(|lr| (1e-5..=1e-2).contains(lr)));
        let below = |values: &[f64], middle: f64| values.iter().filter(|value| **value < middle).count();
        // As many on either side of the middle of the distribution, but for chance.
        let half = 45..=83;
        assert!(half.contains(&below(&lr, 10f64.powf(-3.5))), "{method}: {lr:?}");
        assert!(half.contains(&below(&numbers(&plan, "gamma"), 0.25)), "{method}");
        assert!(half.contains(&below(&numbers(&plan, "depth"), 20.5)), "{method}");
        assert!(half.contains(&below(&numbers(&plan, "latent"), 3.0)), "{method}");
        let more = drawn(method, 100, "");
        for name in ["lr", "gamma", "depth", "latent"] {
            assert_eq!(numbers(&more, name)[..64], numbers(&plan, name)[..64], "{method}");
        }
        assert_ne!(numbers(&drawn(method, 64, "sample_seed: 1\n"), "lr"), lr);
    }
    assert_eq!(numbers(&drawn("random", 2, ""), "lr")[..2], RANDOM);
    assert_eq!(numbers(&drawn("sobol", 2, ""), "lr")[..2], SOBOL);
}

#[test]
fn an_integer_of_a_trainers_own_is_drawn_from_all_that_there_are() {
    let (least, most) = (-(1i64 << 62), i64::MAX >> 1);
    let plan = plan(&format!(
        "method: sobol\nsamples: 16\ntrainer: {{parameters: {{n: {{type: int}}}}}}\nparameters:\n  model: acai\n  dataset: lines32\n  \
         n: {{distribution: int_uniform, min: {least}, max: {most}}}\n"
    ));
    let drawn = numbers(&plan, "n");
    assert!(drawn.iter().any(|n| *n < 0.0) && drawn.iter().any(|n| *n > 0.0), "{drawn:?}");
}

/// Learning rates that files have asked for: another version must not ask for others.
const RANDOM: [f64; 2] = [0.000_306_248_116_795, 4.483_399_692_43e-5];
const SOBOL: [f64; 2] = [6.115_907_051_6e-5, 0.008_202_403_788_25];
