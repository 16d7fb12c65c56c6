//! The methods of the trait [`Store`].

use acai_access::Authority;
use acai_sweep::control::Intent;
use acai_sweep::results::RunResult;
use acai_sweep::run::RunState;
use async_trait::async_trait;

use super::MemoryStore;
use super::state::State;
use crate::store::outcome::Outcome;
use crate::store::rules::storable;
use crate::store::{
    Artifact, ArtifactPlace, ArtifactRecord, AttemptRef, BlobFile, Changes, Checkpoint, Claim, CurveRun,
    Demand, Duty, EventRecord, Explanation, Grant, ImportedRun, Mishap, NewSweep, NewToken, Overview, Place,
    Point, PointOfRun, Registration, Renewal, Rest, Result, RunDetails, RunId, RunRecord, Store, StoreError,
    StoredFile, Submission, Submitter, SweepRecord, TokenRecord, Weight, WorkerRecord,
};

#[async_trait]
impl Store for MemoryStore {
    async fn now_ms(&self) -> Result<i64> {
        Ok(self.clock.now_ms())
    }

    async fn sweep_submit(&self, sweep: NewSweep) -> Result<Submission> {
        self.write(|state, now_ms| {
            if let Some(who) = &sweep.submitter {
                state.check_bytes(who, 0)?;
            }
            state.submit(sweep, now_ms)
        })
    }

    async fn sweep_import(&self, sweep: NewSweep, runs: Vec<ImportedRun>) -> Result<bool> {
        self.write(|state, now_ms| state.import(sweep, runs, now_ms))
    }

    async fn sweep_list(&self) -> Result<Vec<Overview>> {
        self.read(State::sweep_list)
    }

    async fn sweep_fetch(&self, name: &str) -> Result<Option<SweepRecord>> {
        self.read(|state| state.sweep_fetch(name))
    }

    async fn sweep_file(&self, name: &str) -> Result<Option<StoredFile>> {
        self.read(|state| state.sweep_file(name))
    }

    async fn sweep_weigh(&self, name: &str) -> Result<Option<Weight>> {
        self.read(|state| state.weigh(name))
    }

    async fn sweep_forget(&self, name: &str) -> Result<bool> {
        self.write(|state, now_ms| state.forget(name, now_ms))
    }

    async fn sweep_set_limits(
        &self,
        name: &str,
        priority: Option<i64>,
        max_concurrent: Option<u32>,
    ) -> Result<bool> {
        self.write(|state, _| Ok(state.set_limits(name, priority, max_concurrent)))
    }

    async fn runs_change(&self, sweep: &str, numbers: Vec<u32>, intent: Intent) -> Result<Option<Changes>> {
        self.write(|state, now_ms| state.change(sweep, &numbers, &intent, now_ms))
    }

    async fn run_list(
        &self,
        sweep: &str,
        states: &[RunState],
        from: u32,
        most: u32,
    ) -> Result<Vec<RunRecord>> {
        self.read(|state| state.run_list(sweep, states, from, most))
    }

    async fn set_aside_list(
        &self,
        sweep: &str,
        states: &[RunState],
        from: u32,
        most: u32,
    ) -> Result<Vec<RunRecord>> {
        self.read(|state| state.set_aside_list(sweep, states, from, most))
    }

    async fn run_details(&self, sweep: &str, number: u32) -> Result<Option<RunDetails>> {
        self.read(|state| state.run_details(sweep, number))
    }

    async fn run_name(&self, run: RunId) -> Result<Option<String>> {
        self.read(|state| state.run_name(run))
    }

    async fn run_explain(&self, sweep: &str, number: u32, silent_ms: i64) -> Result<Option<Explanation>> {
        let now_ms = self.clock.now_ms();
        self.read(|state| state.explain(sweep, number, now_ms, silent_ms))
    }

    async fn failure_list(&self, sweep: &str, most: u32) -> Result<Vec<RunRecord>> {
        self.read(|state| state.failure_list(sweep, most))
    }

    async fn result_list(&self, sweep: &str) -> Result<Vec<RunResult>> {
        self.read(|state| state.result_list(sweep))
    }

