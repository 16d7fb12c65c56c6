//! A store, and those who call it as operations say.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use acai_access::{Scope, TokenDigest};
use acai_coordinator::store::{
    Artifact, AttemptRef, BlobFile, Checkpoint, Claim, Grant, Joins, Mishap, NewSweep, NewToken,
    Registration, Replacing, Rest, RunId, StoreError,
};
use acai_sweep::schedule::Offer;
use acai_sweep::training::{IMAGES_PER_KIMG, TrainingConfig};

use super::file::{File, configuration, imported, sha256, submitter};
use super::operation::Operation;
use super::reading::{names, plain};
use crate::{LEASE, Tested, point};

/// A store, with what its callers have been told.
pub(super) struct Side {
    pub(super) store: Tested,
    /// Attempts that were granted, in order.
    attempts: Vec<Granted>,
    /// Operations so far.
    count: u64,
    /// Number of the last claim.
    last_claim: u64,
}

/// An attempt, as its worker knows it.
#[derive(Debug, Clone)]
struct Granted {
    attempt: AttemptRef,
    /// Steps of its run.
    steps: u64,
    /// Its points up to this number were acknowledged.
    acked_seq: u64,
}

impl From<&Grant> for Granted {
    fn from(grant: &Grant) -> Granted {
        let TrainingConfig { total_kimg, batch, .. } = grant.configuration.training_config();
        let steps = total_kimg * IMAGES_PER_KIMG / f64::from(batch);
        Granted { attempt: grant.attempt, steps: steps as u64, acked_seq: 0 }
    }
}

/// What came of an operation.
pub(super) struct Outcome {
    text: String,
    /// Attempts that it was granted.
    granted: Vec<Granted>,
    /// The attempt of which points up to this number were acknowledged.
    acked: Option<(AttemptRef, u64)>,
}

impl From<String> for Outcome {
    fn from(text: String) -> Outcome {
        Outcome { text, granted: Vec::new(), acked: None }
    }
}

impl Side {
    /// A store with two workers, two tokens and a sweep, so that short sequences have something to do.
    pub(super) async fn new(store: Tested) -> Side {
        let mut side = Side { store, attempts: Vec::new(), count: 0, last_claim: 0 };
        for worker in 0..2 {
            side.apply(&Operation::Register { worker, has_digits: worker == 0 }).await;
        }
        for token in 0..2 {
            side.apply(&Operation::AddToken { token, digest: 0, valid_ms: None }).await;
        }
        let file = File { sweep: 0, lambdas: 7, kimg: 0, limit: None, priority: 0, by: None };
        side.apply(&Operation::Submit { file, replacing: Replacing::Any }).await;
        side.apply(&Operation::Upload { blob: 0, replaces: false }).await;
        side
    }

    /// The same, on another store.
    pub(super) fn on(&self, store: Tested) -> Side {
        let Side { attempts, count, last_claim, .. } = self;
        Side { store, attempts: attempts.clone(), count: *count, last_claim: *last_claim }
    }

    fn attempt(&self, place: usize) -> AttemptRef {
        self.granted(place).attempt
    }

    fn granted(&self, place: usize) -> Granted {
        let nobodys = AttemptRef { run: 1_000_000.into(), number: 1, token: 7 };
        match self.attempts.len() {
            0 => Granted { attempt: nobodys, steps: 0, acked_seq: 0 },
            granted => self.attempts[granted - 1 - place % granted].clone(),
        }
    }

    /// The runs whose rows a database holds while it does what is asked.
    pub(super) fn runs(&self, operations: &[Operation]) -> BTreeSet<RunId> {
        let places = operations.iter().flat_map(Operation::attempts);
        places.map(|&place| self.attempt(place).run).collect()
    }

    /// Does what is asked; answers what came of it.
    pub(super) async fn apply(&mut self, operation: &Operation) -> String {
        self.apply_in_order(std::slice::from_ref(operation), &[0]).await
    }

    /// Does what is asked one after the other, in this order of its places; answers what came of it.
    pub(super) async fn apply_in_order(&mut self, operations: &[Operation], order: &[usize]) -> String {
        let mut outcomes: Vec<_> = order.iter().map(|_| None).collect();
        for &place in order {
            outcomes[place] = Some(self.outcome(&operations[place], self.number(place)).await);
        }
        self.learn(operations, outcomes.into_iter().flatten().collect()).await
    }

    /// Does what is asked, three things at the most, all at once; answers what came of it.
    pub(super) async fn apply_at_once(&mut self, operations: &[Operation]) -> String {
        let call = async |place: usize| match operations.get(place) {
            Some(operation) => Some(self.outcome(operation, self.number(place)).await),
            None => None,
        };
        let (first, second, third) = tokio::join!(call(0), call(1), call(2));
        self.learn(operations, [first, second, third].into_iter().flatten().collect()).await
    }

