//! The database's answers: each as the store has it, unless that is away, and held against what was promised.

use acai_access::Authority;
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

use super::{Kept, UNDISTURBED, Weather};
use crate::ledger::Ledger;
use crate::reasons::{self, Truth};
use crate::system::elapsed;

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

        async fn worker_leave(&self, worker: &str) -> Result<()> {
            let store = self.store();
            let leaves = |ledger: &mut Ledger, answer: &Result<()>| {
                if answer.is_ok() {
                    ledger.leaves(worker);
                }
                Ok(())
            };
            self.answer("worker_leave", store.worker_leave(worker), leaves).await
        }

        async fn worker_forget(&self, before_ms: i64) -> Result<u64> {
            let (store, known) = (self.store(), self.workers().await?);
            let forgotten = self.answer("worker_forget", store.worker_forget(before_ms), |_, _| Ok(())).await;
            let left = self.workers().await?;
            let gone: Vec<String> = known.difference(&left).cloned().collect();
            let kept = self.promised().ledger.forgets_workers(&gone);
            self.expect(kept);
            forgotten
        }

        async fn sweep_forget(&self, name: &str) -> Result<bool> {
            let store = self.store();
            let runs: Vec<RunId> = reasons::runs(&store, name).await?.iter().map(|run| run.id).collect();
            let forgets = |ledger: &mut Ledger, answer: &Result<bool>| {
                if !matches!(answer, Ok(true)) {
                    return Ok(());
                }
                self.rewrite();
                ledger.forgets(&runs)
            };
            self.answer("sweep_forget", store.sweep_forget(name), forgets).await
        }

        async fn run_claim(&self, claim: Claim, term_ms: i64) -> Result<Vec<Grant>> {
            let (store, asked, until_ms) = (self.store(), claim.clone(), self.in_ms(term_ms).await?);
            let told_before = reasons::told(&store).await?;
            let is_awaited = self.promised().ledger.awaits(&claim);
            let claims = |ledger: &mut Ledger, answer: &Result<Vec<Grant>>| match answer {
                Ok(grants) => ledger.claims(&asked, grants, until_ms),
                Err(_) => Ok(()),
            };
            let grants = self.answer("run_claim", store.run_claim(claim, term_ms), claims).await?;
            let machine = self.promised().ledger.machine(&asked.worker).cloned();
            if let Some(machine) = machine.filter(|_| is_awaited) {
                let told = reasons::told(&store).await?;
                self.expect(reasons::judge_claim(&machine, &asked, &grants, &told_before, &told));
            }
            Ok(grants)
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
            let (store, is_unfit) = (self.store(), matches!(mishap, Mishap::MachineFault(_)));
            let ends = |ledger: &mut Ledger, answer: &Result<RunState>| {
                if is_unfit && answer.is_ok() {
                    ledger.is_unfit(attempt);
                }
                ends(attempt, "released")(ledger, answer)
            };
            self.answer("attempt_release_after", store.attempt_release_after(attempt, mishap), ends).await
        }

        async fn run_explain(&self, sweep: &str, number: u32, silent_ms: i64) -> Result<Option<Explanation>> {
            let store = self.store();
            let explained = store.run_explain(sweep, number, silent_ms);
            let answer = self.answer("run_explain", explained, |_, _| Ok(())).await?;
            let ledger = self.promised().ledger.clone();
            let (truth, details) = (Truth::of(&store, ledger, elapsed()).await?, store.run_details(sweep, number).await?);
            if let (Some(explanation), Some(details)) = (&answer, details) {
                self.expect(truth.judge(sweep, details.set_aside, explanation.clone()));
            }
            Ok(answer)
        }
    }

    now_ms() -> i64;
    sweep_submit(sweep: NewSweep) -> Submission;
    sweep_import(sweep: NewSweep, runs: Vec<ImportedRun>) -> bool;
    sweep_list() -> Vec<Overview>;
    sweep_fetch(name: &str) -> Option<SweepRecord>;
    sweep_file(name: &str) -> Option<StoredFile>;
    sweep_weigh(name: &str) -> Option<Weight>;
    sweep_set_limits(name: &str, priority: Option<i64>, max_concurrent: Option<u32>) -> bool;
    runs_change(sweep: &str, numbers: Vec<u32>, intent: Intent) -> Option<Changes>;
    run_list(sweep: &str, states: &[RunState], from: u32, most: u32) -> Vec<RunRecord>;
    set_aside_list(sweep: &str, states: &[RunState], from: u32, most: u32) -> Vec<RunRecord>;
    run_details(sweep: &str, number: u32) -> Option<RunDetails>;
    run_name(run: RunId) -> Option<String>;
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
    worker_list(since_ms: i64, after: &str, most: u32) -> Vec<WorkerRecord>;
    demand() -> Demand;
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