    async fn run_numbers(&self, sweep: &str, numbers: &[u32]) -> Result<Vec<u32>> {
        self.read(|state| state.run_numbers(sweep, numbers))
    }

    async fn result_list_at_best(&self, sweep: &str, metrics: &[(String, i8)]) -> Result<Vec<RunResult>> {
        self.read(|state| state.result_list_at_best(sweep, metrics))
    }

    async fn result_list_at_end(&self, sweep: &str) -> Result<Vec<RunResult>> {
        self.read(|state| state.result_list_at_end(sweep))
    }

    async fn result_list_at_step(&self, sweep: &str, step: u64) -> Result<Vec<RunResult>> {
        self.read(|state| state.result_list_at_step(sweep, step))
    }

    async fn curve_runs(
        &self,
        sweep: &str,
        numbers: &[u32],
        metric: &str,
        page: (u32, u32),
    ) -> Result<Vec<CurveRun>> {
        self.read(|state| state.curve_runs(sweep, numbers, metric, page))
    }

    async fn point_list(&self, runs: &[(RunId, u64)], metric: &str, most: usize) -> Result<Vec<PointOfRun>> {
        self.read(|state| state.point_list(runs, metric, most))
    }

    async fn metric_list(&self, sweep: &str) -> Result<Vec<String>> {
        self.read(|state| state.metric_list(sweep))
    }

    async fn event_list(&self, sweep: &str, after: Place, most: u32) -> Result<Vec<EventRecord>> {
        self.read(|state| state.events(sweep, after, most))?
    }

    async fn event_forget(&self, before_ms: i64) -> Result<u64> {
        self.write(|state, _| Ok(state.forget_events(before_ms)))
    }

    async fn worker_register(&self, worker: Registration) -> Result<String> {
        self.write(|state, now_ms| {
            state.register(&worker, now_ms);
            Ok(self.id.clone())
        })
    }

    async fn worker_leave(&self, worker: &str) -> Result<()> {
        self.write(|state, _| {
            state.worker_mut(worker)?.ended = true;
            Ok(())
        })
    }

    async fn worker_list(&self, since_ms: i64, after: &str, most: u32) -> Result<Vec<WorkerRecord>> {
        self.read(|state| state.worker_list(since_ms, after, most))
    }

    async fn demand(&self) -> Result<Demand> {
        self.read(State::demand)
    }

    async fn worker_forget(&self, before_ms: i64) -> Result<u64> {
        self.write(|state, _| Ok(state.forget_workers(before_ms)))
    }

    async fn worker_set_duty(&self, name: &str, duty: Duty) -> Result<Option<u32>> {
        self.write(|state, _| Ok(state.set_duty(name, duty)))
    }

    async fn worker_set_rest(&self, worker: &str, rest: Rest) -> Result<()> {
        self.write(|state, _| state.set_rest(worker, &rest))
    }

    async fn run_claim(&self, claim: Claim, term_ms: i64) -> Result<Vec<Grant>> {
        self.write(|state, now_ms| {
            state.claim(&claim, now_ms, term_ms)?;
            Ok(state.granted(&claim))
        })
    }

    async fn lease_renew(&self, worker: &str, attempts: Vec<AttemptRef>, term_ms: i64) -> Result<Renewal> {
        self.write(|state, now_ms| state.renew(worker, &attempts, now_ms, term_ms))
    }

    async fn probe(&self) -> Result<i64> {
        self.write(|_, now_ms| Ok(now_ms))
    }

    async fn lease_expire(&self, before_ms: i64) -> Result<Vec<AttemptRef>> {
        self.write(|state, now_ms| state.expire(before_ms, now_ms))
    }

    async fn lease_grant_fresh_terms(&self, term_ms: i64) -> Result<u64> {
        self.write(|state, now_ms| Ok(state.grant_fresh_terms(now_ms, term_ms)))
    }

    async fn attempt_check(&self, attempt: AttemptRef) -> Result<()> {
        self.write(|state, _| state.held(attempt).map(drop))
    }

