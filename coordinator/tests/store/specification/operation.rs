//! What people and workers may ask of a store, drawn at random.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use acai_access::{Scope, TokenDigest};
use acai_coordinator::store::{
    Allowance, Artifact, AttemptRef, BlobFile, Checkpoint, Claim, Duty, Grant, ImportedRun, Joins, Mishap,
    NewRun, NewSweep, NewToken, Registration, Replacing, Rest, RunId, StoreError, Submitter,
};
use acai_sweep::configuration::Configuration;
use acai_sweep::control::{Intent, RETRIED};
use acai_sweep::run::RunState;
use acai_sweep::scalar::Scalar;
use acai_sweep::schedule::Offer;
use acai_sweep::training::{IMAGES_PER_KIMG, TrainingConfig};
use proptest::option::of;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::select;

use super::reading::{names, plain};
use crate::{LEASE, Tested, point};

/// A step of a sequence. Numbers name things modulo how many of them there are.
#[derive(Debug, Clone)]
pub(super) enum Operation {
    Submit {
        file: File,
        replacing: Replacing,
    },
    /// The runs of some λ come ended, each with a picture in a blob if one is named.
    Import {
        file: File,
        ended: u8,
        blob: Option<u8>,
    },
    Announce {
        by: u8,
        blob: u8,
        kept_ms: i64,
    },
    SetLimits {
        sweep: u8,
        priority: Option<i64>,
        limit: Option<u32>,
    },
    Change {
        sweep: u8,
        number: Option<u32>,
        intent: Intent,
    },
    Forget {
        sweep: u8,
    },
    Register {
        worker: u8,
        has_digits: bool,
    },
    Leave {
        worker: u8,
    },
    Rest {
        worker: u8,
        slots: u32,
    },
    SetDuty {
        machine: u8,
        duty: Duty,
    },
    Claim {
        worker: u8,
        groups: u32,
        group_size: u32,
        /// The runs join a group of the shape that these have in a file: with λ by its bit, and of this length.
        joins: Option<(u8, u8)>,
        is_repeated: bool,
    },
    Renew {
        worker: u8,
        attempts: Vec<usize>,
        term_ms: i64,
    },
    /// From a number on, or after the last one that was acknowledged.
    Append {
        attempt: usize,
        first_seq: Option<u64>,
        points: u64,
        from_step: u64,
        value: u8,
    },
    /// At a step with so many points, or as it should be.
    Complete {
        attempt: usize,
        end: Option<(u64, u64)>,
    },
    Fail {
        attempt: usize,
        is_diverged: bool,
        last_seq: u64,
    },
    Release {
        attempt: usize,
    },
    MachineFault {
        attempt: usize,
    },
    GroupFault {
        attempt: usize,
    },
    Note {
        attempt: usize,
        message: u8,
    },
    Commit {
        attempt: usize,
        step: u64,
        blob: u8,
        last_seq: u64,
    },
    Reject {
        attempt: usize,
        blob: u8,
    },
    AddArtifact {
        attempt: usize,
        name: u8,
        step: u64,
        blob: u8,
    },
    Upload {
        blob: u8,
        replaces: bool,
    },
    Condemn {
        blob: u8,
    },
    Collect {
        unused_ms: i64,
    },
    Wait {
        ms: i64,
    },
    Expire,
    FreshTerms {
        term_ms: i64,
    },
    ForgetWorkers {
        ms: i64,
    },
    ForgetEvents {
        ms: i64,
    },
    AddToken {
        token: u8,
        digest: u8,
        valid_ms: Option<i64>,
    },
    RevokeToken {
        token: u8,
    },
    UseToken {
        token: u8,
    },
}

/// The file of a sweep: which λ it has, on what data, with which limits, and by the bearer of which token, if of one.
#[derive(Debug, Clone)]
pub(super) struct File {
    sweep: u8,
    lambdas: u8,
    kimg: u8,
    limit: Option<u32>,
    priority: i64,
    by: Option<u8>,
}

impl Operation {
    /// Whether it is one transaction on every store, so that others come before or after it as a whole.
    pub(super) fn is_one_transaction(&self) -> bool {
        !matches!(
            self,
            Operation::Change { .. }
                | Operation::Forget { .. }
                | Operation::Rest { .. }
                | Operation::Upload { .. }
                | Operation::Condemn { .. }
                | Operation::Wait { .. }
                | Operation::Expire
                | Operation::ForgetEvents { .. }
        )
    }