    /// The number of the operation that is at this place after those so far.
    fn number(&self, place: usize) -> u64 {
        self.count + place as u64 + 1
    }

    /// Remembers what the callers were told.
    async fn learn(&mut self, operations: &[Operation], outcomes: Vec<Outcome>) -> String {
        let mut texts = Vec::new();
        for (operation, Outcome { text, granted, acked }) in operations.iter().zip(outcomes) {
            self.count += 1;
            if matches!(operation, Operation::Claim { is_repeated: false, .. }) {
                self.last_claim = self.count;
            }
            texts.push(text);
            let is_new = |new: &Granted| self.attempts.iter().all(|known| known.attempt != new.attempt);
            let new: Vec<_> = granted.into_iter().filter(is_new).collect();
            self.attempts.extend(new);
            for known in &mut self.attempts {
                known.acked_seq =
                    acked.filter(|(of, _)| *of == known.attempt).map_or(known.acked_seq, |(_, seq)| seq);
            }
        }
        // Attempts by their places, since a store may give the id of a run that was forgotten again; runs as they are named now.
        let mut text = texts.join("\n");
        for (place, Granted { attempt, .. }) in self.attempts.iter().enumerate() {
            text = text.replace(&format!("{attempt:?}"), &format!("attempt {place}"));
        }
        let names = if text.contains("RunId(") { names(&self.store).await } else { BTreeMap::new() };
        plain(&text, &names)
    }

