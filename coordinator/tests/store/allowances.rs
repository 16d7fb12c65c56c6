//! How much the bearers of one token may have.

use std::sync::Arc;

use acai_access::{Scope, Token};
use acai_coordinator::store::{
    Allowance, Artifact, Checkpoint, Excess, ImportedRun, Limited, NewSweep, NewToken, Replacing, StoreError,
    Submitter,
};
use acai_sweep::run::RunState;
use tokio::task::JoinSet;

use crate::{Tested, claim_one, contract, register, sweep, upload};

contract!(
    a_submission_that_would_be_too_much_changes_nothing_and_says_how_much_there_is,
    who_has_too_much_may_have_less_and_then_more_again,
    of_submissions_at_the_same_time_no_more_are_taken_than_may_be,
    a_sweep_is_whose_who_submitted_it_last,
    who_has_all_the_bytes_that_may_be_submits_nothing_more,
    an_import_is_counted_with_its_runs_and_its_files,
    uploads_that_no_import_names_are_counted_for_a_while,
    a_sweep_tells_who_submitted_it_last,
);

const KEPT: i64 = 1000;

/// The bearer of a token that the store knows.
async fn bearer(store: &Tested, allowance: Allowance) -> Submitter {
    let token = Token::new(Scope::Submit);
    let (id, name) = (token.id().to_owned(), "lab".to_owned());
    let new =
        NewToken { id, name: name.clone(), scope: Scope::Submit, digest: token.digest(), valid_ms: None };
    store.token_add(new).await.unwrap();
    Submitter { token: token.id().to_owned(), name, allowance }
}

fn sweeps(most: u64) -> Allowance {
    Allowance { sweeps: Some(most), ..Allowance::UNLIMITED }
}

/// Two runs for each λ.
fn of(who: &Submitter, name: &str, lambdas: &[f64]) -> NewSweep {
    NewSweep { submitter: Some(who.clone()), ..sweep(name, lambdas) }
}

#[track_caller]
fn excess<T: std::fmt::Debug>(refused: Result<T, StoreError>) -> Excess {
    match refused {
        Err(StoreError::OverLimit(excess)) => *excess,
        other => panic!("{other:?}"),
    }
}

async fn names(store: &Tested) -> Vec<String> {
    let mut names: Vec<_> = store.sweep_list().await.unwrap().into_iter().map(|sweep| sweep.name).collect();
    names.sort();
    names
}

async fn a_sweep_tells_who_submitted_it_last(store: &Tested) {
    let submitter = async || {
        let record = store.sweep_fetch("a").await.unwrap().unwrap();
        let listed = store.sweep_list().await.unwrap().swap_remove(0);
        assert_eq!(listed.submitter, record.overview.submitter);
        listed.submitter.map(|who| (who.token, who.name))
    };
    store.sweep_submit(sweep("a", &[0.1])).await.unwrap();
    assert_eq!(submitter().await, None, "nobody needed a token");
    let who = bearer(store, Allowance::UNLIMITED).await;
    store.sweep_submit(of(&who, "a", &[0.1])).await.unwrap();
    assert_eq!(submitter().await, Some((who.token.clone(), "lab".to_owned())));
    let unknown = Submitter { token: "gone".to_owned(), ..who };
    store.sweep_submit(of(&unknown, "a", &[0.1])).await.unwrap();
    assert_eq!(submitter().await, Some(("gone".to_owned(), String::new())));
}

async fn a_submission_that_would_be_too_much_changes_nothing_and_says_how_much_there_is(store: &Tested) {
    let who = bearer(store, Allowance { runs: Some(5), ..sweeps(2) }).await;
    store.sweep_submit(of(&who, "a", &[0.1])).await.unwrap();
    let refused = excess(store.sweep_submit(of(&who, "b", &[0.1, 0.5])).await);
    assert_eq!((refused.of, refused.has, refused.would_have, refused.most), (Limited::Runs, 2, 6, 5));
    let text = refused.to_string();
    let expected = format!("too many runs of the token {} (lab): 2 now, 6 with this, 5 allowed", who.token);
    assert!(text.starts_with(&expected) && text.contains("acai forget"), "{text}");
    let dry = NewSweep { replacing: Replacing::DryRun, ..of(&who, "b", &[0.1, 0.5]) };
    assert_eq!(excess(store.sweep_submit(dry).await), refused, "it would be refused");
    assert_eq!(names(store).await, ["a"]);

    store.sweep_submit(of(&who, "b", &[0.1])).await.unwrap();
    let refused = excess(store.sweep_submit(of(&who, "c", &[])).await);
    assert_eq!((refused.of, refused.has, refused.would_have, refused.most), (Limited::Sweeps, 2, 3, 2));
    let other = bearer(store, sweeps(1)).await;
    store.sweep_submit(of(&other, "c", &[0.1])).await.unwrap();
    store.sweep_submit(sweep("nobody's", &[0.1, 0.2, 0.3])).await.unwrap();
}

async fn who_has_too_much_may_have_less_and_then_more_again(store: &Tested) {
    let generous = bearer(store, Allowance::UNLIMITED).await;
    store.sweep_submit(of(&generous, "a", &[0.1, 0.5])).await.unwrap();
    store.sweep_submit(of(&generous, "b", &[0.1])).await.unwrap();
    // As after a coordinator's start with another limit.
    let who = Submitter { allowance: Allowance { runs: Some(3), ..sweeps(1) }, ..generous };
    store.sweep_submit(of(&who, "a", &[0.1])).await.unwrap();
    assert_eq!(excess(store.sweep_submit(of(&who, "a", &[0.1, 0.9])).await).of, Limited::Runs);
    store.sweep_forget("a").await.unwrap();
    assert_eq!(excess(store.sweep_submit(of(&who, "c", &[])).await).of, Limited::Sweeps);
    store.sweep_forget("b").await.unwrap();
    store.sweep_submit(of(&who, "c", &[0.1])).await.unwrap();
}

