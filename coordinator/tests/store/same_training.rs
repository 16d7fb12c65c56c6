//! Points of a file that train the same, beside runs that an earlier version stored for each of them.

use acai_coordinator::lease::LeaseTerms;
use acai_coordinator::store::{NewRun, NewSweep, Replacing, Submission};
use acai_coordinator::use_cases::{At, TableRequest, UseCases};
use acai_sweep::configuration::Configuration;
use acai_sweep::results::Statistic;
use acai_sweep::scalar::Scalar;

use crate::{Tested, claim_one, contract, point, register};

contract!(
    a_file_that_an_earlier_version_expanded_sets_no_run_aside,
    the_run_of_one_value_serves_the_values_that_train_the_same,
);

/// A sweep without a critic, with these values of γ.
fn file(gammas: &str) -> String {
    format!(
        "version: 1\nname: s\nparameters: {{model: acai, dataset: lines32, lambda: 0, gamma: {gammas}}}\nseeds: 2\n"
    )
}

/// A run of it.
fn run(gamma: f64, seed: u64) -> NewRun {
    let values = [("model", Scalar::from("acai")), ("dataset", "lines32".into())];
    let numbers = [("lambda", Scalar::Float(0.0)), ("gamma", gamma.into())];
    NewRun::new(&Configuration::new(values.into_iter().chain(numbers)).unwrap(), seed)
}

/// Submits the file, where no run with results may be set aside.
async fn submit(store: &Tested, gammas: &str) -> Submission {
    let use_cases = UseCases::new(store.store.clone(), LeaseTerms::default());
    use_cases.submit(file(gammas), Replacing::WithoutResults).await.unwrap().submission
}

/// Has the first run in the queue report a result.
async fn report(store: &Tested) {
    register(store, "w").await;
    let attempt = claim_one(store, "first").await;
    store.metrics_append(attempt, 1, vec![point("eval/x", 1, 0.5)], 1).await.unwrap();
}

/// The rows of the table: γ, and how many runs there are.
async fn rows(store: &Tested) -> Vec<String> {
    let use_cases = UseCases::new(store.store.clone(), LeaseTerms::default());
    let request = TableRequest {
        group_by: Vec::new(),
        metrics: Vec::new(),
        at: At::Every(Statistic::Last),
        filter: String::new(),
    };
    let tables = use_cases.results(&["s".to_owned()], request).await.unwrap().tables;
    tables[0].rows.iter().map(|row| format!("{} {}", row.group[0].1, row.runs)).collect()
}

async fn a_file_that_an_earlier_version_expanded_sets_no_run_aside(store: &Tested) {
    let earlier = [0, 1].into_iter().flat_map(|seed| [0.1, 0.2, 0.4].map(|gamma| run(gamma, seed)));
    store.sweep_submit(NewSweep::new("s", earlier.collect())).await.unwrap();
    report(store).await;

    let again = submit(store, "[0.1, 0.2, 0.4]").await;
    assert_eq!(
        again,
        Submission { existing_runs: 6, is_stored: true, ..Submission::default() },
        "they are the runs that they were"
    );
    assert_eq!(rows(store).await, ["0.1 2", "0.2 2", "0.4 2"]);

    let smaller = submit(store, "[0.1, 0.2]").await;
    assert_eq!((smaller.new_runs, smaller.existing_runs, smaller.set_aside), (0, 4, 2));
}

async fn the_run_of_one_value_serves_the_values_that_train_the_same(store: &Tested) {
    assert_eq!(submit(store, "[0.4]").await.new_runs, 2);
    report(store).await;

    let larger = submit(store, "[0.1, 0.2, 0.4]").await;
    assert_eq!(larger, Submission { existing_runs: 2, is_stored: true, ..Submission::default() });
    let runs = store.run_list("s", &[]).await.unwrap();
    let gammas: Vec<_> = runs.iter().map(|run| run.configuration.get("gamma").cloned().unwrap()).collect();
    assert_eq!(gammas, [Scalar::Float(0.4), Scalar::Float(0.4)]);
    assert_eq!(rows(store).await, ["0.1 2", "0.2 2", "0.4 2"]);
}