    async fn outcome(&self, operation: &Operation, number: u64) -> Outcome {
        let store = &*self.store;
        let text = match operation.clone() {
            Operation::Submit { file, replacing } => {
                said(&store.sweep_submit(NewSweep { replacing, ..file.sweep() }).await)
            }
            Operation::Import { file, ended, blob } => {
                let ended = file.runs(ended).iter().map(|run| imported(run, blob)).collect();
                said(&store.sweep_import(file.sweep(), ended).await)
            }
            Operation::Announce { by, blob, kept_ms } => {
                said(&store.upload_announce(submitter(by), &sha256(blob), 8, kept_ms).await)
            }
            Operation::SetLimits { sweep, priority, limit } => {
                said(&store.sweep_set_limits(&format!("s{sweep}"), priority, limit).await)
            }
            Operation::Change { sweep, number, intent } => {
                said(&store.runs_change(&format!("s{sweep}"), number.into_iter().collect(), intent).await)
            }
            Operation::Forget { sweep } => said(&store.sweep_forget(&format!("s{sweep}")).await),
            Operation::Register { worker, has_digits } => {
                said(&store.worker_register(registration(worker, has_digits)).await.map(drop))
            }
            Operation::Leave { worker } => said(&store.worker_leave(&format!("w{worker}")).await),
            Operation::Rest { worker, slots } => {
                let rest = Rest { slots, reason: "no disk".to_owned() };
                said(&store.worker_set_rest(&format!("w{worker}"), rest).await)
            }
            Operation::SetDuty { machine, duty } => {
                said(&store.worker_set_duty(&format!("m{}", machine % 2), duty).await)
            }
            Operation::Claim { worker, groups, group_size, joins, is_repeated } => {
                let number = if is_repeated { self.last_claim.max(1) } else { number };
                let joins = joins.map(|(bit, kimg)| Joins {
                    shape_key: configuration(bit, kimg).shape_key(),
                    group: format!("c{}/0", self.last_claim),
                });
                let offer = Offer { groups, group_size };
                let (worker, id) = (format!("w{worker}"), format!("c{number}"));
                return self.claim(Claim { worker, id, number, offer, joins }).await;
            }
            Operation::Renew { worker, attempts, term_ms } => {
                let attempts = attempts.into_iter().map(|place| self.attempt(place)).collect();
                said(&store.lease_renew(&format!("w{worker}"), attempts, term_ms).await)
            }
            Operation::Append { attempt, first_seq, points, from_step, value } => {
                let points = (0..points).map(|seq| {
                    let name = ["train/loss", "eval/mean_distance"][(seq % 2) as usize];
                    point(name, from_step + seq / 2, f64::from(value) + 1.0 / (seq + 1) as f64)
                });
                let Granted { attempt, acked_seq, .. } = self.granted(attempt);
                let first_seq = first_seq.unwrap_or(acked_seq + 1);
                let acked = store.metrics_append(attempt, first_seq, points.collect(), from_step).await;
                let text = said(&acked);
                return Outcome { acked: acked.ok().map(|seq| (attempt, seq)), ..text.into() };
            }
            Operation::Complete { attempt, end } => {
                let Granted { attempt, steps, acked_seq } = self.granted(attempt);
                let (step, last_seq) = end.unwrap_or((steps, acked_seq));
                said(&store.attempt_complete(attempt, step, last_seq).await)
            }
            Operation::Fail { attempt, is_diverged, last_seq } => {
                let message = "it broke".to_owned();
                said(&store.attempt_fail(self.attempt(attempt), is_diverged, message, last_seq).await)
            }
            Operation::Release { attempt } => said(&store.attempt_release(self.attempt(attempt)).await),
            Operation::MachineFault { attempt } => {
                let fault = Mishap::MachineFault("no memory".to_owned());
                said(&store.attempt_release_after(self.attempt(attempt), fault).await)
            }
            Operation::GroupFault { attempt } => {
                let fault = Mishap::GroupFault("killed".to_owned());
                said(&store.attempt_release_after(self.attempt(attempt), fault).await)
            }
            Operation::Note { attempt, message } => {
                said(&store.attempt_note(self.attempt(attempt), format!("note {message}")).await)
            }
            Operation::Commit { attempt, step, blob, last_seq } => {
                let checkpoint = Checkpoint { step, sha256: sha256(blob), bytes: 8 };
                said(&store.checkpoint_commit(self.attempt(attempt), checkpoint, last_seq).await)
            }
            Operation::Reject { attempt, blob } => {
                let reason = "damaged".to_owned();
                said(&store.checkpoint_reject(self.attempt(attempt), sha256(blob), reason).await)
            }
            Operation::AddArtifact { attempt, name, step, blob } => {
                let artifact =
                    Artifact { name: format!("a{name}.png"), step, sha256: sha256(blob), bytes: 8 };
                said(&store.artifact_add(self.attempt(attempt), artifact).await)
            }
            Operation::Upload { blob, replaces } => self.upload(blob, replaces, number).await,
            Operation::Condemn { blob } => match store.blob_find(&sha256(blob)).await.unwrap() {
                Some((file, _)) => said(&store.blob_condemn(file).await),
                None => "no blob".to_owned(),
            },
            Operation::Collect { unused_ms } => {
                let mut collected = store.blob_collect(unused_ms, unused_ms).await.unwrap();
                collected.sort();
                format!("{collected:?}")
            }
            Operation::Wait { ms } => {
                self.store.clock.set(self.store.clock.now_ms() + ms);
                String::new()
            }
            Operation::Expire => said(&store.lease_expire(self.store.clock.now_ms()).await),
            Operation::Start { set_back_ms, term_ms } => {
                self.store.clock.set(self.store.clock.now_ms() - set_back_ms);
                said(&store.lease_grant_fresh_terms(term_ms).await)
            }
            Operation::ForgetWorkers { ms } => {
                said(&store.worker_forget(self.store.clock.now_ms() - ms).await)
            }
            Operation::ForgetEvents { ms } => said(&store.event_forget(self.store.clock.now_ms() - ms).await),
            Operation::AddToken { token, digest, valid_ms } => {
                let (id, name) = (format!("t{token}"), format!("bearer {token}"));
                let digest = TokenDigest::from([digest; 32]);
                said(&store.token_add(NewToken { id, name, scope: Scope::Submit, digest, valid_ms }).await)
            }
            Operation::RevokeToken { token } => said(&store.token_revoke(&format!("t{token}")).await),
            Operation::UseToken { token } => said(&store.token_used(&format!("t{token}")).await),
        };
        text.into()
    }

    async fn claim(&self, claim: Claim) -> Outcome {
        let granted = self.store.run_claim(claim, LEASE).await;
        Outcome { granted: granted.iter().flatten().map(Granted::from).collect(), ..said(&granted).into() }
    }

    async fn upload(&self, blob: u8, replaces: bool, number: u64) -> String {
        let file = BlobFile { sha256: sha256(blob), tag: format!("tag{number}") };
        let gone = self.store.blob_find(&file.sha256).await.unwrap().map(|(file, _)| file);
        self.store.blob_begin(file.clone()).await.unwrap();
        said(&self.store.blob_add(file, 8, gone.filter(|_| replaces)).await)
    }
}

fn said<T: Debug>(outcome: &Result<T, StoreError>) -> String {
    format!("{outcome:?}")
}

fn registration(worker: u8, has_digits: bool) -> Registration {
    let datasets = if has_digits { vec!["lines32", "digits32"] } else { vec!["lines32"] };
    Registration {
        id: format!("w{worker}"),
        name: format!("m{}", worker % 2),
        version: "0".to_owned(),
        hardware: "{}".to_owned(),
        slots: 2,
        datasets: datasets.into_iter().map(str::to_owned).collect(),
    }
}
