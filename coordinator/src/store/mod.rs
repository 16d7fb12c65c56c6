//! What the coordinator remembers, behind one object-safe trait.
//!
//! A method is a business step and one transaction. An acknowledged write is durable. Everything
//! a worker writes first proves, in its own statement, that the attempt still holds the run.

mod error;
pub mod memory;
mod migrations;
mod outcome;
pub mod postgres;
mod records;
mod rules;
pub mod sqlite;
pub(crate) mod url;

use std::sync::Arc;

use acai_access::Authority;
use acai_sweep::control::Intent;
use acai_sweep::results::RunResult;
use acai_sweep::run::RunState;
use async_trait::async_trait;

use crate::clock::Clock;
use memory::MemoryStore;
use postgres::PostgresStore;
use sqlite::SqliteStore;

pub use error::{OpenError, StoreError};
pub use records::{
    Allowance, Artifact, ArtifactPlace, ArtifactRecord, AttemptRecord, AttemptRef, Bearer, BlobFile, Changes,
    Checkpoint, Claim, CurveRun, Demand, Duty, EarlierAttempt, EventRecord, Excess, Explanation, Grant,
    ImportedRun, Joins, Limited, Mishap, NewRun, NewSweep, NewToken, Overview, Place, PlannedConfiguration,
    Point, PointOfRun, Registration, Renewal, Replacing, Rest, RunDetails, RunId, RunRecord,
    StoredCheckpoint, StoredFile, Submission, Submitter, SweepRecord, TokenRecord, Weight, WorkerRecord,
};
pub use url::DatabaseUrl;

pub(crate) use records::SweepId;

/// How many events of each run stay, however old they are.
pub const EVENTS_KEPT: u32 = 200;

/// Result of a store method.
pub type Result<T> = std::result::Result<T, StoreError>;

/// Opens the store that a database URL names: `sqlite:FILE`, `postgres://USER@HOST/DATABASE`, or `memory:`.
///
/// # Errors
/// [`OpenError`], and nothing has changed.
pub async fn open(url: &DatabaseUrl) -> std::result::Result<Arc<dyn Store>, OpenError> {
    if url.is_memory() {
        return Ok(Arc::new(MemoryStore::new(Clock::start())));
    }
    if url.is_postgres() {
        return Ok(Arc::new(PostgresStore::open(url.with_password(), None).await?));
    }
    Ok(Arc::new(SqliteStore::open(&SqliteStore::path_of_url(url)?, Clock::start()).await?))
}

