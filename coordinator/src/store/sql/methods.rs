//! The methods of the trait [`Store`]. Each runs statements of the modules beside this one, in a transaction or on a
//! connection that reads.

use acai_access::Authority;
use acai_sweep::control::Intent;
use acai_sweep::results::RunResult;
use acai_sweep::run::RunState;
use async_trait::async_trait;

use super::calls::{with_reader, with_writer};
use super::changes::Selection;
use super::{
    Store as SqlStore, access, allowance, artifacts, attempts, blobs, changes, checkpoints, claims, control,
    demand, details, events, explain, fence, forget, import, leases, metrics, points, results, runs,
    submission, sweeps, workers,
};
use crate::store::outcome::Outcome;
use crate::store::{
    Artifact, ArtifactPlace, ArtifactRecord, AttemptRef, BlobFile, Changes, Checkpoint, Claim, CurveRun,
    Demand, Duty, EventRecord, Explanation, Grant, ImportedRun, Mishap, NewSweep, NewToken, Overview, Place,
    Point, PointOfRun, Registration, Renewal, Rest, Result, RunDetails, RunId, RunRecord, Store, StoreError,
    StoredFile, Submission, Submitter, SweepRecord, TokenRecord, Weight, WorkerRecord,
};

#[async_trait]
impl Store for SqlStore {
    async fn now_ms(&self) -> Result<i64> {
        self.now().await
    }

    async fn sweep_submit(&self, sweep: NewSweep) -> Result<Submission> {
        // A submission adds no bytes, so they are counted where nobody who writes waits for that.
        if let Some(who) = &sweep.submitter {
            with_reader!(self, |reader| allowance::check_bytes(reader, who, 0))?;
        }
        with_writer!(self.writer, [sweep], |tx, now_ms| submission::submit(tx, &sweep, now_ms))
    }

    async fn sweep_import(&self, sweep: NewSweep, runs: Vec<ImportedRun>) -> Result<bool> {
        with_writer!(self.writer, [sweep, runs], |tx, now_ms| import::import(tx, &sweep, &runs, now_ms))
    }

    async fn sweep_list(&self) -> Result<Vec<Overview>> {
        with_reader!(self, |reader| sweeps::list(reader))
    }

    async fn sweep_fetch(&self, name: &str) -> Result<Option<SweepRecord>> {
        with_reader!(self, |reader| sweeps::fetch(reader, name))
    }

    async fn sweep_file(&self, name: &str) -> Result<Option<StoredFile>> {
        with_reader!(self, |reader| sweeps::file(reader, name))
    }

    async fn sweep_weigh(&self, name: &str) -> Result<Option<Weight>> {
        with_reader!(self, |reader| forget::weigh(reader, name))
    }

    async fn sweep_forget(&self, name: &str) -> Result<bool> {
        let name = name.to_owned();
        let begun = with_writer!(self.writer, [name], |tx, _now_ms| forget::begin(tx, &name))?;
        let Some(sweep_id) = begun else { return Ok(false) };
        while with_writer!(self.writer, [], |tx, now_ms| forget::step(tx, sweep_id, now_ms))? {}
        Ok(true)
    }

    async fn sweep_set_limits(
        &self,
        name: &str,
        priority: Option<i64>,
        max_concurrent: Option<u32>,
    ) -> Result<bool> {
        let name = name.to_owned();
        with_writer!(self.writer, [name], |tx, _now_ms| control::set_limits(
            tx,
            &name,
            priority,
            max_concurrent
        ))
    }