async fn of_submissions_at_the_same_time_no_more_are_taken_than_may_be(store: &Tested) {
    let who = bearer(store, sweeps(3)).await;
    let mut submissions = JoinSet::new();
    for number in 0..12 {
        let (store, sweep) = (Arc::clone(&store.store), of(&who, &format!("s{number}"), &[0.1]));
        submissions.spawn(async move { store.sweep_submit(sweep).await });
    }
    let answers = submissions.join_all().await;
    let (taken, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!((taken.len(), refused.len()), (3, 9));
    refused.into_iter().for_each(|refused| assert_eq!(excess(refused).of, Limited::Sweeps));
    assert_eq!(names(store).await.len(), 3);
}

async fn a_sweep_is_whose_who_submitted_it_last(store: &Tested) {
    let (first, second) = (bearer(store, sweeps(1)).await, bearer(store, sweeps(1)).await);
    store.sweep_submit(of(&first, "a", &[0.1])).await.unwrap();
    store.sweep_submit(of(&second, "a", &[0.1, 0.5])).await.unwrap();
    assert_eq!(excess(store.sweep_submit(of(&second, "b", &[0.1])).await).has, 1);
    store.sweep_submit(of(&first, "b", &[0.1])).await.unwrap();
    assert_eq!(excess(store.sweep_submit(of(&first, "a", &[0.1])).await).would_have, 2);
}

async fn who_has_all_the_bytes_that_may_be_submits_nothing_more(store: &Tested) {
    let who = bearer(store, Allowance { bytes: Some(1000), ..Allowance::UNLIMITED }).await;
    store.sweep_submit(of(&who, "s", &[0.5])).await.unwrap();
    register(store, "w").await;
    let attempt = claim_one(store, "c").await;
    for (step, bytes) in [(10, 600), (20, 400)] {
        let sha256 = format!("{step:064}");
        upload(store, &sha256, "tag", bytes).await;
        store.sweep_submit(of(&who, "more", &[0.5])).await.unwrap();
        store.checkpoint_commit(attempt, Checkpoint { step, sha256, bytes }, 0).await.unwrap();
    }
    let refused = excess(store.sweep_submit(of(&who, "s", &[0.5, 0.6])).await);
    assert_eq!((refused.of, refused.has, refused.most), (Limited::Bytes, 1000, 1000));
    // What is being trained goes on.
    let sha256 = "e".repeat(64);
    upload(store, &sha256, "tag", 900).await;
    store.checkpoint_commit(attempt, Checkpoint { step: 30, sha256, bytes: 900 }, 0).await.unwrap();
    assert_eq!(excess(store.sweep_submit(of(&who, "t", &[])).await).has, 1300);
}

/// A sweep with one run that has ended, and left a file of so many bytes.
fn ended(who: &Submitter, name: &str, sha256: &str, bytes: u64) -> (NewSweep, Vec<ImportedRun>) {
    let new = of(who, name, &[0.1]);
    let picture = Artifact { name: "a.png".to_owned(), step: 8, sha256: sha256.to_owned(), bytes };
    let run = ImportedRun {
        config_hash: new.runs[0].configuration.config_hash.clone(),
        seed: new.runs[0].seed,
        state: RunState::Completed,
        step: new.runs[0].total_steps,
        failures: 0,
        message: None,
        curves: Vec::new(),
        artifacts: vec![(picture, 1)],
    };
    (new, vec![run])
}

async fn an_import_is_counted_with_its_runs_and_its_files(store: &Tested) {
    let who = bearer(store, Allowance { bytes: Some(1000), runs: Some(4), sweeps: None }).await;
    let digests: Vec<String> = (0..3).map(|number| format!("{number:064}")).collect();
    for sha256 in &digests {
        upload(store, sha256, "tag", 700).await;
    }
    let (new, runs) = ended(&who, "a", &digests[0], 700);
    assert!(store.sweep_import(new, runs).await.unwrap());
    let (new, runs) = ended(&who, "b", &digests[1], 700);
    let refused = excess(store.sweep_import(new, runs).await);
    assert_eq!((refused.of, refused.has, refused.would_have), (Limited::Bytes, 700, 1400));
    store.sweep_submit(of(&who, "c", &[0.1])).await.unwrap();
    let (new, _) = ended(&who, "d", &digests[2], 700);
    assert_eq!(excess(store.sweep_import(new, Vec::new()).await).of, Limited::Runs);
    assert_eq!(names(store).await, ["a", "c"]);
}

async fn uploads_that_no_import_names_are_counted_for_a_while(store: &Tested) {
    let who = bearer(store, Allowance { bytes: Some(1000), ..Allowance::UNLIMITED }).await;
    let announce = async |sha256: &str, bytes| store.upload_announce(who.clone(), sha256, bytes, KEPT).await;
    announce("a", 600).await.unwrap();
    announce("a", 600).await.unwrap();
    assert_eq!(excess(announce("b", 500).await).would_have, 1100);
    announce("b", 400).await.unwrap();
    // What is imported is among the sweep's bytes instead.
    upload(store, "a", "tag", 600).await;
    let (new, runs) = ended(&who, "s", "a", 600);
    assert!(store.sweep_import(new, runs).await.unwrap());
    announce("c", 600).await.unwrap();
    assert_eq!(excess(announce("d", 1).await).has, 1000);
    store.clock.set(KEPT + 1);
    announce("d", 900).await.unwrap();
    let other = bearer(store, who.allowance).await;
    store.upload_announce(other, "d", 900, KEPT).await.unwrap();
}
