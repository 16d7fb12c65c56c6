//! The results table: what is aggregated, and in which order it is shown.

use acai_sweep::configuration::Configuration;
use acai_sweep::file::SweepFile;
use acai_sweep::metric::{Goal, Metric};
use acai_sweep::report::Report;
use acai_sweep::results::{Query, RunResult, Statistic, Summary, Table, tables};
use acai_sweep::run::RunState;
use acai_sweep::scalar::Scalar;

/// A run whose metrics have one point each.
fn run(values: &[(&str, Scalar)], seed: u64, state: RunState, metrics: &[(&str, f64)]) -> RunResult {
    let defaults = [("model", Scalar::from("acai")), ("dataset", "lines32".into())];
    let missing = defaults.into_iter().filter(|(name, _)| values.iter().all(|(set, _)| set != name));
    RunResult {
        number: 0,
        configuration: Configuration::new(missing.chain(values.iter().cloned())).expect("valid values"),
        seed,
        state,
        summaries: metrics
            .iter()
            .map(|&(name, value)| {
                (name.to_owned(), Summary { last: value, min: value, max: value, mean: value })
            })
            .collect(),
    }
}

fn lambda_run(lambda: f64, seed: u64, state: RunState, metrics: &[(&str, f64)]) -> RunResult {
    run(&[("lambda", lambda.into())], seed, state, metrics)
}

fn query(group_by: &[&str], sort_by: &[(&str, Goal)]) -> Query {
    Query {
        group_by: group_by.iter().map(ToString::to_string).collect(),
        sort_by: sort_by
            .iter()
            .map(|&(name, goal)| Metric { name: name.to_owned(), goal: Some(goal) })
            .collect(),
        others: None,
        statistic: Statistic::Last,
        shared: Vec::new(),
        filter: None,
    }
}

/// Each row as its group's values, completed/all runs, and means; the best one with a star.
fn rows(table: &Table) -> Vec<String> {
    table
        .rows
        .iter()
        .map(|row| {
            let group: Vec<String> =
                row.group.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let mean = |aggregate: &Option<_>| {
                aggregate.map_or("-".to_owned(), |a: acai_sweep::results::Aggregate| a.mean.to_string())
            };
            let means: Vec<String> = row.aggregates.iter().map(mean).collect();
            let star = if row.best { " *" } else { "" };
            format!("{} {}/{} {}{star}", group.join(","), row.completed, row.runs, means.join(" "))
        })
        .collect()
}

#[test]
fn a_row_has_mean_population_std_and_range_over_seeds() {
    let runs: Vec<_> = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]
        .into_iter()
        .zip(0..)
        .map(|(value, seed)| lambda_run(0.5, seed, RunState::Completed, &[("eval/x", value)]))
        .collect();
    let tables = tables(&query(&["lambda"], &[]), &runs);
    let aggregate = tables[0].rows[0].aggregates[0].unwrap();
    assert_eq!((aggregate.n, aggregate.mean, aggregate.std), (8, 5.0, 2.0));
    assert_eq!((aggregate.min, aggregate.max), (2.0, 9.0));
}

#[test]
fn only_finite_values_of_completed_runs_count_and_the_row_says_how_many() {
    let runs = [
        lambda_run(0.1, 0, RunState::Completed, &[("eval/x", 3.0), ("eval/y", f64::NAN)]),
        lambda_run(0.1, 1, RunState::Completed, &[("eval/x", f64::INFINITY), ("eval/y", f64::NAN)]),
        lambda_run(0.1, 2, RunState::Diverged, &[("eval/x", 1.0)]),
        lambda_run(0.1, 3, RunState::Running, &[("eval/x", 2.0)]),
        lambda_run(0.1, 4, RunState::Completed, &[]),
    ];
    let tables =
        tables(&query(&["lambda"], &[("eval/y", Goal::Minimize), ("eval/x", Goal::Minimize)]), &runs);
    assert_eq!(tables[0].metrics.len(), 1, "a metric without any finite value is not shown");
    assert_eq!(tables[0].rows[0].aggregates[0].unwrap().n, 1);
    assert_eq!(rows(&tables[0]), ["lambda=0.1 3/5 3 *"]);
}

