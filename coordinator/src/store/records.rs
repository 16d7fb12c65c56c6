//! What goes into a store and comes out of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::blobs::Name;
use acai_sweep::configuration::Configuration;
use acai_sweep::explain::{Situation, WorkerSituation};
use acai_sweep::report::Report;
use acai_sweep::results::Summary;
use acai_sweep::run::{Desired, RunState};
use acai_sweep::schedule::Offer;

/// One execution of a run, as the worker that was granted it names it in each call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AttemptRef {
    /// The run.
    pub run: u64,
    /// Counts claims of the run, from 1.
    pub number: u32,
    /// Random: tells the attempt from one of the same number in another database, or in an older state of this one.
    /// [`NO_TOKEN`](Self::NO_TOKEN) matches every token.
    pub token: u64,
}

impl AttemptRef {
    /// What workers of version 0.1.0 send, which know no tokens.
    pub const NO_TOKEN: u64 = 0;
}

/// An earlier attempt of a run that is granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EarlierAttempt {
    /// Counts claims of the run, from 1.
    pub number: u32,
    /// As in [`AttemptRef`].
    pub token: u64,
    /// Its points 1 to this number are durable.
    pub acked_seq: u64,
}

/// A sweep to submit, with its expanded plan.
#[derive(Debug, Clone)]
pub struct NewSweep {
    /// Its id for people.
    pub name: String,
    /// The YAML text.
    pub source: String,
    /// For people.
    pub description: String,
    /// For people.
    pub tags: Vec<String>,
    /// Larger first.
    pub priority: i64,
    /// Runs at a time.
    pub max_concurrent: Option<u32>,
    /// How many failures a run may have and still be queued again.
    pub max_restarts: u32,
    /// How many workers in a row may fall silent over a run, with no checkpoint between, until the run is given up.
    pub max_lost_workers: u32,
    /// Runs that may end badly before the sweep pauses.
    pub max_failed_runs: Option<u32>,
    /// Training between two checkpoints, ×1024 images; `None`: as between evaluations.
    pub checkpoint_kimg: Option<f64>,
    /// What the file says of tables.
    pub report: Report,
    /// In plan order.
    pub runs: Vec<NewRun>,
    /// What may become of runs that are there and not among these.
    pub replacing: Replacing,
}

/// What a submission may do to runs that the new plan lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replacing {
    /// Nothing: the submission changes nothing at all, and only answers what it would do.
    DryRun,
    /// Set them aside, unless one of them has results; then nothing changes.
    WithoutResults,
    /// Set them aside.
    Any,
}

impl NewSweep {
    /// A sweep of which only the name and the runs are given: it has no limits, and each failure or lost worker ends a
    /// run.
    #[must_use]
    pub fn new(name: &str, runs: Vec<NewRun>) -> NewSweep {
        NewSweep {
            name: name.to_owned(),
            source: String::new(),
            description: String::new(),
            tags: Vec::new(),
            priority: 0,
            max_concurrent: None,
            max_restarts: 0,
            max_lost_workers: 1,
            max_failed_runs: None,
            checkpoint_kimg: None,
            report: Report::default(),
            runs,
            replacing: Replacing::Any,
        }
    }
}

/// A run of a plan.
#[derive(Debug, Clone)]
pub struct NewRun {
    /// Key of its random numbers.
    pub seed: u64,
    /// What the run trains; shared with the runs of other seeds.
    pub configuration: Arc<PlannedConfiguration>,
    /// Steps of the whole run.
    pub total_steps: u64,
}

impl NewRun {
    /// A run that shares its configuration with no other run.
    #[must_use]
    pub fn new(configuration: &Configuration, seed: u64) -> NewRun {
        NewRun::of(&Arc::new(PlannedConfiguration::new(configuration)), seed)
    }

    /// One of several runs of a configuration.
    #[must_use]
    pub fn of(configuration: &Arc<PlannedConfiguration>, seed: u64) -> NewRun {
        NewRun { seed, total_steps: configuration.total_steps, configuration: Arc::clone(configuration) }
    }
}