    async fn runs_change(&self, sweep: &str, numbers: Vec<u32>, intent: Intent) -> Result<Option<Changes>> {
        let (sweep, whole, asked) = (sweep.to_owned(), numbers.is_empty(), intent.clone());
        let selected = with_writer!(self.writer, [sweep, numbers, asked], |tx, _now_ms| changes::select(
            tx, &sweep, &numbers, &asked
        ));
        let Some(Selection { sweep_id, runs, unchanged }) = selected? else { return Ok(None) };
        let mut total = Changes { unchanged, ..Changes::default() };
        for runs in runs.chunks(changes::STEP) {
            let (runs, intent) = (runs.to_vec(), intent.clone());
            let step = with_writer!(self.writer, [runs, intent], |tx, now_ms| changes::apply(
                tx, sweep_id, &runs, &intent, whole, now_ms
            ))?;
            total.changed += step.changed;
            total.asked += step.asked;
            total.unchanged += step.unchanged;
        }
        Ok(Some(total))
    }

    async fn run_list(
        &self,
        sweep: &str,
        states: &[RunState],
        from: u32,
        most: u32,
    ) -> Result<Vec<RunRecord>> {
        with_reader!(self, |reader| runs::list(reader, sweep, states, from, most))
    }

    async fn set_aside_list(
        &self,
        sweep: &str,
        states: &[RunState],
        from: u32,
        most: u32,
    ) -> Result<Vec<RunRecord>> {
        with_reader!(self, |reader| runs::set_aside(reader, sweep, states, from, most))
    }

    async fn run_details(&self, sweep: &str, number: u32) -> Result<Option<RunDetails>> {
        with_reader!(self, |reader| details::fetch(reader, sweep, number))
    }

    async fn run_name(&self, run: RunId) -> Result<Option<String>> {
        with_reader!(self, |reader| runs::name(reader, run))
    }

    async fn run_explain(&self, sweep: &str, number: u32, silent_ms: i64) -> Result<Option<Explanation>> {
        let now_ms = self.now().await?;
        with_reader!(self, |reader| explain::explain(reader, sweep, number, now_ms, silent_ms))
    }

    async fn failure_list(&self, sweep: &str, most: u32) -> Result<Vec<RunRecord>> {
        with_reader!(self, |reader| runs::failures(reader, sweep, most))
    }

    async fn result_list(&self, sweep: &str) -> Result<Vec<RunResult>> {
        with_reader!(self, |reader| results::list(reader, sweep))
    }

    async fn run_numbers(&self, sweep: &str, numbers: &[u32]) -> Result<Vec<u32>> {
        with_reader!(self, |reader| runs::numbers(reader, sweep, numbers))
    }

    async fn curve_runs(
        &self,
        sweep: &str,
        numbers: &[u32],
        metric: &str,
        page: (u32, u32),
    ) -> Result<Vec<CurveRun>> {
        with_reader!(self, |reader| points::runs(reader, sweep, numbers, metric, page))
    }

    async fn point_list(&self, runs: &[(RunId, u64)], metric: &str, most: usize) -> Result<Vec<PointOfRun>> {
        with_reader!(self, |reader| points::list(reader, runs, metric, most))
    }

    async fn metric_list(&self, sweep: &str) -> Result<Vec<String>> {
        with_reader!(self, |reader| points::metrics(reader, sweep))
    }

    async fn result_list_at_best(&self, sweep: &str, metrics: &[(String, i8)]) -> Result<Vec<RunResult>> {
        with_reader!(self, |reader| results::at_best(reader, sweep, metrics))
    }

    async fn result_list_at_end(&self, sweep: &str) -> Result<Vec<RunResult>> {
        with_reader!(self, |reader| results::at_end(reader, sweep))
    }

    async fn result_list_at_step(&self, sweep: &str, step: u64) -> Result<Vec<RunResult>> {
        with_reader!(self, |reader| results::at_step(reader, sweep, step))
    }

    async fn event_list(&self, sweep: &str, after: Place, most: u32) -> Result<Vec<EventRecord>> {
        with_reader!(self, |reader| events::list(reader, sweep, after, most))
    }

    async fn event_forget(&self, before_ms: i64) -> Result<u64> {
        // Which runs these are is looked up apart, so that nobody who writes waits for that.
        let runs = with_reader!(self, |reader| events::long_histories(reader, before_ms))?;
        if runs.is_empty() {
            return Ok(0);
        }
        with_writer!(self.writer, [runs], |tx, _now_ms| events::forget(tx, &runs, before_ms))
    }