#[test]
fn all_rows_whose_mean_is_the_best_one_are_marked() {
    let with = |lambda, value| lambda_run(lambda, 0, RunState::Completed, &[("eval/x", value)]);
    let runs = [with(0.1, 2.0), with(0.2, 1.0), with(0.3, 1.0), lambda_run(0.4, 0, RunState::Queued, &[])];
    assert_eq!(
        rows(&tables(&query(&["lambda"], &[("eval/x", Goal::Minimize)]), &runs)[0]),
        ["lambda=0.2 1/1 1 *", "lambda=0.3 1/1 1 *", "lambda=0.1 1/1 2", "lambda=0.4 0/1 -"]
    );
}

#[test]
fn rows_are_sorted_towards_the_goal_and_those_without_a_value_come_last() {
    let with = |lambda, value| lambda_run(lambda, 0, RunState::Completed, &[("eval/x", value)]);
    let queued = lambda_run(0.0, 0, RunState::Queued, &[]);
    let runs = [queued.clone(), with(0.1, 2.0), with(0.2, 1.0), with(0.3, 3.0)];
    let table = |goal| rows(&tables(&query(&["lambda"], &[("eval/x", goal)]), &runs)[0]);
    assert_eq!(
        table(Goal::Minimize),
        ["lambda=0.2 1/1 1 *", "lambda=0.1 1/1 2", "lambda=0.3 1/1 3", "lambda=0.0 0/1 -"]
    );
    assert_eq!(
        table(Goal::Maximize),
        ["lambda=0.3 1/1 3 *", "lambda=0.1 1/1 2", "lambda=0.2 1/1 1", "lambda=0.0 0/1 -"]
    );
    let unsorted = tables(&query(&["lambda"], &[]), &runs);
    assert_eq!(
        rows(&unsorted[0]),
        ["lambda=0.0 0/1 -", "lambda=0.1 1/1 2", "lambda=0.2 1/1 1", "lambda=0.3 1/1 3"]
    );
    let nothing_yet = tables(&query(&["lambda"], &[("eval/x", Goal::Minimize)]), &[queued]);
    assert_eq!(rows(&nothing_yet[0]), ["lambda=0.0 0/1 "]);
}

#[test]
fn each_dataset_is_a_table_of_its_own_sorted_by_the_first_metric_it_has() {
    let on = |dataset: &str, lambda: f64, metric, value| {
        let values = [("dataset", Scalar::from(dataset)), ("lambda", lambda.into())];
        run(&values, 0, RunState::Completed, &[(metric, value)])
    };
    let runs = [
        on("mnist32", 0.1, "eval/accuracy", 90.0),
        on("lines32", 0.1, "eval/mean_distance", 0.3),
        on("mnist32", 0.5, "eval/accuracy", 98.0),
        on("lines32", 0.5, "eval/mean_distance", 0.1),
    ];
    let sort_by = [("eval/mean_distance", Goal::Minimize), ("eval/accuracy", Goal::Maximize)];
    let tables = tables(&query(&["dataset", "lambda"], &sort_by), &runs);
    let of = |table: &Table| (table.dataset.clone(), table.metrics[0].name.clone(), rows(table));
    let expected = [
        ("mnist32", "eval/accuracy", ["lambda=0.5 1/1 98 *", "lambda=0.1 1/1 90"]),
        ("lines32", "eval/mean_distance", ["lambda=0.5 1/1 0.1 *", "lambda=0.1 1/1 0.3"]),
    ];
    for (table, (dataset, metric, rows)) in tables.iter().zip(expected) {
        assert_eq!(of(table), (dataset.to_owned(), metric.to_owned(), rows.map(str::to_owned).to_vec()));
    }
    assert_eq!(tables.len(), 2);
}