/// A configuration as the store keeps it: encoded and hashed before the transaction that stores it.
#[derive(Debug, Clone)]
pub struct PlannedConfiguration {
    /// Canonical JSON.
    pub json: String,
    /// Identifies the configuration.
    pub config_hash: String,
    /// Runs that share it can be trained as one group.
    pub shape_key: String,
    /// What a worker needs to have.
    pub dataset: String,
    /// Images in a step.
    pub batch: u32,
    /// Steps of a whole run.
    pub total_steps: u64,
}

impl PlannedConfiguration {
    /// Encodes and hashes a configuration.
    #[must_use]
    pub fn new(configuration: &Configuration) -> PlannedConfiguration {
        let training = configuration.training_config();
        PlannedConfiguration {
            json: configuration.to_json(),
            config_hash: configuration.config_hash(),
            shape_key: configuration.shape_key(),
            dataset: training.dataset.name().to_owned(),
            batch: training.batch,
            total_steps: training.total_steps(),
        }
    }
}

/// What a submission changed, or would change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Submission {
    /// Runs added.
    pub new_runs: u32,
    /// Runs of the plan that were stored before.
    pub existing_runs: u32,
    /// Stored runs that are not in the plan.
    pub other_runs: u32,
    /// Those of the other runs that were in the plan before.
    pub set_aside: u32,
    /// Those of the runs set aside that have results, which is any point.
    pub set_aside_with_results: u32,
    /// Whether the submission was stored.
    pub is_stored: bool,
}

/// A sweep's progress.
#[derive(Debug, Clone)]
pub struct Overview {
    /// Its id for people.
    pub name: String,
    /// For people.
    pub description: String,
    /// For people.
    pub tags: Vec<String>,
    /// Larger first.
    pub priority: i64,
    /// Runs at a time.
    pub max_concurrent: Option<u32>,
    /// First submission.
    pub submitted_ms: i64,
    /// Why it starts no runs.
    pub paused: Option<String>,
    /// Number of its last event.
    pub last_event: u64,
    /// Points that a later attempt reported with another value.
    pub replay_mismatches: u64,
    /// Runs of the plan by state; absent when none.
    pub counts: Vec<(RunState, u32)>,
    /// Runs that left the plan while they were trained, and have not been given back yet.
    pub leaving: u32,
    /// Images that the runs of the plan have been trained on.
    pub images_done: u64,
    /// Images that the runs of the plan will have been trained on in the end.
    pub images_total: u64,
    /// Datasets of its queued runs.
    pub queued_datasets: Vec<String>,
}

/// A sweep with its file.
#[derive(Debug, Clone)]
pub struct SweepRecord {
    /// Its progress.
    pub overview: Overview,
    /// Its file.
    pub file: StoredFile,
}

/// What a sweep has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Weight {
    /// In its plan and set aside.
    pub runs: u32,
    /// Of these, held by workers.
    pub running: u32,
    /// Of all metrics.
    pub points: u64,
    /// Of its runs.
    pub checkpoints: u64,
    /// Of its runs.
    pub artifacts: u64,
    /// Of checkpoints and artifacts.
    pub bytes: u64,
}

/// A sweep's file.
#[derive(Debug, Clone)]
pub struct StoredFile {
    /// The YAML text.
    pub source: String,
    /// What the file says of tables; `None` where an earlier version stored it, or a later one in its own way.
    pub report: Option<Report>,
}

/// A run.
#[derive(Debug, Clone)]
pub struct RunRecord {
    /// Its number in this database.
    pub id: u64,
    /// Its number in its sweep, for ever.
    pub number: u32,
    /// Place in the plan, which submissions change.
    pub place: u32,
    /// Key of its random numbers.
    pub seed: u64,
    /// What it trains.
    pub configuration: Configuration,
    /// Where it is in its life.
    pub state: RunState,
    /// Claims so far.
    pub attempt: u32,
    /// Steps done.
    pub step: u64,
    /// Steps of the whole run.
    pub total_steps: u64,
    /// Name of the worker that holds the run, or held it last.
    pub worker: Option<String>,
    /// Failures charged to it.
    pub failures: u32,
    /// Workers lost since its last checkpoint.
    pub losses: u32,
    /// What its worker has been asked.
    pub desired: Option<Desired>,
    /// Why it last failed.
    pub message: Option<String>,
}

