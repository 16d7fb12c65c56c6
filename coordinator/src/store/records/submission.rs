//! Sweep files that come in, expanded, and what becomes of them.

use std::sync::Arc;

use acai_sweep::configuration::Configuration;
use acai_sweep::report::Report;
use acai_sweep::run::RunState;

use super::allowance::Submitter;
use super::files::Artifact;

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
    /// Whether each trained run's weights become an artifact.
    pub keeps_weights: bool,
    /// What the file says of tables.
    pub report: Report,
    /// In plan order.
    pub runs: Vec<NewRun>,
    /// What may become of runs that are there and not among these.
    pub replacing: Replacing,
    /// Whose it is from now on; none where nobody needs a token.
    pub submitter: Option<Submitter>,
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
    /// Whether it is this submitter's.
    pub(crate) fn submitter_is(&self, who: &Submitter) -> bool {
        self.submitter.as_ref().is_some_and(|submitter| submitter.token == who.token)
    }

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
            keeps_weights: false,
            report: Report::default(),
            runs,
            replacing: Replacing::Any,
            submitter: None,
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
    /// What it shares with shorter and longer runs that train the same; none for a trainer of one's own.
    pub lineage: Option<String>,
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
            lineage: configuration.lineage(),
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
    /// Those of them that go on from a shorter run of the sweep.
    pub lengthened_runs: u32,
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

/// What a run that comes from elsewhere has come to.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportedRun {
    /// Digest of its configuration.
    pub config_hash: String,
    /// Key of its random numbers.
    pub seed: u64,
    /// How it ended.
    pub state: RunState,
    /// Steps done.
    pub step: u64,
    /// Failures charged to it.
    pub failures: u32,
    /// Why it last failed.
    pub message: Option<String>,
    /// Metrics, with their steps and values.
    pub curves: Vec<(String, Vec<(u64, f64)>)>,
    /// Files, whose blobs are there, with the attempts that brought them where the run was.
    pub artifacts: Vec<(Artifact, u32)>,
}
