//! Sweep files: YAML text to a plan, or to mistakes with their places.
//!
//! In the order of the work: `source` refuses what is no text, and `nesting` brackets that would keep the YAML parser busy;
//! `node` reads the YAML within a budget; `cursor` gives it types; `trainer` reads what else a trainer of one's own knows; `settings`, `space` (with `range` and `sample`) and `rules` read the keys, each
//! parameter's value by `setting`; `expand` makes the plan, point by point (`assignment`), with the checks in `check`, and
//! `merging` makes those that train the same one; `warnings` are about what is no mistake, but cannot help. Before all that, `change` makes another text of the file where
//! somebody gives values beside it, and `schema` says what keys and values there are. Whoever finds a mistake notes its `place`; `error` turns that into line
//! and column.

mod assignment;
mod change;
mod check;
mod cursor;
mod error;
mod expand;
mod merging;
mod nesting;
mod node;
mod place;
mod range;
mod rules;
mod sample;
mod schema;
mod setting;
mod settings;
mod source;
mod space;
mod trainer;
mod warnings;

pub use change::{Change, ChangeError, changed};
pub use error::{Mistake, SweepFileError};
pub use schema::schema;
pub use source::MAX_BYTES;

use self::cursor::{Cursor, Fields, Keys};
use self::error::{Fault, Faults, located};
use self::node::Node;
use crate::metric::Metric;
use crate::plan::Plan;

const KEYS: Keys = Keys {
    known: &[
        "version",
        "name",
        "description",
        "tags",
        "method",
        "samples",
        "sample_seed",
        "metric",
        "parameters",
        "zip",
        "exclude",
        "include",
        "seeds",
        "max_runs",
        "priority",
        "max_concurrent",
        "max_restarts",
        "max_lost_workers",
        "max_failed_runs",
        "checkpoint",
        "artifacts",
        "report",
        "trainer",
    ],
    planned: &["resources", "group_size"],
};

/// A sweep file that can be run: everything in it has been checked, and it has a plan.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SweepFile {
    /// The sweep's id: `[A-Za-z0-9][A-Za-z0-9._-]{0,127}`.
    pub name: String,
    /// For people; empty when there is none.
    pub description: String,
    /// For people.
    pub tags: Vec<String>,
    /// What the sweep is judged by, in order of preference; each with a goal. May be empty.
    pub metrics: Vec<Metric>,
    /// Larger first.
    pub priority: i64,
    /// Runs at a time, at least 1; `None`: no limit.
    pub max_concurrent: Option<u32>,
    /// Failures of its own that a run may have and still be queued again.
    pub max_restarts: u32,
    /// Workers in a row that a run may lose, without a new checkpoint, before it is given up.
    pub max_lost_workers: u32,
    /// Runs that may fail or be given up before the sweep pauses; `None`: no limit.
    pub max_failed_runs: Option<u32>,
    /// Training between two checkpoints, in units of 1024 images; `None`: not said.
    pub checkpoint_kimg: Option<f64>,
    /// Whether each trained run's weights become an artifact.
    pub keeps_weights: bool,
    /// The parameters whose values make a row of the results; the swept ones if not said.
    pub group_by: Vec<String>,
    /// More metrics to show in the results; `None`: not said.
    pub report_metrics: Option<Vec<String>>,
    /// Parameters that the file declares for a trainer of one's own.
    pub own_parameters: Vec<String>,
    /// Metrics that the file declares for a trainer of one's own.
    pub own_metrics: Vec<String>,
    /// What the sweep runs.
    pub plan: Plan,
    /// What the file asks for that no run can do, in the order of the file; the first 20.
    pub warnings: Vec<Mistake>,
}

impl SweepFile {
    /// Reads a sweep file. `file` is its name in errors.
    ///
    /// # Errors
    /// Every mistake that can be told apart, with line, column and a hint.
    pub fn parse(file: &str, source: &[u8]) -> Result<Self, SweepFileError> {
        let text = source::decode(source).map_err(|mistake| SweepFileError::one(file, mistake))?;
        let root = node::read(text).map_err(|mistake| SweepFileError::one(file, mistake))?;
        read(&root, text).map_err(|faults| SweepFileError::from_faults(file, text, faults))
    }
}

fn read(root: &Node, text: &str) -> Result<SweepFile, Vec<Fault>> {
    let root = Cursor::root(root);
    if matches!(root.node, Node::Null) {
        return Err(vec![root.fault("the file is empty").with_hint(Some("begin with `version: 1`"))]);
    }
    let faults = Faults::default();
    let fields = Fields::read(&root, &KEYS, &faults).map_err(|fault| vec![fault])?;
    settings::check_fixed(&fields, &faults);
    let name = faults.keep_or_default(settings::name(&fields));
    let seeds = faults.keep_or_default(settings::seeds(&fields));
    let max_runs = faults.keep_or_default(settings::max_runs(&fields));
    let trainer = faults.keep_or_default(trainer::read(&fields, &faults));
    let report = faults.keep_or_default(settings::report(&fields, &trainer, &faults));
    let sampling = faults.keep(sample::read(&fields));
    let space = faults.keep_or_default(space::read(&fields, &trainer, sampling.as_ref(), &faults));
    let description = faults.keep_or_default(settings::description(&fields));
    let tags = faults.keep_or_default(settings::tags(&fields));
    let metrics = faults.keep_or_default(settings::metrics(&fields, &trainer, &faults));
    let priority = faults.keep_or_default(settings::priority(&fields));
    let max_concurrent = faults.keep_or_default(settings::max_concurrent(&fields));
    let max_restarts = faults.keep_or_default(settings::max_restarts(&fields));
    let max_lost_workers = faults.keep_or_default(settings::max_lost_workers(&fields));
    let max_failed_runs = faults.keep_or_default(settings::max_failed_runs(&fields));
    let checkpoint = faults.keep_or_default(settings::checkpoint_kimg(&fields, &faults));
    let keeps_weights = faults.keep_or_default(settings::keeps_weights(&fields, &faults));
    // What follows from a broken value would only be noise.
    let faults = faults.unless_any(Some(Faults::default()))?;

    let given = report.group_by.unwrap_or_default();
    check::group_by(&space, &given, &faults);
    let plan = expand::expand(&space, &trainer, seeds, max_runs, &faults);
    let plan = faults.unless_any(plan)?;
    let shown = report.metrics.as_deref().unwrap_or_default();
    let mut warnings = warnings::of_metrics(&plan, &metrics, shown, &trainer.metrics);
    warnings.extend(warnings::of_lengths(&space, &plan, checkpoint.as_ref()));
    let group_by = match given.is_empty() {
        true => plan.swept().to_vec(),
        false => given.into_iter().map(|(name, _)| name.to_owned()).collect(),
    };
    Ok(SweepFile {
        name,
        description,
        tags,
        metrics: metrics.into_iter().map(|(metric, _)| metric).collect(),
        priority,
        max_concurrent,
        max_restarts,
        max_lost_workers,
        max_failed_runs,
        checkpoint_kimg: checkpoint.map(|(kimg, _)| kimg),
        keeps_weights,
        group_by,
        report_metrics: report.metrics.map(|metrics| metrics.into_iter().map(|(name, _)| name).collect()),
        own_parameters: trainer.parameters.into_iter().map(|own| own.name).collect(),
        own_metrics: trainer.metrics,
        plan,
        warnings: located(text, warnings),
    })
}