/// What a worker says of itself.
#[derive(Debug, Clone)]
pub struct Registration {
    /// A UUID.
    pub id: String,
    /// For people.
    pub name: String,
    /// Of its program.
    pub version: String,
    /// JSON.
    pub hardware: String,
    /// Groups it trains at a time.
    pub slots: u32,
    /// What it can train on.
    pub datasets: Vec<String>,
}

/// Slots of a worker that take no runs for a while, because its machine could not train what they were given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rest {
    /// How many.
    pub slots: u32,
    /// Why the last of them rests; for people.
    pub reason: String,
}

/// What went wrong without being the run's fault, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mishap {
    /// The worker's machine cannot train the run.
    MachineFault(String),
    /// The trainer of several runs broke down, and nobody can tell by which of them.
    GroupFault(String),
}

/// A worker.
#[derive(Debug, Clone)]
pub struct WorkerRecord {
    /// What it said of itself.
    pub registration: Registration,
    /// Its last call.
    pub last_seen_ms: i64,
    /// Runs it holds.
    pub running: u32,
    /// Whether it takes runs.
    pub duty: Duty,
    /// Its slots that take none for a while.
    pub rest: Option<Rest>,
    /// Whether it has said that it ends.
    pub ended: bool,
}

/// A worker's wish for work.
#[derive(Debug, Clone)]
pub struct Claim {
    /// Who.
    pub worker: String,
    /// Chosen by the worker; the same when repeated.
    pub id: String,
    /// Counts the worker's claims from 1; 0 for a worker of the release before, which does not count them.
    pub number: u64,
    /// How much.
    pub offer: Offer,
}

/// A run granted to a worker.
#[derive(Debug, Clone)]
pub struct Grant {
    /// The execution it may now do.
    pub attempt: AttemptRef,
    /// Which group of the claim it belongs to.
    pub group: u32,
    /// Its sweep.
    pub sweep: String,
    /// The run's number in its sweep.
    pub number: u32,
    /// Key of its random numbers.
    pub seed: u64,
    /// What to train.
    pub configuration: Configuration,
    /// Training between two checkpoints, ×1024 images; `None`: as between evaluations.
    pub checkpoint_kimg: Option<f64>,
    /// What training may go on from, newest first.
    pub checkpoints: Vec<Checkpoint>,
    /// The number of the last attempt whose checkpoints on a worker's machine must not be used, nor those of attempts
    /// before it.
    pub void_attempts: u32,
    /// The run's latest earlier attempts, newest first.
    pub earlier_attempts: Vec<EarlierAttempt>,
}

/// A value of a metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Such as `eval/mean_distance`.
    pub name: String,
    /// Training steps done.
    pub step: u64,
    /// Finite.
    pub value: f64,
}

/// A run with all that is known of it.
#[derive(Debug, Clone)]
pub struct RunDetails {
    /// The run.
    pub run: RunRecord,
    /// The sweep's file no longer asks for the run.
    pub set_aside: bool,
    /// Its executions, in order.
    pub attempts: Vec<AttemptRecord>,
    /// Its metrics.
    pub summaries: BTreeMap<String, Summary>,
    /// Its checkpoints, newest first.
    pub checkpoints: Vec<StoredCheckpoint>,
}

/// An execution of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptRecord {
    /// Counts claims of the run, from 1.
    pub number: u32,
    /// Name of its worker.
    pub worker: String,
    /// Of the worker's program.
    pub version: String,
    /// The worker's machine, as JSON.
    pub hardware: String,
    /// When the run was granted.
    pub started_ms: i64,
    /// When the attempt ended.
    pub ended_ms: Option<i64>,
    /// How it ended.
    pub outcome: Option<String>,
    /// Why it ended, for people.
    pub message: Option<String>,
    /// Points that differed from those of an earlier attempt.
    pub replay_mismatches: u64,
    /// The last step that it has points of.
    pub step: Option<u64>,
}

/// A checkpoint as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCheckpoint {
    /// What it is.
    pub checkpoint: Checkpoint,
    /// Which attempt wrote it.
    pub attempt: u32,
    /// When it was committed.
    pub committed_ms: i64,
    /// Why it was taken out of use; `None` if it can be resumed from.
    pub rejected: Option<String>,
}

