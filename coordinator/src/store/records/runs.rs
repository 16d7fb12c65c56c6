//! Runs and their points.

use std::collections::BTreeMap;

use acai_sweep::configuration::Configuration;
use acai_sweep::curve::CurvePoint;
use acai_sweep::explain::{Situation, WorkerSituation};
use acai_sweep::results::Summary;
use acai_sweep::run::{Desired, RunState};

use super::attempts::AttemptRecord;
use super::events::EventRecord;
use super::files::StoredCheckpoint;
use super::ids::RunId;

/// A run.
#[derive(Debug, Clone)]
pub struct RunRecord {
    /// Its number in this database.
    pub id: RunId,
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

/// A run, as one whose curve is read.
#[derive(Debug, Clone, PartialEq)]
pub struct CurveRun {
    /// Its number in this database.
    pub id: RunId,
    /// Its number in its sweep.
    pub number: u32,
    /// Key of its random numbers.
    pub seed: u64,
    /// Where it is in its life.
    pub state: RunState,
    /// How many points of the metric it has.
    pub points: u64,
    /// The last of them; `None` if there are none.
    pub last: Option<CurvePoint>,
}

/// A point of a run's metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PointOfRun {
    /// The run's number in this database.
    pub run: RunId,
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
