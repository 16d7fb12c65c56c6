//! The embedded store: one SQLite file, one coordinator.
//!
//! Reads take a connection of a small pool. Writes go to one task with the only writing connection
//! ([`writer`]), so no request can hold or abandon a transaction, and what is queued together is
//! committed together.

mod attempts;
mod leases;
mod metrics;
mod open;
mod runs;
mod sweeps;
mod workers;
mod writer;

use std::fs::File;

use acai_sweep::results::RunResult;
use acai_sweep::run::RunState;
use async_trait::async_trait;
use sqlx::SqlitePool;

use super::{
    AttemptRef, Claim, Grant, NewSweep, Overview, Point, Registration, Result, RunRecord, Store, Submission,
    SweepRecord, WorkerRecord,
};
use writer::Writer;

/// A store in one SQLite file. Dropping it lets another coordinator have the file.
#[derive(Debug)]
pub struct SqliteStore {
    readers: SqlitePool,
    writer: Writer,
    /// Held for as long as the store lives.
    _lock: File,
}

#[async_trait]
impl Store for SqliteStore {
    async fn sweep_submit(&self, sweep: NewSweep, now_ms: i64) -> Result<Submission> {
        self.writer.write(move |tx| Box::pin(sweeps::submit(tx, sweep, now_ms))).await
    }

    async fn sweep_list(&self) -> Result<Vec<Overview>> {
        sweeps::list(&self.readers).await
    }

    async fn sweep_fetch(&self, name: &str) -> Result<Option<SweepRecord>> {
        sweeps::fetch(&self.readers, name).await
    }

    async fn run_list(&self, sweep: &str, states: &[RunState]) -> Result<Vec<RunRecord>> {
        runs::list(&self.readers, sweep, states).await
    }

    async fn failure_list(&self, sweep: &str, most: u32) -> Result<Vec<RunRecord>> {
        runs::failures(&self.readers, sweep, most).await
    }

    async fn result_list(&self, sweep: &str) -> Result<Vec<RunResult>> {
        runs::results(&self.readers, sweep).await
    }

    async fn worker_register(&self, worker: Registration, now_ms: i64) -> Result<()> {
        self.writer.write(move |tx| Box::pin(workers::register(tx, worker, now_ms))).await
    }

    async fn worker_list(&self) -> Result<Vec<WorkerRecord>> {
        workers::list(&self.readers).await
    }

    async fn run_claim(&self, claim: Claim, now_ms: i64, lease_expires_ms: i64) -> Result<Vec<Grant>> {
        self.writer.write(move |tx| Box::pin(leases::claim(tx, claim, now_ms, lease_expires_ms))).await
    }

    async fn lease_renew(
        &self,
        worker: &str,
        attempts: Vec<AttemptRef>,
        now_ms: i64,
        lease_expires_ms: i64,
    ) -> Result<Vec<AttemptRef>> {
        let worker = worker.to_owned();
        self.writer
            .write(move |tx| Box::pin(leases::renew(tx, worker, attempts, now_ms, lease_expires_ms)))
            .await
    }

    async fn lease_expire(&self, now_ms: i64) -> Result<Vec<AttemptRef>> {
        self.writer.write(move |tx| Box::pin(leases::expire(tx, now_ms))).await
    }

    async fn lease_grant_fresh_terms(&self, lease_expires_ms: i64) -> Result<u64> {
        self.writer.write(move |tx| Box::pin(leases::grant_fresh_terms(tx, lease_expires_ms))).await
    }

    async fn metrics_append(
        &self,
        attempt: AttemptRef,
        first_seq: u64,
        points: Vec<Point>,
        step: u64,
    ) -> Result<u64> {
        self.writer.write(move |tx| Box::pin(metrics::append(tx, attempt, first_seq, points, step))).await
    }

    async fn attempt_complete(
        &self,
        attempt: AttemptRef,
        step: u64,
        last_seq: u64,
        now_ms: i64,
    ) -> Result<()> {
        self.writer.write(move |tx| Box::pin(attempts::complete(tx, attempt, step, last_seq, now_ms))).await
    }

    async fn attempt_fail(
        &self,
        attempt: AttemptRef,
        diverged: bool,
        message: String,
        now_ms: i64,
    ) -> Result<RunState> {
        self.writer.write(move |tx| Box::pin(attempts::fail(tx, attempt, diverged, message, now_ms))).await
    }

    async fn attempt_release(&self, attempt: AttemptRef, now_ms: i64) -> Result<()> {
        self.writer.write(move |tx| Box::pin(attempts::release(tx, attempt, now_ms))).await
    }
}