    /// The places of the attempts that are asked about.
    fn attempts(&self) -> &[usize] {
        use Operation::{
            AddArtifact, Append, Commit, Complete, Fail, GroupFault, MachineFault, Note, Reject, Release,
            Renew,
        };
        match self {
            Renew { attempts, .. } => attempts,
            Append { attempt, .. }
            | Complete { attempt, .. }
            | Fail { attempt, .. }
            | Release { attempt }
            | MachineFault { attempt }
            | GroupFault { attempt }
            | Note { attempt, .. }
            | Commit { attempt, .. }
            | Reject { attempt, .. }
            | AddArtifact { attempt, .. } => std::slice::from_ref(attempt),
            _ => &[],
        }
    }
}

pub(super) fn operation() -> impl Strategy<Value = Operation> {
    use Operation::{
        AddArtifact, AddToken, Announce, Append, Change, Claim, Collect, Commit, Complete, Condemn, Expire,
        Fail, Forget, ForgetEvents, ForgetWorkers, FreshTerms, GroupFault, Import, Leave, MachineFault, Note,
        Register, Reject, Release, Renew, Rest, RevokeToken, SetDuty, SetLimits, Upload, UseToken, Wait,
    };
    // The newest mostly hold their runs.
    let attempt = || prop_oneof![2 => 0..3usize, 1 => 0..12usize];
    let step = || select(vec![0u64, 4, 8, 10, 16, 20, 32, 33]);
    let seq = || 0..6u64;
    let ms = || select(vec![0, 1, 1000, LEASE - 1, LEASE, LEASE + 1, 59_999, 60_001, 3 * LEASE]);
    let intent = select(vec![
        Intent::Cancel,
        Intent::Pause,
        Intent::PauseNow,
        Intent::Resume,
        Intent::Retry { states: RETRIED.to_vec(), from_scratch: false },
        Intent::Retry { states: vec![RunState::Cancelled, RunState::Failed], from_scratch: true },
    ]);
    let duty = select(vec![Duty::Open, Duty::Cordoned, Duty::Drained]);
    let work = prop_oneof![
        6 => (0..3u8, 0..4u32, 1..4u32, any::<bool>()).prop_map(|(worker, groups, group_size, is_repeated)| Claim {
            worker, groups, group_size, joins: None, is_repeated: is_repeated && groups == 1 }),
        3 => (0..3u8, 1..4u32, 0..3u8, 0..2u8).prop_map(|(worker, group_size, bit, kimg)| Claim {
            worker, groups: 1, group_size, joins: Some((bit, kimg)), is_repeated: false }),
        3 => (0..3u8, proptest::collection::vec(attempt(), 0..4), ms()).prop_map(|(worker, attempts, term_ms)| Renew {
            worker, attempts, term_ms }),
        8 => (attempt(), of(1..5u64), 0..5u64, step(), 0..3u8).prop_map(|(attempt, first_seq, points, from_step, value)| Append {
            attempt, first_seq, points, from_step, value }),
        4 => (attempt(), of((select(vec![16u64, 32, 20]), seq()))).prop_map(|(attempt, end)| Complete { attempt, end }),
        2 => (attempt(), any::<bool>(), seq()).prop_map(|(attempt, is_diverged, last_seq)| Fail { attempt, is_diverged, last_seq }),
        2 => attempt().prop_map(|attempt| Release { attempt }),
        2 => attempt().prop_map(|attempt| MachineFault { attempt }),
        1 => attempt().prop_map(|attempt| GroupFault { attempt }),
        1 => (attempt(), 0..2u8).prop_map(|(attempt, message)| Note { attempt, message }),
        4 => (attempt(), step(), 0..3u8, 0..3u64).prop_map(|(attempt, step, blob, last_seq)| Commit { attempt, step, blob, last_seq }),
        1 => (attempt(), 0..3u8).prop_map(|(attempt, blob)| Reject { attempt, blob }),
        2 => (attempt(), 0..2u8, step(), 0..3u8).prop_map(|(attempt, name, step, blob)| AddArtifact { attempt, name, step, blob }),
        4 => (0..3u8, any::<bool>()).prop_map(|(blob, replaces)| Upload { blob, replaces }),
    ];
    let care = prop_oneof![
        4 => submission(),
        1 => (file(), 0..8u8, of(0..3u8)).prop_map(|(file, ended, blob)| Import { file, ended, blob }),
        1 => (0..2u8, 0..3u8, ms()).prop_map(|(by, blob, kept_ms)| Announce { by, blob, kept_ms }),
        1 => (0..4u8, select(vec![None, Some(3i64)]), limit()).prop_map(|(sweep, priority, limit)| SetLimits { sweep, priority, limit }),
        4 => (0..4u8, select(vec![None, None, Some(0u32), Some(1), Some(7)]), intent).prop_map(|(sweep, number, intent)| Change {
            sweep, number, intent }),
        1 => (0..4u8).prop_map(|sweep| Forget { sweep }),
        3 => (0..3u8, any::<bool>()).prop_map(|(worker, has_digits)| Register { worker, has_digits }),
        1 => (0..3u8).prop_map(|worker| Leave { worker }),
        1 => (0..3u8, 0..2u32).prop_map(|(worker, slots)| Rest { worker, slots }),
        1 => (0..3u8, duty).prop_map(|(machine, duty)| SetDuty { machine, duty }),
        1 => (0..3u8).prop_map(|blob| Condemn { blob }),
        1 => ms().prop_map(|unused_ms| Collect { unused_ms }),
        4 => ms().prop_map(|ms| Wait { ms }),
        2 => Just(Expire),
        1 => ms().prop_map(|term_ms| FreshTerms { term_ms }),
        1 => ms().prop_map(|ms| ForgetWorkers { ms }),
        1 => ms().prop_map(|ms| ForgetEvents { ms }),
        1 => (0..2u8, 0..2u8, of(ms())).prop_map(|(token, digest, valid_ms)| AddToken { token, digest, valid_ms }),
        1 => (0..2u8).prop_map(|token| RevokeToken { token }),
        1 => (0..2u8).prop_map(|token| UseToken { token }),
    ];
    prop_oneof![2 => work, 1 => care]
}

