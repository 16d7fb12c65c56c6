//! The coordinator's database, as the weather has it: it may be away for a while, or be put back to what it was before. What it
//! answers is held against what it has promised.

use std::future::Future;
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
use crate::ledger::Ledger;
use crate::system::elapsed;

/// An outage is long if renewals fell into it.
const GAP: Duration = Duration::from_secs(11);
/// The term of a lease, less what a look for ended ones may be late.
const TERM: Duration = Duration::from_secs(29);

/// A worker to which nothing has happened for so long has renewed its leases: a term, and as long as renewals and the look for
/// ended leases may be late.
const UNDISTURBED: Duration = Duration::from_secs(60);

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
    store: Mutex<Promised>,
    backup: Mutex<Option<Promised>>,
    journal: Journal,
    outage: Mutex<Option<Outage>>,
    /// When the last long outage began and ended.
    away: Mutex<(Duration, Duration)>,
}

/// A store, and what it has promised.
#[derive(Debug, Clone)]
struct Promised {
    store: Arc<MemoryStore>,
    ledger: Ledger,
}

impl Weather {
    pub(crate) fn new(store: MemoryStore, journal: Journal) -> Weather {
        let store = Mutex::new(Promised { store: Arc::new(store), ledger: Ledger::default() });
        Weather { store, backup: Mutex::default(), journal, outage: Mutex::default(), away: Mutex::default() }
    }

    /// The store as it is now.
    pub(crate) fn store(&self) -> Arc<MemoryStore> {
        Arc::clone(&self.promised().store)
    }

    fn promised(&self) -> MutexGuard<'_, Promised> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a backup.
    pub(crate) fn back_up(&self) {
        let Promised { store, ledger } = self.promised().clone();
        let backup = Promised { store: Arc::new(store.copy()), ledger };
        *self.backup.lock().unwrap_or_else(PoisonError::into_inner) = Some(backup);
    }

    /// Puts the last backup in the place of the store. No coordinator runs meanwhile.
    pub(crate) fn restore(&self) {
        if let Some(backup) = self.backup.lock().unwrap_or_else(PoisonError::into_inner).take() {
            *self.promised() = backup;
        }
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

    /// Looks at leases that have ended: none does within a term after the database was away, when nobody could renew any.
    fn judge(&self, leases: &[AttemptRef]) {
        let ended = self.away.lock().unwrap_or_else(PoisonError::into_inner).1;
        if !leases.is_empty() && !ended.is_zero() && elapsed() < ended + TERM {
            self.journal.violates("a lease ended although its worker could not renew it".to_owned());
        }
    }

    /// Answers as the store does, unless that is away. `promises` is told of the answer, also of one that is lost.
    async fn answer<T>(
        &self,
        method: &'static str,
        answer: impl Future<Output = Result<T>>,
        promises: impl FnOnce(&mut Ledger, &Result<T>) -> Kept,
    ) -> Result<T> {
        self.journal.counts("store", method);
        self.fails_with(Outage::Refuses)?;
        let answer = answer.await;
        if let Err(broken) = promises(&mut self.promised().ledger, &answer) {
            self.journal.violates(broken);
        }
        self.fails_with(Outage::LosesAnswers)?;
        answer
    }

    /// The store's time in so many milliseconds.
    async fn in_ms(&self, term_ms: i64) -> Result<i64> {
        Ok(self.store().now_ms().await?.saturating_add(term_ms))
    }

    fn fails_with(&self, outage: Outage) -> Result<()> {
        match *self.outage() {
            Some(now) if now == outage => Err(StoreError::Unavailable(format!("simulated: {outage:?}"))),
            _ => Ok(()),
        }
    }
}

/// Whether promises are kept; or which is broken.
type Kept = std::result::Result<(), String>;

fn writes<T>(attempt: AttemptRef, what: &str) -> impl FnOnce(&mut Ledger, &Result<T>) -> Kept + use<'_, T> {
    move |ledger, answer| match answer {
        Ok(_) => ledger.writes(attempt, what),
        Err(StoreError::Fenced(_)) => ledger.is_dead(attempt),
        Err(_) => Ok(()),
    }
}

fn ends<T>(attempt: AttemptRef, how: &'static str) -> impl FnOnce(&mut Ledger, &Result<T>) -> Kept {
    move |ledger, answer| match answer {
        Ok(_) => ledger.ends(attempt, how),
        Err(StoreError::Fenced(_)) => ledger.may_not_end(attempt, how),
        Err(_) => Ok(()),
    }
}

/// The methods that are written out, and each other one as the store has it, unless that is away.
macro_rules! store {
    ({ $($written_out:tt)* } $($method:ident($($argument:ident: $of:ty),*) -> $answer:ty;)*) => {
        #[async_trait]
        impl Store for Weather {
            $($written_out)*

            $(
                async fn $method(&self, $($argument: $of),*) -> Result<$answer> {
                    let store = self.store();
                    self.answer(stringify!($method), store.$method($($argument),*), |_, _| Ok(())).await
                }
            )*

            async fn broken(&self) -> StoreError {
                self.store().broken().await
            }

            /// The database outlives its coordinators.
            async fn close(&self) {}
        }
    };
}