    async fn metrics_append(
        &self,
        attempt: AttemptRef,
        first_seq: u64,
        points: Vec<Point>,
        step: u64,
    ) -> Result<u64> {
        self.write(|state, _| state.append(attempt, first_seq, &points, step))
    }

    async fn attempt_complete(&self, attempt: AttemptRef, step: u64, last_seq: u64) -> Result<()> {
        self.write(|state, now_ms| state.complete(attempt, step, last_seq, now_ms))
    }

    async fn attempt_fail(
        &self,
        attempt: AttemptRef,
        diverged: bool,
        message: String,
        last_seq: u64,
    ) -> Result<RunState> {
        let outcome = if diverged { Outcome::Diverged } else { Outcome::Failed };
        self.write(|state, now_ms| state.fail(attempt, outcome, &message, last_seq, now_ms))
    }

    async fn attempt_release(&self, attempt: AttemptRef) -> Result<RunState> {
        self.write(|state, now_ms| state.interrupt(attempt, Outcome::Released, None, now_ms))
    }

    async fn attempt_release_after(&self, attempt: AttemptRef, mishap: Mishap) -> Result<RunState> {
        let (outcome, message) = match mishap {
            Mishap::MachineFault(message) => (Outcome::MachineFault, message),
            Mishap::GroupFault(message) => (Outcome::GroupFault, message),
        };
        self.write(|state, now_ms| state.interrupt(attempt, outcome, Some(&message), now_ms))
    }

    async fn attempt_note(&self, attempt: AttemptRef, message: String) -> Result<()> {
        self.write(|state, now_ms| state.tell(attempt, &message, now_ms))
    }

    async fn checkpoint_commit(
        &self,
        attempt: AttemptRef,
        checkpoint: Checkpoint,
        last_seq: u64,
    ) -> Result<()> {
        self.write(|state, now_ms| state.commit(attempt, checkpoint, last_seq, now_ms))
    }

    async fn checkpoint_step(&self, run: RunId) -> Result<u64> {
        self.read(|state| state.runs.get(&run).map_or(0, super::state::Run::newest_step))
    }

    async fn checkpoint_reject(&self, attempt: AttemptRef, sha256: String, reason: String) -> Result<()> {
        self.write(|state, _| state.reject(attempt, &sha256, &reason))
    }

    async fn attempt_check_latest(&self, attempt: AttemptRef) -> Result<()> {
        self.write(|state, _| state.latest(attempt).map(drop))
    }

    async fn artifact_add(&self, attempt: AttemptRef, artifact: Artifact) -> Result<()> {
        self.write(|state, now_ms| {
            state.latest(attempt)?;
            state.keep_artifact(attempt.run, attempt.number, artifact, now_ms)
        })
    }

    async fn artifact_list(
        &self,
        sweep: &str,
        numbers: &[u32],
        after: Option<&ArtifactPlace>,
        most: u32,
    ) -> Result<Vec<ArtifactRecord>> {
        self.read(|state| state.artifact_list(sweep, numbers, after, most))
    }

    async fn blob_begin(&self, file: BlobFile) -> Result<()> {
        self.write(|state, now_ms| state.begin_blob(file, now_ms))
    }

    async fn upload_announce(&self, who: Submitter, sha256: &str, bytes: u64, kept_ms: i64) -> Result<()> {
        let sha256 = sha256.to_owned();
        self.write(|state, now_ms| {
            state.announce(&who, sha256, bytes, now_ms.saturating_sub(kept_ms), now_ms)
        })
    }

    async fn blob_abandon(&self, file: BlobFile) -> Result<()> {
        self.write(|state, _| {
            state.uploads.remove(&file);
            Ok(())
        })
    }

    async fn blob_add(&self, file: BlobFile, bytes: u64, gone: Option<BlobFile>) -> Result<Option<BlobFile>> {
        self.write(|state, now_ms| Ok(state.add_blob(file, bytes, gone, now_ms)))
    }

    async fn blob_find(&self, sha256: &str) -> Result<Option<(BlobFile, u64)>> {
        self.read(|state| state.blob(sha256))
    }