    async fn worker_register(&self, worker: Registration) -> Result<String> {
        with_writer!(self.writer, [worker], |tx, now_ms| workers::register(tx, &worker, now_ms))
    }

    async fn worker_leave(&self, worker: &str) -> Result<()> {
        let worker = worker.to_owned();
        with_writer!(self.writer, [worker], |tx, now_ms| workers::leave(tx, &worker, now_ms))
    }

    async fn worker_list(&self, since_ms: i64, after: &str, most: u32) -> Result<Vec<WorkerRecord>> {
        with_reader!(self, |reader| workers::list(reader, since_ms, after, most))
    }

    async fn demand(&self) -> Result<Demand> {
        with_reader!(self, |reader| demand::demand(reader))
    }

    async fn worker_forget(&self, before_ms: i64) -> Result<u64> {
        with_writer!(self.writer, [], |tx, _now_ms| workers::forget(tx, before_ms))
    }

    async fn worker_set_duty(&self, name: &str, duty: Duty) -> Result<Option<u32>> {
        let name = name.to_owned();
        with_writer!(self.writer, [name], |tx, now_ms| control::set_duty(tx, &name, duty, now_ms))
    }

    async fn worker_set_rest(&self, worker: &str, rest: Rest) -> Result<()> {
        if with_reader!(self, |reader| workers::has_rest(reader, worker, &rest))? {
            return Ok(());
        }
        let worker = worker.to_owned();
        with_writer!(self.writer, [worker, rest], |tx, _now_ms| workers::set_rest(tx, &worker, &rest))
    }

    async fn run_claim(&self, claim: Claim, term_ms: i64) -> Result<Vec<Grant>> {
        let asked = claim.clone();
        with_writer!(self.writer, [asked], |tx, now_ms| claims::claim(tx, &asked, now_ms, term_ms))?;
        // The grants are read after the transaction, when nobody waits for its locks any more.
        with_reader!(self, |reader| claims::granted(reader, &claim))
    }

    async fn lease_renew(&self, worker: &str, attempts: Vec<AttemptRef>, term_ms: i64) -> Result<Renewal> {
        let worker = worker.to_owned();
        with_writer!(self.renewing(), [worker, attempts], |tx, now_ms| leases::renew(
            tx, &worker, &attempts, now_ms, term_ms
        ))
    }

    async fn probe(&self) -> Result<i64> {
        // By the writer of the renewals: the question is whether these could be stored.
        with_writer!(self.renewing(), [], |tx, now_ms| leases::probe(tx, now_ms))
    }

    async fn lease_expire(&self, before_ms: i64) -> Result<Vec<AttemptRef>> {
        let mut lost = Vec::new();
        for sweep_id in with_reader!(self, |reader| leases::sweeps_to_expire(reader, before_ms))? {
            loop {
                let step = with_writer!(self.writer, [], |tx, now_ms| leases::expire(
                    tx, sweep_id, before_ms, now_ms
                ))?;
                let is_last = step.len() < leases::STEP;
                lost.extend(step);
                if is_last {
                    break;
                }
            }
        }
        Ok(lost)
    }

    async fn lease_grant_fresh_terms(&self, term_ms: i64) -> Result<u64> {
        with_writer!(self.writer, [], |tx, now_ms| leases::grant_fresh_terms(tx, now_ms, term_ms))
    }

    async fn attempt_check(&self, attempt: AttemptRef) -> Result<()> {
        with_writer!(self.writer, [], |tx, _now_ms| fence::check(tx, attempt))
    }

    async fn metrics_append(
        &self,
        attempt: AttemptRef,
        first_seq: u64,
        points: Vec<Point>,
        step: u64,
    ) -> Result<u64> {
        let points = metrics::storable(points);
        with_writer!(self.writer, [points], |tx, _now_ms| metrics::append(
            tx, attempt, first_seq, &points, step
        ))
    }