store! {
    {
        async fn worker_register(&self, worker: Registration) -> Result<String> {
            let (store, registered) = (self.store(), worker.clone());
            let registers = |ledger: &mut Ledger, answer: &Result<String>| {
                if answer.is_ok() {
                    ledger.registers(&registered);
                }
                Ok(())
            };
            self.answer("worker_register", store.worker_register(worker), registers).await
        }

        async fn run_claim(&self, claim: Claim, term_ms: i64) -> Result<Vec<Grant>> {
            let (store, asked, until_ms) = (self.store(), claim.clone(), self.in_ms(term_ms).await?);
            let claims = |ledger: &mut Ledger, answer: &Result<Vec<Grant>>| match answer {
                Ok(grants) => ledger.claims(&asked, grants, until_ms),
                Err(_) => Ok(()),
            };
            self.answer("run_claim", store.run_claim(claim, term_ms), claims).await
        }

        async fn lease_renew(&self, worker: &str, attempts: Vec<AttemptRef>, term_ms: i64) -> Result<Renewal> {
            let (store, asked, until_ms) = (self.store(), attempts.clone(), self.in_ms(term_ms).await?);
            let renews = |ledger: &mut Ledger, answer: &Result<Renewal>| match answer {
                Ok(renewal) => ledger.renews(worker, &asked, renewal, until_ms),
                Err(_) => Ok(()),
            };
            self.answer("lease_renew", store.lease_renew(worker, attempts, term_ms), renews).await
        }

        async fn lease_grant_fresh_terms(&self, term_ms: i64) -> Result<u64> {
            let (store, until_ms) = (self.store(), self.in_ms(term_ms).await?);
            let freshens = |ledger: &mut Ledger, answer: &Result<u64>| {
                if answer.is_ok() {
                    ledger.freshens(until_ms);
                }
                Ok(())
            };
            self.answer("lease_grant_fresh_terms", store.lease_grant_fresh_terms(term_ms), freshens).await
        }

        async fn lease_expire(&self, before_ms: i64) -> Result<Vec<AttemptRef>> {
            let store = self.store();
            let expires = |ledger: &mut Ledger, answer: &Result<Vec<AttemptRef>>| {
                let Ok(lost) = answer else { return Ok(()) };
                self.judge(lost);
                for machine in ledger.expires(before_ms, lost)? {
                    if self.journal.is_undisturbed(&machine, UNDISTURBED) {
                        return Err(format!("{machine} lost a run although nothing had happened to it"));
                    }
                }
                Ok(())
            };
            self.answer("lease_expire", store.lease_expire(before_ms), expires).await
        }

        async fn metrics_append(
            &self,
            attempt: AttemptRef,
            first_seq: u64,
            points: Vec<Point>,
            step: u64,
        ) -> Result<u64> {
            let (store, writes) = (self.store(), writes(attempt, "points"));
            self.answer("metrics_append", store.metrics_append(attempt, first_seq, points, step), writes).await
        }

        async fn checkpoint_commit(&self, attempt: AttemptRef, new: Checkpoint, last_seq: u64) -> Result<()> {
            let (store, writes) = (self.store(), writes(attempt, "checkpoints"));
            self.answer("checkpoint_commit", store.checkpoint_commit(attempt, new, last_seq), writes).await
        }

        async fn attempt_complete(&self, attempt: AttemptRef, step: u64, last_seq: u64) -> Result<()> {
            let (store, ends) = (self.store(), ends(attempt, "completed"));
            self.answer("attempt_complete", store.attempt_complete(attempt, step, last_seq), ends).await
        }

        async fn attempt_fail(
            &self,
            attempt: AttemptRef,
            diverged: bool,
            message: String,
            last_seq: u64,
        ) -> Result<RunState> {
            let (store, ends) = (self.store(), ends(attempt, if diverged { "diverged" } else { "failed" }));
            self.answer("attempt_fail", store.attempt_fail(attempt, diverged, message, last_seq), ends).await
        }

        async fn attempt_release(&self, attempt: AttemptRef) -> Result<RunState> {
            let (store, ends) = (self.store(), ends(attempt, "released"));
            self.answer("attempt_release", store.attempt_release(attempt), ends).await
        }

        async fn attempt_release_after(&self, attempt: AttemptRef, mishap: Mishap) -> Result<RunState> {
            let (store, ends) = (self.store(), ends(attempt, "released"));
            self.answer("attempt_release_after", store.attempt_release_after(attempt, mishap), ends).await
        }
    }

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
    worker_leave(worker: &str) -> ();
    worker_list(since_ms: i64, after: &str, most: u32) -> Vec<WorkerRecord>;
    demand() -> Demand;
    worker_forget(before_ms: i64) -> u64;
    worker_set_duty(name: &str, duty: Duty) -> Option<u32>;
    worker_set_rest(worker: &str, rest: Rest) -> ();
    probe() -> i64;
    attempt_check(attempt: AttemptRef) -> ();
    attempt_note(attempt: AttemptRef, message: String) -> ();
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