    async fn blob_use(&self, sha256: &str) -> Result<Option<(BlobFile, u64)>> {
        self.write(|state, now_ms| Ok(state.touch(sha256, None, now_ms)))
    }

    async fn blob_condemn(&self, file: BlobFile) -> Result<bool> {
        self.write(|state, _| Ok(state.condemn(&file)))
    }

    async fn blob_collect(&self, unused_ms: i64, abandoned_ms: i64) -> Result<Vec<BlobFile>> {
        self.write(|state, now_ms| {
            Ok(state.collect(now_ms.saturating_sub(unused_ms), now_ms.saturating_sub(abandoned_ms)))
        })
    }

    async fn blob_files(&self) -> Result<Vec<BlobFile>> {
        self.read(|state| {
            let stored = state.blobs.iter();
            let stored =
                stored.map(|(sha256, blob)| BlobFile { sha256: sha256.clone(), tag: blob.tag.clone() });
            stored.chain(state.uploads.keys().cloned()).collect()
        })
    }

    async fn blobs_place(&self) -> Result<Option<String>> {
        self.read(|state| state.blobs_place.clone())
    }

    async fn blobs_set_place(&self, place: &str) -> Result<()> {
        self.write(|state, _| {
            state.blobs_place = Some(place.to_owned());
            Ok(())
        })
    }

    async fn token_add(&self, token: NewToken) -> Result<TokenRecord> {
        self.write(|state, now_ms| {
            let NewToken { id, name, scope, digest, valid_ms } = token;
            let expires_ms = valid_ms.map(|valid| now_ms.saturating_add(valid));
            let new = TokenRecord {
                id: id.clone(),
                name: storable(&name),
                scope,
                digest,
                created_ms: now_ms,
                expires_ms,
                revoked_ms: None,
                used_ms: None,
            };
            let stored = state.tokens.entry(id.clone()).or_insert(new);
            match stored.digest == digest {
                true => Ok(stored.clone()),
                false => Err(StoreError::Conflict(format!("there is another token `{id}`"))),
            }
        })
    }

    async fn token_find(&self, id: &str) -> Result<Option<TokenRecord>> {
        self.read(|state| state.tokens.get(id).cloned())
    }

    async fn token_list(&self) -> Result<Vec<TokenRecord>> {
        self.read(|state| {
            let mut tokens: Vec<TokenRecord> = state.tokens.values().cloned().collect();
            tokens.sort_by_key(|token| (std::cmp::Reverse(token.created_ms), token.id.clone()));
            tokens
        })
    }

    async fn token_revoke(&self, id: &str) -> Result<bool> {
        self.write(|state, now_ms| {
            let token = state.tokens.get_mut(id);
            Ok(token.map(|token| token.revoked_ms.get_or_insert(now_ms)).is_some())
        })
    }

    async fn token_used(&self, id: &str) -> Result<()> {
        self.write(|state, now_ms| {
            if let Some(token) = state.tokens.get_mut(id) {
                token.used_ms = Some(now_ms);
            }
            Ok(())
        })
    }

    async fn authority(&self, fresh: Authority) -> Result<Authority> {
        self.write(|state, _| Ok(state.authority.get_or_insert(fresh).clone()))
    }

    async fn authority_list(&self) -> Result<Vec<Authority>> {
        self.read(|state| state.authority.iter().chain(&state.next_authority).cloned().collect())
    }

    async fn authority_prepare(&self, fresh: Authority) -> Result<bool> {
        self.write(|state, _| {
            if state.authority.is_none() {
                return Ok(false);
            }
            state.next_authority.get_or_insert(fresh);
            Ok(true)
        })
    }

    async fn authority_exchange(&self) -> Result<bool> {
        self.write(|state, _| {
            let Some(next) = state.next_authority.take() else { return Ok(false) };
            state.authority = Some(next);
            Ok(true)
        })
    }

    async fn identity(&self) -> Result<(String, String)> {
        Ok((self.id.clone(), self.id.clone()))
    }

    async fn broken(&self) -> StoreError {
        std::future::pending().await
    }

    async fn close(&self) {
        *self.lock() = None;
    }
}