#[test]
fn a_parameter_that_the_model_lacks_is_absent_from_its_row() {
    let runs = [
        run(&[("model", "baseline".into())], 0, RunState::Completed, &[]),
        lambda_run(0.5, 0, RunState::Completed, &[]),
        lambda_run(0.5, 1, RunState::Failed, &[]),
    ];
    let tables = tables(&query(&["model", "lambda"], &[]), &runs);
    assert_eq!(rows(&tables[0]), ["model=baseline 1/1 ", "model=acai,lambda=0.5 1/2 "]);
}

#[test]
fn the_metrics_shown_are_those_asked_for_or_every_evaluation() {
    let metrics = [("eval/x", 1.0), ("train/loss", 2.0), ("eval/a", 3.0)];
    let runs = [lambda_run(0.5, 0, RunState::Completed, &metrics)];
    let names = |query: &Query| -> Vec<String> {
        tables(query, &runs)[0].metrics.iter().map(|metric| metric.name.clone()).collect()
    };
    let mut query = query(&[], &[("eval/x", Goal::Minimize)]);
    assert_eq!(names(&query), ["eval/x", "eval/a"]);
    query.others = Some(vec!["train/loss".to_owned(), "eval/missing".to_owned()]);
    assert_eq!(names(&query), ["eval/x", "train/loss"]);
}

#[test]
fn of_how_many_evaluations_final_figures_are_is_shown_where_any_are_of_fewer_than_20() {
    let metrics = |evaluations| [("final/x", 1.0), ("final/a", 3.0), ("final/evaluations", evaluations)];
    let names = |sort_by: &[(&str, Goal)], others: Option<&[&str]>, evaluations: [f64; 2]| -> Vec<String> {
        let run = |(seed, evaluations)| {
            let metrics = [&metrics(evaluations)[..], &[("eval/x", 2.0)]].concat();
            lambda_run(0.5, seed, RunState::Completed, &metrics)
        };
        let runs: Vec<RunResult> = (0..).zip(evaluations).map(run).collect();
        let others = others.map(|names| names.iter().map(ToString::to_string).collect());
        let query = Query { others, ..query(&[], sort_by) };
        tables(&query, &runs)[0].metrics.iter().map(|metric| metric.name.clone()).collect()
    };
    let (by_final, by_eval) = ([("final/x", Goal::Minimize)], [("eval/x", Goal::Minimize)]);
    assert_eq!(names(&by_final, None, [20.0, 20.0]), ["final/x", "final/a"]);
    assert_eq!(names(&by_final, None, [20.0, 3.0]), ["final/x", "final/a", "final/evaluations"]);
    assert_eq!(names(&by_eval, Some(&["final/a"]), [20.0, 3.0]), ["eval/x", "final/a", "final/evaluations"]);
    assert_eq!(names(&by_eval, None, [20.0, 3.0]), ["eval/x"], "no final figure is shown");
    let asked = ["final/evaluations"];
    assert_eq!(
        names(&by_final, Some(&asked), [20.0, 20.0]),
        ["final/x", "final/evaluations"],
        "it is asked for"
    );
}

#[test]
fn the_statistic_picks_the_value_of_each_run() {
    let mut result = lambda_run(0.5, 0, RunState::Completed, &[]);
    result.summaries.insert("eval/x".to_owned(), Summary { last: 4.0, min: 1.0, max: 9.0, mean: 5.0 });
    let mean = |statistic| {
        let query = Query { statistic, ..query(&[], &[]) };
        tables(&query, std::slice::from_ref(&result))[0].rows[0].aggregates[0].unwrap().mean
    };
    let all = [Statistic::Last, Statistic::Min, Statistic::Max, Statistic::Mean];
    assert_eq!(all.map(mean), [4.0, 1.0, 9.0, 5.0]);
}

#[test]
fn rows_can_be_made_by_seed_too() {
    let runs: Vec<RunResult> = [(0.0, 0), (0.5, 0), (0.0, 1)]
        .map(|(lambda, seed)| lambda_run(lambda, seed, RunState::Completed, &[("eval/x", lambda)]))
        .into();
    let [table] = &tables(&query(&["lambda", "seed"], &[]), &runs)[..] else { panic!("one dataset") };
    assert_eq!(
        rows(table),
        ["lambda=0.0,seed=0 1/1 0", "lambda=0.5,seed=0 1/1 0.5", "lambda=0.0,seed=1 1/1 0"]
    );
}

