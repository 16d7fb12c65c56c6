//! Runs that are longer than earlier runs of their sweep go on from these.

use acai_coordinator::store::{
    Artifact, AttemptRef, Checkpoint, Grant, NewRun, NewSweep, RunDetails, Submission,
};
use acai_sweep::configuration::Configuration;
use acai_sweep::run::RunState;
use acai_sweep::scalar::Scalar;

use crate::{LEASE, Tested, claim, contract, point, register, upload};

contract!(
    a_longer_run_goes_on_from_the_end_of_the_shorter_with_the_points_that_it_would_have,
    a_longer_run_goes_on_from_where_the_shorter_one_was_stopped,
    a_run_that_differs_in_more_than_its_length_begins_anew,
);

/// In kimg of 16 steps each, evaluated every 10 steps.
fn configuration(kimg: f64, lambda: f64) -> Configuration {
    let number = Scalar::Float;
    Configuration::new([
        ("model", "acai".into()),
        ("dataset", "lines32".into()),
        ("batch", Scalar::Int(64)),
        ("eval_kimg", number(0.625)),
        ("total_kimg", number(kimg)),
        ("lambda", number(lambda)),
    ])
    .unwrap()
}

async fn submit(store: &Tested, kimg: f64, lambda: f64, seed: u64) -> Submission {
    let run = NewRun::new(&configuration(kimg, lambda), seed);
    store.sweep_submit(NewSweep::new("s", vec![run])).await.unwrap()
}

async fn start(store: &Tested) -> Grant {
    store.run_claim(claim("w", "claim", 1), LEASE).await.unwrap().remove(0)
}

/// Points as a trainer reports them up to step 16, which is the end of 1 kimg, and the files of an end.
async fn train_to_16(store: &Tested, attempt: AttemptRef) {
    let points = vec![
        point("train/loss", 10, 0.5),
        point("eval/mean_distance", 10, 0.2),
        point("train/loss", 16, 0.4),
        point("eval/mean_distance", 16, 0.1),
        point("final/mean_distance", 16, 0.15),
    ];
    store.metrics_append(attempt, 1, points, 16).await.unwrap();
    let sha256 = "a".repeat(64);
    upload(store, &sha256, "tag", 8).await;
    for (name, step) in [("picture.png", 10), ("weights.safetensors", 16)] {
        let artifact = Artifact { name: name.to_owned(), step, sha256: sha256.clone(), bytes: 8 };
        store.artifact_add(attempt, artifact).await.unwrap();
    }
    store.checkpoint_commit(attempt, Checkpoint { step: 16, sha256, bytes: 8 }, 5).await.unwrap();
}

async fn details(store: &Tested, number: u32) -> RunDetails {
    store.run_details("s", number).await.unwrap().unwrap()
}

async fn a_longer_run_goes_on_from_the_end_of_the_shorter_with_the_points_that_it_would_have(store: &Tested) {
    register(store, "w").await;
    assert_eq!(submit(store, 1.0, 0.5, 7).await.lengthened_runs, 0);
    let shorter = start(store).await.attempt;
    train_to_16(store, shorter).await;
    store.attempt_complete(shorter, 16, 5).await.unwrap();

    let submitted = submit(store, 2.0, 0.5, 7).await;
    assert_eq!((submitted.new_runs, submitted.lengthened_runs), (1, 1));
    let longer = start(store).await;
    assert_eq!((longer.attempt.number, longer.checkpoints.len(), longer.checkpoints[0].step), (2, 1, 16));
    assert_eq!(longer.earlier_attempts[0].acked_seq, 2);

    let run = details(store, 1).await;
    assert_eq!((run.run.step, run.run.state), (16, RunState::Running));
    let metrics: Vec<(&str, f64)> =
        run.summaries.iter().map(|(name, summary)| (name.as_str(), summary.last)).collect();
    assert_eq!(metrics, [("eval/mean_distance", 0.2), ("train/loss", 0.5)], "none of what is due at an end");
    let taken_over = &run.attempts[0];
    assert_eq!(taken_over.message.as_deref(), Some("taken over from run 0 of this sweep, at its step 16"));
    let artifacts = store.artifact_list("s", &[1], None, 9).await.unwrap();
    assert_eq!(artifacts.iter().map(|record| record.artifact.step).collect::<Vec<_>>(), [10]);

    let news = vec![point("eval/mean_distance", 20, 0.05), point("final/mean_distance", 32, 0.04)];
    store.metrics_append(longer.attempt, 1, news, 32).await.unwrap();
    store.attempt_complete(longer.attempt, 32, 2).await.unwrap();
    assert_eq!(details(store, 1).await.run.state, RunState::Completed);
    assert_eq!(details(store, 0).await.summaries.len(), 3, "the shorter run is as it was");
}

async fn a_longer_run_goes_on_from_where_the_shorter_one_was_stopped(store: &Tested) {
    register(store, "w").await;
    submit(store, 3.0, 0.5, 7).await;
    let shorter = start(store).await.attempt;
    train_to_16(store, shorter).await;
    store.metrics_append(shorter, 6, vec![point("train/loss", 20, 0.3)], 20).await.unwrap();
    store.attempt_release(shorter).await.unwrap();

    assert_eq!(submit(store, 4.0, 0.5, 7).await.lengthened_runs, 1);
    let longer = start(store).await;
    assert_eq!(longer.earlier_attempts[0].acked_seq, 5, "all points up to the checkpoint, none after it");
    assert_eq!(details(store, 1).await.summaries["train/loss"].last.to_bits(), 0.4f64.to_bits());
    let artifacts = store.artifact_list("s", &[1], None, 9).await.unwrap();
    assert_eq!(artifacts.len(), 2);
}

async fn a_run_that_differs_in_more_than_its_length_begins_anew(store: &Tested) {
    register(store, "w").await;
    submit(store, 1.0, 0.5, 7).await;
    let shorter = start(store).await.attempt;
    train_to_16(store, shorter).await;
    store.attempt_complete(shorter, 16, 5).await.unwrap();
    for (kimg, lambda, seed) in [(2.0, 0.4, 7), (2.0, 0.5, 8), (0.5, 0.5, 7)] {
        assert_eq!(submit(store, kimg, lambda, seed).await.lengthened_runs, 0);
        let grant = start(store).await;
        assert_eq!((grant.attempt.number, grant.checkpoints.len()), (1, 0), "{kimg} {lambda} {seed}");
        store.attempt_release(grant.attempt).await.unwrap();
    }
}