pub(super) fn submission() -> impl Strategy<Value = Operation> {
    let replacing = vec![Replacing::DryRun, Replacing::WithoutResults, Replacing::Any, Replacing::Any];
    (file(), select(replacing)).prop_map(|(file, replacing)| Operation::Submit { file, replacing })
}

fn file() -> impl Strategy<Value = File> {
    let by = prop_oneof![3 => Just(None), 1 => (0..2u8).prop_map(Some)];
    (0..3u8, 0..8u8, 0..2u8, limit(), -1..2i64, by).prop_map(|(sweep, lambdas, kimg, limit, priority, by)| {
        File { sweep, lambdas, kimg, limit, priority, by }
    })
}

fn limit() -> impl Strategy<Value = Option<u32>> {
    select(vec![None, Some(1), Some(2), Some(0)])
}

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
            Operation::FreshTerms { term_ms } => said(&store.lease_grant_fresh_terms(term_ms).await),
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

fn sha256(blob: u8) -> String {
    blob.to_string().repeat(64)
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

/// Who has the token of this number: few sweeps, runs and bytes.
fn submitter(token: u8) -> Submitter {
    let allowance = Allowance { sweeps: Some(1), runs: Some(4), bytes: Some(24) };
    Submitter { token: format!("t{token}"), name: format!("bearer {token}"), allowance }
}

/// A run as it comes from elsewhere: with points, and with a picture if it has a blob.
fn imported(run: &NewRun, blob: Option<u8>) -> ImportedRun {
    let picture = |blob| (Artifact { name: "a0.png".to_owned(), step: 8, sha256: sha256(blob), bytes: 8 }, 1);
    ImportedRun {
        config_hash: run.configuration.config_hash.clone(),
        seed: run.seed,
        state: if run.seed == 1 { RunState::Failed } else { RunState::Completed },
        step: run.total_steps,
        failures: 1,
        message: Some("it was elsewhere".to_owned()),
        curves: vec![("eval/mean_distance".to_owned(), vec![(8, 0.5), (16, 0.25)])],
        artifacts: blob.into_iter().map(picture).collect(),
    }
}

/// With the λ of this bit, on digits for one of them and on lines otherwise, of 16 steps or 32.
fn configuration(bit: u8, kimg: u8) -> Configuration {
    let configuration = Configuration::new([
        ("model", "acai".into()),
        ("dataset", if bit == 2 { "digits32" } else { "lines32" }.into()),
        ("batch", Scalar::Int(64)),
        ("eval_kimg", Scalar::Float(0.625)),
        ("total_kimg", Scalar::Float(f64::from(kimg + 1))),
        ("lambda", Scalar::Float(f64::from(bit) / 8.0)),
    ]);
    configuration.unwrap()
}

impl File {
    /// Of the λ that `lambdas` has the bits of, some on lines and one on digits, each with a seed of its own, of 16 steps or 32.
    fn runs(&self, lambdas: u8) -> Vec<NewRun> {
        let run = |bit: u8| NewRun::new(&configuration(bit, self.kimg), bit.into());
        (0..3).filter(|bit| lambdas >> bit & 1 == 1).map(run).collect()
    }

    fn sweep(&self) -> NewSweep {
        NewSweep {
            source: format!("file {}", self.lambdas),
            tags: vec!["a tag".to_owned()],
            priority: self.priority,
            max_concurrent: self.limit.filter(|most| *most > 0),
            max_restarts: 1,
            max_lost_workers: 2,
            max_failed_runs: Some(2),
            submitter: self.by.map(submitter),
            ..NewSweep::new(&format!("s{}", self.sweep), self.runs(self.lambdas))
        }
    }
}