    async fn attempt_complete(&self, attempt: AttemptRef, step: u64, last_seq: u64) -> Result<()> {
        with_writer!(self.writer, [], |tx, now_ms| attempts::complete(tx, attempt, step, last_seq, now_ms))
    }

    async fn attempt_fail(
        &self,
        attempt: AttemptRef,
        diverged: bool,
        message: String,
        last_seq: u64,
    ) -> Result<RunState> {
        let outcome = if diverged { Outcome::Diverged } else { Outcome::Failed };
        with_writer!(self.writer, [message], |tx, now_ms| attempts::fail(
            tx, attempt, outcome, &message, last_seq, now_ms
        ))
    }

    async fn attempt_release(&self, attempt: AttemptRef) -> Result<RunState> {
        with_writer!(self.writer, [], |tx, now_ms| attempts::interrupt(
            tx,
            attempt,
            Outcome::Released,
            None,
            now_ms
        ))
    }

    async fn attempt_release_after(&self, attempt: AttemptRef, mishap: Mishap) -> Result<RunState> {
        let (outcome, message) = match mishap {
            Mishap::MachineFault(message) => (Outcome::MachineFault, message),
            Mishap::GroupFault(message) => (Outcome::GroupFault, message),
        };
        with_writer!(self.writer, [message], |tx, now_ms| attempts::interrupt(
            tx,
            attempt,
            outcome,
            Some(&message),
            now_ms
        ))
    }

    async fn attempt_note(&self, attempt: AttemptRef, message: String) -> Result<()> {
        with_writer!(self.writer, [message], |tx, now_ms| events::tell(tx, attempt, &message, now_ms))
    }

    async fn checkpoint_commit(
        &self,
        attempt: AttemptRef,
        checkpoint: Checkpoint,
        last_seq: u64,
    ) -> Result<()> {
        with_writer!(self.writer, [checkpoint], |tx, now_ms| checkpoints::commit(
            tx,
            attempt,
            &checkpoint,
            last_seq,
            now_ms
        ))
    }

    async fn checkpoint_step(&self, run: RunId) -> Result<u64> {
        with_reader!(self, |reader| checkpoints::newest_step(reader, run))
    }

    async fn checkpoint_reject(&self, attempt: AttemptRef, sha256: String, reason: String) -> Result<()> {
        with_writer!(self.writer, [sha256, reason], |tx, _now_ms| checkpoints::reject(
            tx, attempt, &sha256, &reason
        ))
    }

    async fn attempt_check_latest(&self, attempt: AttemptRef) -> Result<()> {
        with_writer!(self.writer, [], |tx, _now_ms| fence::check_latest(tx, attempt))
    }

    async fn artifact_add(&self, attempt: AttemptRef, artifact: Artifact) -> Result<()> {
        with_writer!(self.writer, [artifact], |tx, now_ms| artifacts::add(tx, attempt, &artifact, now_ms))
    }

    async fn artifact_list(
        &self,
        sweep: &str,
        numbers: &[u32],
        after: Option<&ArtifactPlace>,
        most: u32,
    ) -> Result<Vec<ArtifactRecord>> {
        with_reader!(self, |reader| artifacts::list(reader, sweep, numbers, after, most))
    }

    async fn blob_begin(&self, file: BlobFile) -> Result<()> {
        with_writer!(self.writer, [file], |tx, now_ms| blobs::begin(tx, &file, now_ms))
    }

    async fn upload_announce(&self, who: Submitter, sha256: &str, bytes: u64, kept_ms: i64) -> Result<()> {
        let sha256 = sha256.to_owned();
        with_writer!(self.writer, [who, sha256], |tx, now_ms| allowance::announce(
            tx,
            &who,
            (&sha256, bytes),
            now_ms.saturating_sub(kept_ms),
            now_ms
        ))
    }

    async fn blob_abandon(&self, file: BlobFile) -> Result<()> {
        with_writer!(self.writer, [file], |tx, _now_ms| blobs::abandon(tx, &file)).map(drop)
    }