/// A run, as one whose curve is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CurveRun {
    /// Its number in this database.
    pub id: u64,
    /// Its number in its sweep.
    pub number: u32,
    /// Key of its random numbers.
    pub seed: u64,
    /// Where it is in its life.
    pub state: RunState,
    /// How many points of the metric it has.
    pub points: u64,
    /// Step of the last of them; 0 if there are none.
    pub last_step: u64,
}

/// A point of a run's metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PointOfRun {
    /// The run's number in this database.
    pub run: u64,
    /// Training steps done.
    pub step: u64,
    /// Finite.
    pub value: f64,
}

/// What `runs_change` did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Changes {
    /// Runs whose state has changed, or of which nothing is asked any more.
    pub changed: u32,
    /// Runs whose workers are asked.
    pub asked: u32,
    /// Runs that the intent does not apply to.
    pub unchanged: u32,
}

/// Whether a machine takes runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duty {
    /// It takes runs.
    Open,
    /// It takes no more runs.
    Cordoned,
    /// It takes no more runs, and is asked to give back those that it has.
    Drained,
}

/// A place in a sweep's list of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Number of the event; 0: before the first one.
    pub number: u64,
    /// When that event happened, if the caller has seen it: a restored database has another one of this number.
    pub at_ms: Option<i64>,
}

impl From<u64> for Place {
    fn from(number: u64) -> Place {
        Place { number, at_ms: None }
    }
}

/// Something that happened to a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRecord {
    /// Counts the events of a sweep from 1, without gaps.
    pub number: u64,
    /// When.
    pub at_ms: i64,
    /// The run's number in this database.
    pub run: u64,
    /// The run's number in its sweep.
    pub run_number: u32,
    /// The state that it entered.
    pub state: RunState,
    /// Claims of the run so far.
    pub attempt: u32,
    /// Name of the worker that is involved.
    pub worker: Option<String>,
    /// For people.
    pub message: Option<String>,
}

/// What decides whether a run is trained.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// The run.
    pub run: Option<RunRecord>,
    /// What is known of it and its sweep.
    pub situation: Situation,
    /// What is known of each worker, by name; last seen first.
    pub workers: Vec<(String, WorkerSituation)>,
    /// The run's last events, oldest first.
    pub events: Vec<EventRecord>,
}

/// A checkpoint of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Steps done.
    pub step: u64,
    /// Of its file: 64 hexadecimal digits, lower case.
    pub sha256: String,
    /// Size of its file.
    pub bytes: u64,
}

/// A file that a run leaves for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// Of the file, without its step: `interpolations.png`.
    pub name: String,
    /// Steps done when it was made.
    pub step: u64,
    /// Of its bytes: 64 hexadecimal digits, lower case.
    pub sha256: String,
    /// Its size.
    pub bytes: u64,
}

/// An artifact of a run of a sweep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArtifactRecord {
    /// The run's number in the sweep.
    pub number: u32,
    /// The file.
    pub artifact: Artifact,
    /// Which attempt of the run brought it.
    pub attempt: u32,
    /// When.
    pub added_ms: i64,
}

/// A place in the list of a sweep's artifacts: that of the artifact of a run, a step and a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArtifactPlace {
    /// The run's number in the sweep.
    pub number: u32,
    /// Steps done.
    pub step: u64,
    /// The artifact's name.
    pub name: String,
}

impl ArtifactRecord {
    /// Its place in the list.
    #[must_use]
    pub fn place(&self) -> ArtifactPlace {
        ArtifactPlace { number: self.number, step: self.artifact.step, name: self.artifact.name.clone() }
    }
}

/// One file in the place where blobs are kept.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobFile {
    /// Of its bytes: 64 hexadecimal digits, lower case.
    pub sha256: String,
    /// What tells it from other files of the same bytes.
    pub tag: String,
}

impl From<&Name> for BlobFile {
    fn from(name: &Name) -> Self {
        BlobFile { sha256: name.digest().to_string(), tag: name.tag().to_owned() }
    }
}

/// The answer to a renewal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Renewal {
    /// Attempts that hold no lease.
    pub fenced: Vec<AttemptRef>,
    /// Attempts that should checkpoint and be released.
    pub yielding: Vec<AttemptRef>,
}
