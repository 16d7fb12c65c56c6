//! The coordinator's database, as the weather has it: it may be away for a while.

use std::any::Any;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use acai_access::Authority;
use acai_coordinator::store::memory::MemoryStore;
use acai_coordinator::store::{
    Artifact, ArtifactPlace, ArtifactRecord, AttemptRef, BlobFile, Changes, Checkpoint, Claim, CurveRun,
    Demand, Duty, EventRecord, Explanation, Grant, ImportedRun, Mishap, NewSweep, NewToken, Overview, Place,
    Point, PointOfRun, Registration, Renewal, Rest, Result, RunDetails, RunId, RunRecord, Store, StoreError,
    StoredFile, Submission, Submitter, SweepRecord, TokenRecord, Weight, WorkerRecord,
};
use acai_sweep::control::Intent;
use acai_sweep::results::RunResult;
use acai_sweep::run::RunState;
use async_trait::async_trait;

use crate::journal::Journal;
use crate::system::elapsed;

/// An outage is long if renewals fell into it.
const GAP: Duration = Duration::from_secs(11);
/// The term of a lease, less what a look for ended ones may be late.
const TERM: Duration = Duration::from_secs(29);

/// How a database that is away fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outage {
    /// It does nothing.
    Refuses,
    /// It does what it is asked, but its answer is lost.
    LosesAnswers,
}

/// A store that can be away.
#[derive(Debug)]
pub(crate) struct Weather {
    store: Arc<MemoryStore>,
    journal: Journal,
    outage: Mutex<Option<Outage>>,
    /// When the last long outage began and ended.
    away: Mutex<(Duration, Duration)>,
}

impl Weather {
    pub(crate) fn new(store: Arc<MemoryStore>, journal: Journal) -> Weather {
        Weather { store, journal, outage: Mutex::default(), away: Mutex::default() }
    }

    /// From now on it is away so, or there again.
    pub(crate) fn set(&self, outage: Option<Outage>) {
        let before = std::mem::replace(&mut *self.outage(), outage);
        let mut away = self.away.lock().unwrap_or_else(PoisonError::into_inner);
        if before.is_none() {
            away.0 = elapsed();
        } else if outage.is_none() && elapsed() - away.0 > GAP {
            away.1 = elapsed();
        }
    }

    /// A coordinator starts: it gives leases fresh terms, but not for ever, and knows of no outage before.
    pub(crate) fn coordinator_starts(&self) {
        *self.away.lock().unwrap_or_else(PoisonError::into_inner) = (elapsed(), Duration::ZERO);
    }

    fn outage(&self) -> MutexGuard<'_, Option<Outage>> {
        self.outage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at an answer that names leases which have ended: none does within a term after the database was away, when
    /// nobody could renew any.
    fn judge(&self, answer: &dyn Any) {
        let ended = self.away.lock().unwrap_or_else(PoisonError::into_inner).1;
        let names_any = answer.downcast_ref::<Vec<AttemptRef>>().is_some_and(|leases| !leases.is_empty());
        if names_any && !ended.is_zero() && elapsed() < ended + TERM {
            self.journal.violates("a lease ended although its worker could not renew it".to_owned());
        }
    }

    fn fails_with(&self, outage: Outage) -> Result<()> {
        match *self.outage() {
            Some(now) if now == outage => Err(StoreError::Unavailable(format!("simulated: {outage:?}"))),
            _ => Ok(()),
        }
    }
}

/// Each method as the store has it, unless that is away.
macro_rules! passed_on {
    ($($method:ident($($argument:ident: $of:ty),*) -> $answer:ty;)*) => {
        #[async_trait]
        impl Store for Weather {
            $(
                async fn $method(&self, $($argument: $of),*) -> Result<$answer> {
                    self.journal.counts("store", stringify!($method));
                    self.fails_with(Outage::Refuses)?;
                    let answer = self.store.$method($($argument),*).await?;
                    self.judge(&answer);
                    self.fails_with(Outage::LosesAnswers)?;
                    Ok(answer)
                }
            )*

            async fn broken(&self) -> StoreError {
                self.store.broken().await
            }

            /// The database outlives its coordinators.
            async fn close(&self) {}
        }
    };
}