/// Values, seed and the result of `eval/x`; a run without a result is queued.
type Ran<'v> = (&'v [(&'static str, Scalar)], u64, Option<f64>);

/// The table of a file with these parameters, of these runs, grouped by `group_by` or else by what the file sweeps.
fn table_of(parameters: &str, group_by: &[&str], runs: &[Ran<'_>]) -> Vec<String> {
    let text = format!("version: 1\nname: x\nparameters: {{dataset: lines32, {parameters}}}\n");
    let report = Report::from(&SweepFile::parse("x.yaml", text.as_bytes()).expect("no mistakes"));
    // As a store keeps it.
    let json = serde_json::to_string(&report).expect("JSON");
    let Report { group_by: swept, shared, .. } = serde_json::from_str(&json).expect("JSON");
    let group_by =
        if group_by.is_empty() { swept } else { group_by.iter().map(ToString::to_string).collect() };
    let query = Query { group_by, shared, ..query(&[], &[]) };
    let result = |(values, seed, value): &Ran<'_>| match value {
        Some(value) => run(values, *seed, RunState::Completed, &[("eval/x", *value)]),
        None => run(values, *seed, RunState::Queued, &[]),
    };
    rows(&tables(&query, &runs.iter().map(result).collect::<Vec<_>>())[0])
}

fn at(lambda: f64, gamma: f64) -> [(&'static str, Scalar); 2] {
    [("lambda", lambda.into()), ("gamma", gamma.into())]
}

#[test]
fn a_run_is_shown_under_each_value_that_the_file_asks_for_and_that_trains_the_same() {
    let parameters = "model: acai, lambda: [0, 0.5], gamma: [0.1, 0.2]";
    let (without, with) = (at(0.0, 0.1), [at(0.5, 0.1), at(0.5, 0.2)]);
    let runs = [
        (&without[..], 0, Some(1.0)),
        (&with[0], 0, Some(3.0)),
        (&with[1], 0, Some(4.0)),
        (&without, 1, Some(2.0)),
    ];
    assert_eq!(
        table_of(parameters, &[], &runs),
        [
            "lambda=0.0,gamma=0.1 2/2 1.5",
            "lambda=0.0,gamma=0.2 2/2 1.5",
            "lambda=0.5,gamma=0.1 1/1 3",
            "lambda=0.5,gamma=0.2 1/1 4",
        ]
    );
    assert_eq!(
        table_of(parameters, &["lambda"], &runs),
        ["lambda=0.0 2/2 1.5", "lambda=0.5 2/2 3.5"],
        "a run counts once in a row"
    );
}

#[test]
fn a_model_is_shown_under_each_value_of_what_it_does_not_use_where_the_file_asks_for_several() {
    let baseline = [("model", Scalar::from("baseline"))];
    let with = [at(0.1, 0.2), at(0.5, 0.2)];
    let runs = [(&baseline[..], 0, Some(1.0)), (&with[0], 0, Some(2.0)), (&with[1], 0, Some(3.0))];
    assert_eq!(
        table_of("model: [baseline, acai], lambda: [0.1, 0.5]", &[], &runs),
        [
            "model=baseline,lambda=0.1 1/1 1",
            "model=baseline,lambda=0.5 1/1 1",
            "model=acai,lambda=0.1 1/1 2",
            "model=acai,lambda=0.5 1/1 3",
        ]
    );
}

#[test]
fn a_point_that_has_a_run_of_its_own_shows_that_one_and_else_a_completed_one() {
    let points = [0.1, 0.2, 0.4].map(|gamma| at(0.0, gamma));
    let runs = [(&points[0][..], 0, None), (&points[1], 0, Some(2.0)), (&points[1], 1, Some(4.0))];
    assert_eq!(
        table_of("model: acai, lambda: 0, gamma: [0.1, 0.2, 0.4]", &["gamma"], &runs),
        ["gamma=0.1 1/2 4", "gamma=0.2 2/2 3", "gamma=0.4 2/2 3"]
    );
}