    async fn blob_add(&self, file: BlobFile, bytes: u64, gone: Option<BlobFile>) -> Result<Option<BlobFile>> {
        with_writer!(self.writer, [file, gone], |tx, now_ms| blobs::add(
            tx,
            &file,
            bytes,
            gone.as_ref().as_ref(),
            now_ms
        ))
    }

    async fn blob_find(&self, sha256: &str) -> Result<Option<(BlobFile, u64)>> {
        with_reader!(self, |reader| blobs::find(reader, sha256))
    }

    async fn blob_use(&self, sha256: &str) -> Result<Option<(BlobFile, u64)>> {
        let sha256 = sha256.to_owned();
        with_writer!(self.writer, [sha256], |tx, now_ms| blobs::touch(tx, &sha256, now_ms))
    }

    async fn blob_condemn(&self, file: BlobFile) -> Result<bool> {
        with_writer!(self.writer, [file], |tx, _now_ms| blobs::condemn(tx, &file))
    }

    async fn blob_collect(&self, unused_ms: i64, abandoned_ms: i64) -> Result<Vec<BlobFile>> {
        with_writer!(self.writer, [], |tx, now_ms| blobs::collect(
            tx,
            now_ms.saturating_sub(unused_ms),
            now_ms.saturating_sub(abandoned_ms)
        ))
    }

    async fn blob_files(&self) -> Result<Vec<BlobFile>> {
        with_reader!(self, |reader| blobs::files(reader))
    }

    async fn blobs_place(&self) -> Result<Option<String>> {
        with_reader!(self, |reader| blobs::place(reader))
    }

    async fn blobs_set_place(&self, place: &str) -> Result<()> {
        let place = place.to_owned();
        with_writer!(self.writer, [place], |tx, _now_ms| blobs::set_place(tx, &place))
    }

    async fn token_add(&self, token: NewToken) -> Result<TokenRecord> {
        with_writer!(self.writer, [token], |tx, now_ms| access::add(tx, &token, now_ms))
    }

    async fn token_find(&self, id: &str) -> Result<Option<TokenRecord>> {
        with_reader!(self, |reader| access::find(reader, id))
    }

    async fn token_list(&self) -> Result<Vec<TokenRecord>> {
        with_reader!(self, |reader| access::list(reader))
    }

    async fn token_revoke(&self, id: &str) -> Result<bool> {
        let id = id.to_owned();
        with_writer!(self.writer, [id], |tx, now_ms| access::revoke(tx, &id, now_ms))
    }

    async fn token_used(&self, id: &str) -> Result<()> {
        let id = id.to_owned();
        with_writer!(self.writer, [id], |tx, now_ms| access::used(tx, &id, now_ms))
    }

    async fn authority(&self, fresh: Authority) -> Result<Authority> {
        // So that a coordinator starts on a database that has no room.
        if let Some(known) = with_reader!(self, |reader| access::known_authority(reader))? {
            return Ok(known);
        }
        with_writer!(self.writer, [fresh], |tx, _now_ms| access::authority(tx, &fresh))
    }

    async fn authority_list(&self) -> Result<Vec<Authority>> {
        with_reader!(self, |reader| access::authorities(reader))
    }

    async fn authority_prepare(&self, fresh: Authority) -> Result<bool> {
        with_writer!(self.writer, [fresh], |tx, _now_ms| access::prepare_authority(tx, &fresh))
    }

    async fn authority_exchange(&self) -> Result<bool> {
        with_writer!(self.writer, [], |tx, _now_ms| access::exchange_authority(tx))
    }

    async fn identity(&self) -> Result<(String, String)> {
        let database = with_reader!(self, |reader| workers::database(reader))?;
        Ok((database, self.instance().await?))
    }

    async fn broken(&self) -> StoreError {
        self.until_broken().await
    }

    async fn close(&self) {
        self.close_all().await;
    }
}