passed_on! {
    now_ms() -> i64;
    sweep_submit(sweep: NewSweep) -> Submission;
    sweep_import(sweep: NewSweep, runs: Vec<ImportedRun>) -> bool;
    sweep_list() -> Vec<Overview>;
    sweep_fetch(name: &str) -> Option<SweepRecord>;
    sweep_file(name: &str) -> Option<StoredFile>;
    sweep_weigh(name: &str) -> Option<Weight>;
    sweep_forget(name: &str) -> bool;
    sweep_set_limits(name: &str, priority: Option<i64>, max_concurrent: Option<u32>) -> bool;
    runs_change(sweep: &str, numbers: Vec<u32>, intent: Intent) -> Option<Changes>;
    run_list(sweep: &str, states: &[RunState], from: u32, most: u32) -> Vec<RunRecord>;
    set_aside_list(sweep: &str, states: &[RunState], from: u32, most: u32) -> Vec<RunRecord>;
    run_details(sweep: &str, number: u32) -> Option<RunDetails>;
    run_name(run: RunId) -> Option<String>;
    run_explain(sweep: &str, number: u32, silent_ms: i64) -> Option<Explanation>;
    failure_list(sweep: &str, most: u32) -> Vec<RunRecord>;
    result_list(sweep: &str) -> Vec<RunResult>;
    run_numbers(sweep: &str, numbers: &[u32]) -> Vec<u32>;
    result_list_at_best(sweep: &str, metrics: &[(String, i8)]) -> Vec<RunResult>;
    result_list_at_end(sweep: &str) -> Vec<RunResult>;
    result_list_at_step(sweep: &str, step: u64) -> Vec<RunResult>;
    curve_runs(sweep: &str, numbers: &[u32], metric: &str, range: (u32, u32)) -> Vec<CurveRun>;
    point_list(runs: &[(RunId, u64)], metric: &str, most: usize) -> Vec<PointOfRun>;
    metric_list(sweep: &str) -> Vec<String>;
    event_list(sweep: &str, after: Place, most: u32) -> Vec<EventRecord>;
    event_forget(before_ms: i64) -> u64;
    worker_register(worker: Registration) -> String;
    worker_leave(worker: &str) -> ();
    worker_list(since_ms: i64, after: &str, most: u32) -> Vec<WorkerRecord>;
    demand() -> Demand;
    worker_forget(before_ms: i64) -> u64;
    worker_set_duty(name: &str, duty: Duty) -> Option<u32>;
    worker_set_rest(worker: &str, rest: Rest) -> ();
    run_claim(claim: Claim, term_ms: i64) -> Vec<Grant>;
    lease_renew(worker: &str, attempts: Vec<AttemptRef>, term_ms: i64) -> Renewal;
    probe() -> i64;
    lease_expire(before_ms: i64) -> Vec<AttemptRef>;
    lease_grant_fresh_terms(term_ms: i64) -> u64;
    attempt_check(attempt: AttemptRef) -> ();
    metrics_append(attempt: AttemptRef, first_seq: u64, points: Vec<Point>, step: u64) -> u64;
    attempt_complete(attempt: AttemptRef, step: u64, last_seq: u64) -> ();
    attempt_fail(attempt: AttemptRef, diverged: bool, message: String, last_seq: u64) -> RunState;
    attempt_release(attempt: AttemptRef) -> RunState;
    attempt_release_after(attempt: AttemptRef, mishap: Mishap) -> RunState;
    attempt_note(attempt: AttemptRef, message: String) -> ();
    checkpoint_commit(attempt: AttemptRef, checkpoint: Checkpoint, last_seq: u64) -> ();
    checkpoint_step(run: RunId) -> u64;
    checkpoint_reject(attempt: AttemptRef, sha256: String, reason: String) -> ();
    attempt_check_latest(attempt: AttemptRef) -> ();
    artifact_add(attempt: AttemptRef, artifact: Artifact) -> ();
    artifact_list(sweep: &str, numbers: &[u32], after: Option<&ArtifactPlace>, most: u32) -> Vec<ArtifactRecord>;
    blob_begin(file: BlobFile) -> ();
    upload_announce(who: Submitter, sha256: &str, bytes: u64, kept_ms: i64) -> ();
    blob_abandon(file: BlobFile) -> ();
    blob_add(file: BlobFile, bytes: u64, gone: Option<BlobFile>) -> Option<BlobFile>;
    blob_find(sha256: &str) -> Option<(BlobFile, u64)>;
    blob_use(sha256: &str) -> Option<(BlobFile, u64)>;
    blob_condemn(file: BlobFile) -> bool;
    blob_collect(unused_ms: i64, abandoned_ms: i64) -> Vec<BlobFile>;
    blob_files() -> Vec<BlobFile>;
    blobs_place() -> Option<String>;
    blobs_set_place(place: &str) -> ();
    token_add(token: NewToken) -> TokenRecord;
    token_find(id: &str) -> Option<TokenRecord>;
    token_list() -> Vec<TokenRecord>;
    token_revoke(id: &str) -> bool;
    token_used(id: &str) -> ();
    authority(fresh: Authority) -> Authority;
    authority_list() -> Vec<Authority>;
    authority_prepare(fresh: Authority) -> bool;
    authority_exchange() -> bool;
    identity() -> (String, String);
}