/// Sweeps, runs, attempts, metrics, checkpoints and workers.
///
/// The store has the one clock that leases are judged by. Every method gives a call that is repeated its first answer,
/// or one that means the same: a caller that lost an answer just calls again.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Unix milliseconds by the store's clock.
    async fn now_ms(&self) -> Result<i64>;

    /// Adds the sweep or, under a known name, replaces its file: queues runs that are missing,
    /// sets aside those that the new plan lacks, changes no run that it keeps. Or none of that, as
    /// [`NewSweep::replacing`] says, or because its submitter would have too much.
    async fn sweep_submit(&self, sweep: NewSweep) -> Result<Submission>;

    /// Adds a sweep that comes from elsewhere, with what some of its runs have come to; false, and nothing has changed, if
    /// there is one of that name.
    async fn sweep_import(&self, sweep: NewSweep, runs: Vec<ImportedRun>) -> Result<bool>;

    /// Every sweep with its progress, newest first.
    async fn sweep_list(&self) -> Result<Vec<Overview>>;

    /// One sweep, with the file it was submitted as.
    async fn sweep_fetch(&self, name: &str) -> Result<Option<SweepRecord>>;

    /// The file of a sweep, without looking at its runs.
    async fn sweep_file(&self, name: &str) -> Result<Option<StoredFile>>;

    /// What a sweep has, in its plan and set aside.
    async fn sweep_weigh(&self, name: &str) -> Result<Option<Weight>>;

    /// Deletes a sweep with all that it has, in steps: whoever asks again goes on from there. False if there is no such
    /// sweep; refused while runs of it are held.
    async fn sweep_forget(&self, name: &str) -> Result<bool>;

    /// Changes a sweep's priority, and how many of its runs may run at a time (0: no limit); false if there is none.
    async fn sweep_set_limits(
        &self,
        name: &str,
        priority: Option<i64>,
        max_concurrent: Option<u32>,
    ) -> Result<bool>;

    /// Applies what a person wants to the runs of these numbers in the sweep's plan, or to all of it if there are none;
    /// `None` if there is no such sweep.
    async fn runs_change(&self, sweep: &str, numbers: Vec<u32>, intent: Intent) -> Result<Option<Changes>>;

    /// The runs in the sweep's plan from place `from` on, in its order, at most `most` of them; of all states if `states` is
    /// empty.
    async fn run_list(
        &self,
        sweep: &str,
        states: &[RunState],
        from: u32,
        most: u32,
    ) -> Result<Vec<RunRecord>>;

    /// The runs of the sweep that are not in its plan any more, from number `from` on, in the order of their numbers, at most
    /// `most` of them; of all states if `states` is empty.
    async fn set_aside_list(
        &self,
        sweep: &str,
        states: &[RunState],
        from: u32,
        most: u32,
    ) -> Result<Vec<RunRecord>>;

    /// The run of this number in the sweep, in its plan or set aside, with all that is known of it.
    async fn run_details(&self, sweep: &str, number: u32) -> Result<Option<RunDetails>>;

    /// What people call a run, `SWEEP/NUMBER`; `None` if there is none of this id.
    async fn run_name(&self, run: RunId) -> Result<Option<String>>;

    /// What decides whether run `number` of the sweep is trained; workers that were silent for
    /// `silent_ms` count as gone.
    async fn run_explain(&self, sweep: &str, number: u32, silent_ms: i64) -> Result<Option<Explanation>>;

    /// The runs in the sweep's plan that ended badly, or failed and go on; the first `most` in its order.
    async fn failure_list(&self, sweep: &str, most: u32) -> Result<Vec<RunRecord>>;

    /// The runs in the sweep's plan, in its order, those that are completed with the summaries of their metrics.
    async fn result_list(&self, sweep: &str) -> Result<Vec<RunResult>>;

    /// Those of these numbers that runs of the sweep have, in order; of runs that were set aside too.
    async fn run_numbers(&self, sweep: &str, numbers: &[u32]) -> Result<Vec<u32>>;

    /// As [`result_list`](Self::result_list), but all runs, with the values that each run's metrics have at one step: where the first of
    /// these metrics that the run has is best. A metric comes with 1 if small values are better, or else with -1.
    async fn result_list_at_best(&self, sweep: &str, metrics: &[(String, i8)]) -> Result<Vec<RunResult>>;

    /// As [`result_list`](Self::result_list), but all runs, with the values of the metrics that have one at the run's last step.
    async fn result_list_at_end(&self, sweep: &str) -> Result<Vec<RunResult>>;

    /// As [`result_list`](Self::result_list), but all runs, with the values at the largest step up to this one that each metric has one at.
    async fn result_list_at_step(&self, sweep: &str, step: u64) -> Result<Vec<RunResult>>;

    /// Runs of the sweep in the order of their numbers, from number `from` on, at most `most`, with what is known of a metric
    /// of each: those of these numbers, also such as were set aside, or if there are none all that are in the plan.
    async fn curve_runs(
        &self,
        sweep: &str,
        numbers: &[u32],
        metric: &str,
        (from, most): (u32, u32),
    ) -> Result<Vec<CurveRun>>;

    /// Points of a metric, of each of these runs from a step on: run by run in this order and by their steps, at most `most`.
    async fn point_list(&self, runs: &[(RunId, u64)], metric: &str, most: usize) -> Result<Vec<PointOfRun>>;

    /// Names of the metrics that runs in the sweep's plan have reported.
    async fn metric_list(&self, sweep: &str) -> Result<Vec<String>>;

    /// The sweep's events after a place, in order, at most `most`; `NoSuchEvent` if the place is beyond its last one, and
    /// `OtherEvent` if there is another event than the caller has seen there.
    async fn event_list(&self, sweep: &str, after: Place, most: u32) -> Result<Vec<EventRecord>>;

    /// Deletes events from before this time of a run that has more than [`EVENTS_KEPT`], but for its last ones, of some runs at a
    /// time; answers how many.
    async fn event_forget(&self, before_ms: i64) -> Result<u64>;

    /// Adds the worker, or notes what it says of itself now. Answers which database this is: letters and digits, other
    /// ones for each database.
    async fn worker_register(&self, worker: Registration) -> Result<String>;

    /// Notes that a worker ends: it is given nothing any more.
    async fn worker_leave(&self, worker: &str) -> Result<()>;

    /// The workers that were seen since this time or hold runs, in the order of their ids after this one, at most `most`.
    async fn worker_list(&self, since_ms: i64, after: &str, most: u32) -> Result<Vec<WorkerRecord>>;

    /// How much there is to do, over all sweeps.
    async fn demand(&self) -> Result<Demand>;

    /// Deletes workers that were not seen since this time and have never held a run, some at a time; answers how many. What a
    /// worker has trained names it, so others stay as long as their runs.
    async fn worker_forget(&self, before_ms: i64) -> Result<u64>;

    /// Says whether workers of this name take runs; answers how many they hold, `None` if there never was one.
    async fn worker_set_duty(&self, name: &str, duty: Duty) -> Result<Option<u32>>;

    /// Notes which of a worker's slots rest, and why. Writes nothing if the same is noted already.
    async fn worker_set_rest(&self, worker: &str, rest: Rest) -> Result<()>;

    /// Grants queued runs to a worker, by the rule in [`acai_sweep::schedule`], each with a new attempt and a lease of
    /// `term_ms`. A claim that was answered before gets the same grant, less what has ended since.
    async fn run_claim(&self, claim: Claim, term_ms: i64) -> Result<Vec<Grant>>;

    /// Extends the leases that these attempts hold to `term_ms` from now. Whoever renews an attempt holds its run: the
    /// attempt is the proof, since a worker that is started again has another id.
    async fn lease_renew(&self, worker: &str, attempts: Vec<AttemptRef>, term_ms: i64) -> Result<Renewal>;

    /// Writes something that changes nothing; answers when, by the store's clock. Leases that have ended by then could have
    /// been renewed until then.
    async fn probe(&self) -> Result<i64>;

    /// Takes the runs whose lease ended before this time from their attempts; answers those attempts.
    async fn lease_expire(&self, before_ms: i64) -> Result<Vec<AttemptRef>>;

    /// Gives running leases a term of at least `term_ms` from now, and no shorter one than their workers know: a
    /// coordinator that starts does not know whether workers could renew them while it was away. A lease is given such
    /// a term only a few times until it is renewed, so that a worker that is gone does not keep its runs while
    /// coordinators start again and again. Workers that were heard of later than now, by a clock that was set back since,
    /// count as heard of now.
    async fn lease_grant_fresh_terms(&self, term_ms: i64) -> Result<u64>;

    /// Whether the attempt holds its run; [`StoreError::Fenced`] if not.
    async fn attempt_check(&self, attempt: AttemptRef) -> Result<()>;

    /// Appends an attempt's points, numbered from `first_seq`; answers the highest number up to
    /// which all are durable. Known numbers are skipped; after a gap nothing is taken.
    async fn metrics_append(
        &self,
        attempt: AttemptRef,
        first_seq: u64,
        points: Vec<Point>,
        step: u64,
    ) -> Result<u64>;

    /// Ends a run that has all its steps and points; of its checkpoints the newest stays.
    async fn attempt_complete(&self, attempt: AttemptRef, step: u64, last_seq: u64) -> Result<()>;

    /// Ends an attempt by the run's own fault; answers what became of the run. Refused if its points up to `last_seq`, which
    /// were acknowledged, are not all there: a run is not judged by what a restored database does not hold.
    async fn attempt_fail(
        &self,
        attempt: AttemptRef,
        diverged: bool,
        message: String,
        last_seq: u64,
    ) -> Result<RunState>;

    /// Takes the run back, blameless: queues it again, or does with it what a person wants. Answers which.
    async fn attempt_release(&self, attempt: AttemptRef) -> Result<RunState>;

    /// Takes the run back after what was not its fault: queues it again, or ends it when it is the third machine in a row
    /// that could not train it. After the fault of a group it is granted alone. Answers which.
    async fn attempt_release_after(&self, attempt: AttemptRef, mishap: Mishap) -> Result<RunState>;

    /// Adds an event that tells people something of a running attempt, unless it was the last that was told of the run.
    async fn attempt_note(&self, attempt: AttemptRef, message: String) -> Result<()>;

    /// Makes a stored blob what the run resumes from, if all points up to `last_seq` are durable; keeps the newest two.
    async fn checkpoint_commit(
        &self,
        attempt: AttemptRef,
        checkpoint: Checkpoint,
        last_seq: u64,
    ) -> Result<()>;

    /// Step of the newest checkpoint that a run may resume from, 0 if it has none.
    async fn checkpoint_step(&self, run: RunId) -> Result<u64>;

    /// Takes a checkpoint of the attempt's run out of use. Its blob stays.
    async fn checkpoint_reject(&self, attempt: AttemptRef, sha256: String, reason: String) -> Result<()>;

    /// Whether the attempt is its run's latest one, ended or not; [`StoreError::Fenced`] if not.
    async fn attempt_check_latest(&self, attempt: AttemptRef) -> Result<()>;

    /// Makes a stored blob an artifact of the run whose latest attempt this is, in place of an earlier artifact of the run of
    /// this name and step.
    async fn artifact_add(&self, attempt: AttemptRef, artifact: Artifact) -> Result<()>;

    /// Artifacts of the sweep's runs in the order of the runs' numbers, steps and names, after a place, at most `most`: of the
    /// runs of these numbers, also such as were set aside, or if there are none of all that are in the plan.
    async fn artifact_list(
        &self,
        sweep: &str,
        numbers: &[u32],
        after: Option<&ArtifactPlace>,
        most: u32,
    ) -> Result<Vec<ArtifactRecord>>;

    /// Notes that a file of this name is about to be made: one that no file has had.
    async fn blob_begin(&self, file: BlobFile) -> Result<()>;

    /// Notes that somebody uploads a blob for an import; refused where that were too much. It counts for so long.
    async fn upload_announce(&self, who: Submitter, sha256: &str, bytes: u64, kept_ms: i64) -> Result<()>;

    /// Forgets a file that was begun and did not come to be.
    async fn blob_abandon(&self, file: BlobFile) -> Result<()>;

    /// Makes a file that was begun and is durable the blob's, unless the blob has one; one that the caller has found to
    /// be gone is replaced. Answers which file it has now; none if this one was begun so long ago that it is forgotten.
    async fn blob_add(&self, file: BlobFile, bytes: u64, gone: Option<BlobFile>) -> Result<Option<BlobFile>>;

    /// The file of a blob, and its size.
    async fn blob_find(&self, sha256: &str) -> Result<Option<(BlobFile, u64)>>;

    /// As [`blob_find`](Self::blob_find), and the blob stays as if it had just been uploaded.
    async fn blob_use(&self, sha256: &str) -> Result<Option<(BlobFile, u64)>>;

    /// Forgets a file whose bytes are damaged, with all checkpoints and artifacts in it; false if the blob has another one by now.
    async fn blob_condemn(&self, file: BlobFile) -> Result<bool>;

    /// Forgets the blobs that no checkpoint and no artifact has needed for `unused_ms`, and files that were begun `abandoned_ms` ago.
    /// Answers the files whose names are forgotten by this.
    async fn blob_collect(&self, unused_ms: i64, abandoned_ms: i64) -> Result<Vec<BlobFile>>;

    /// Every file that is known: those of blobs, and those that were begun.
    async fn blob_files(&self) -> Result<Vec<BlobFile>>;

    /// Where the blobs are kept, as [`blobs_set_place`](Self::blobs_set_place) was told last.
    async fn blobs_place(&self) -> Result<Option<String>>;

    /// Remembers where the blobs are kept.
    async fn blobs_set_place(&self, place: &str) -> Result<()>;

    /// Adds a token; answers the record of it.
    async fn token_add(&self, token: NewToken) -> Result<TokenRecord>;

    /// The token of this id.
    async fn token_find(&self, id: &str) -> Result<Option<TokenRecord>>;

    /// All tokens, the newest first.
    async fn token_list(&self) -> Result<Vec<TokenRecord>>;

    /// Refuses the token from now on; false if there is none of this id.
    async fn token_revoke(&self, id: &str) -> Result<bool>;

    /// Notes that the token is in use.
    async fn token_used(&self, id: &str) -> Result<()>;

    /// The certificate authority of all coordinators of this database: `fresh`, unless it has one already.
    async fn authority(&self, fresh: Authority) -> Result<Authority>;

    /// The certificate authority, and while it is exchanged the next one; nothing before there is one.
    async fn authority_list(&self) -> Result<Vec<Authority>>;

    /// Makes `fresh` the next certificate authority, unless there is a next one already; false before there is one at all.
    async fn authority_prepare(&self, fresh: Authority) -> Result<bool>;

    /// Makes the next certificate authority the only one; false if there is none.
    async fn authority_exchange(&self) -> Result<bool>;

    /// Which database this is, random; and what tells it from its copies.
    async fn identity(&self) -> Result<(String, String)>;

    /// Resolves, with an error that says so, when the store can take no writes any more until it is opened again.
    async fn broken(&self) -> StoreError;

    /// Finishes the calls that have begun, refuses later ones, and closes the database. A database in a file is then
    /// complete in that file alone.
    async fn close(&self);
}
