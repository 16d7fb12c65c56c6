//! What the coordinator remembers, behind one object-safe trait.
//!
//! A method is a business step and one transaction. An acknowledged write is durable. Everything
//! a worker writes first proves, in its own statement, that the attempt still holds the run.

mod error;
mod records;
pub mod sqlite;

use acai_sweep::results::RunResult;
use acai_sweep::run::RunState;
use async_trait::async_trait;

pub use error::{OpenError, StoreError};
pub use records::{
    AttemptRef, Claim, Grant, NewRun, NewSweep, Overview, Point, Registration, RunRecord, Submission,
    SweepRecord, WorkerRecord,
};

/// Result of a store method.
pub type Result<T> = std::result::Result<T, StoreError>;

/// Sweeps, runs, attempts, metrics and workers.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Adds the sweep or, under a known name, replaces its file: queues runs that are missing,
    /// sets aside those that the new plan lacks, changes no run that it keeps.
    async fn sweep_submit(&self, sweep: NewSweep, now_ms: i64) -> Result<Submission>;

    /// Every sweep with its progress, newest first.
    async fn sweep_list(&self) -> Result<Vec<Overview>>;

    /// One sweep, with the file it was submitted as.
    async fn sweep_fetch(&self, name: &str) -> Result<Option<SweepRecord>>;

    /// The runs in the sweep's plan, in its order; of all states if `states` is empty.
    async fn run_list(&self, sweep: &str, states: &[RunState]) -> Result<Vec<RunRecord>>;

    /// The runs in the sweep's plan that ended badly, or failed and go on; the first `most` in its order.
    async fn failure_list(&self, sweep: &str, most: u32) -> Result<Vec<RunRecord>>;

    /// The runs in the sweep's plan, in its order, with the summaries of their metrics.
    async fn result_list(&self, sweep: &str) -> Result<Vec<RunResult>>;

    /// Adds the worker, or notes what it says of itself now.
    async fn worker_register(&self, worker: Registration, now_ms: i64) -> Result<()>;

    /// Every worker, last seen first.
    async fn worker_list(&self) -> Result<Vec<WorkerRecord>>;

    /// Grants queued runs to a worker, each with a new attempt and a lease until
    /// `lease_expires_ms`. A claim that was answered before gets the same grant, less what has
    /// ended since.
    async fn run_claim(&self, claim: Claim, now_ms: i64, lease_expires_ms: i64) -> Result<Vec<Grant>>;

    /// Extends the leases that these attempts hold; answers the attempts that hold none.
    async fn lease_renew(
        &self,
        worker: &str,
        attempts: Vec<AttemptRef>,
        now_ms: i64,
        lease_expires_ms: i64,
    ) -> Result<Vec<AttemptRef>>;

    /// Queues the runs whose lease ended before `now_ms`; answers the attempts that lost them.
    async fn lease_expire(&self, now_ms: i64) -> Result<Vec<AttemptRef>>;

    /// Gives every running lease a term until `lease_expires_ms`: after a restart nothing is known
    /// of the time in between.
    async fn lease_grant_fresh_terms(&self, lease_expires_ms: i64) -> Result<u64>;

    /// Appends an attempt's points, numbered from `first_seq`; answers the highest number up to
    /// which all are durable. Known numbers are skipped; after a gap nothing is taken.
    async fn metrics_append(
        &self,
        attempt: AttemptRef,
        first_seq: u64,
        points: Vec<Point>,
        step: u64,
    ) -> Result<u64>;

    /// Ends a run that has all its steps and points. Repeating it is harmless.
    async fn attempt_complete(
        &self,
        attempt: AttemptRef,
        step: u64,
        last_seq: u64,
        now_ms: i64,
    ) -> Result<()>;

    /// Ends an attempt by the run's own fault; answers what became of the run. Repeating it is harmless.
    async fn attempt_fail(
        &self,
        attempt: AttemptRef,
        diverged: bool,
        message: String,
        now_ms: i64,
    ) -> Result<RunState>;

    /// Queues the run again, blameless. Repeating it is harmless.
    async fn attempt_release(&self, attempt: AttemptRef, now_ms: i64) -> Result<()>;
}
