//! The results table: metrics of runs, aggregated over seeds.
//!
//! Only completed runs and finite values count, and a row always says how many of its runs those
//! are: a mean over three of five seeds never looks like a mean over five.

mod shown;

use std::collections::{BTreeMap, BTreeSet, HashMap};

pub use self::shown::Shared;
use self::shown::{Shown, shown};
use crate::configuration::Configuration;
use crate::filter::{Fields, Filter};
use crate::metric::{self, EVALUATION, FINAL, Goal, Metric};
use crate::run::RunState;
use crate::scalar::Scalar;
use crate::training;

/// Not a parameter, but rows can be made by it too.
pub const SEED: &str = "seed";

/// What is known of a run's metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// At the largest step.
    pub last: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
    /// Over all points.
    pub mean: f64,
}

/// Which of a run's values of a metric counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Statistic {
    /// The one at the largest step.
    Last,
    /// The smallest.
    Min,
    /// The largest.
    Max,
    /// The mean over all points.
    Mean,
}

/// A run and its metrics.
#[derive(Debug, Clone, PartialEq)]
pub struct RunResult {
    /// Its number in its sweep.
    pub number: u32,
    /// What it trains.
    pub configuration: Configuration,
    /// Key of its random numbers.
    pub seed: u64,
    /// Where it is in its life.
    pub state: RunState,
    /// By metric.
    pub summaries: BTreeMap<String, Summary>,
}

impl RunResult {
    /// What it has for a column of a table.
    fn parameter(&self, name: &str) -> Option<Scalar> {
        if name == SEED {
            return Some(
                i64::try_from(self.seed)
                    .map_or_else(|_| Scalar::from(self.seed.to_string().as_str()), Scalar::Int),
            );
        }
        self.configuration.get(name).cloned()
    }

    /// Whether it counts in tables.
    #[must_use]
    pub fn is_completed(&self) -> bool {
        self.state == RunState::Completed
    }

    /// What it contributes to a table: a finite value, once it is completed.
    fn value(&self, metric: &str, statistic: Statistic) -> Option<f64> {
        let summary = self.summaries.get(metric).filter(|_| self.is_completed())?;
        Some(statistic.of(summary)).filter(|value| value.is_finite())
    }
}

/// What a table should show.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// Runs that agree on these parameters, or on [`SEED`], make a row. A table is about one dataset, so `dataset`
    /// adds nothing.
    pub group_by: Vec<String>,
    /// Metrics that a table may be sorted by, most wanted first: it is by the first that it has values of.
    pub sort_by: Vec<Metric>,
    /// Further metrics, in this order; `None` is every metric of the sorting one's kind: `final/` or else `eval/`. Of how
    /// many evaluations final figures are is shown in any case where that is fewer than it should be.
    pub others: Option<Vec<String>>,
    /// Which value of each run counts.
    pub statistic: Statistic,
    /// Points that share their runs: each is shown as if it had runs of its own.
    pub shared: Vec<Shared>,
    /// Only runs that it holds for, under the values that they are shown at; `None` is every run.
    pub filter: Option<Filter>,
}

/// The rows of one dataset: scores on different datasets do not compare.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The dataset.
    pub dataset: String,
    /// The parameters of a row.
    pub group_by: Vec<String>,
    /// The metrics of a row; the one that sorts, if any does, comes first and has a goal.
    pub metrics: Vec<Metric>,
    /// Best first where a metric sorts; rows without a value of it last, in plan order.
    pub rows: Vec<Row>,
}

/// Runs that agree on the table's parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Name and value; a parameter that the row's model does not use is absent, unless the file asks for several values
    /// of it there.
    pub group: Vec<(String, Scalar)>,
    /// All its runs.
    pub runs: usize,
    /// Those that count.
    pub completed: usize,
    /// All of them by their states; states without runs are left out.
    pub states: BTreeMap<RunState, usize>,
    /// In the order of the table's metrics; `None` where no run has a value.
    pub aggregates: Vec<Option<Aggregate>>,
    /// First in its table by the metric that sorts, or equal to it.
    pub best: bool,
    /// The runs one by one, in plan order.
    pub members: Vec<Member>,
}

/// A run of a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// Its number in its sweep.
    pub number: u32,
    /// Key of its random numbers.
    pub seed: u64,
    /// Where it is in its life.
    pub state: RunState,
    /// What it contributes, in the order of the table's metrics.
    pub values: Vec<Option<f64>>,
}

/// A metric over the runs of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Aggregate {
    /// Runs that have a value.
    pub n: usize,
    /// Of their values.
    pub mean: f64,
    /// Population standard deviation, as in the paper's tables.
    pub std: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
    /// The one in the middle, or the mean of the two there.
    pub median: f64,
}

impl Aggregate {
    /// `None` when there are no values.
    fn of(values: &[f64]) -> Option<Aggregate> {
        let n = values.len();
        if n == 0 {
            return None;
        }
        let mean = values.iter().sum::<f64>() / n as f64;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n as f64;
        Some(Aggregate {
            n,
            mean,
            std: variance.sqrt(),
            min: values.iter().copied().fold(f64::INFINITY, f64::min),
            max: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            median: median(values),
        })
    }
}

fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() % 2 {
        1 => values[middle],
        // Halves, since a sum may be beyond what a number can be.
        _ => values[middle - 1] / 2.0 + values[middle] / 2.0,
    }
}

/// One table for each dataset, in plan order. `runs` are in plan order.
#[must_use]
pub fn tables(query: &Query, runs: &[RunResult]) -> Vec<Table> {
    let mut by_dataset: Vec<(String, Vec<&RunResult>)> = Vec::new();
    for run in runs {
        let dataset = run.configuration.get("dataset").map(ToString::to_string).unwrap_or_default();
        match by_dataset.iter_mut().find(|(known, _)| *known == dataset) {
            Some((_, runs)) => runs.push(run),
            None => by_dataset.push((dataset, vec![run])),
        }
    }
    let shown = by_dataset.into_iter().map(|(dataset, runs)| (dataset, chosen(query, &runs)));
    shown.filter(|(_, runs)| !runs.is_empty()).map(|(dataset, runs)| table(query, dataset, &runs)).collect()
}

/// Those of these runs that the query is about: each once, also where it stands for several points.
#[must_use]
pub fn runs_of<'r>(query: &'r Query, runs: &'r [RunResult]) -> Vec<&'r RunResult> {
    let mut all: Vec<&RunResult> =
        chosen(query, &runs.iter().collect::<Vec<_>>()).iter().map(|it| it.run).collect();
    // The points of a run come one after the other.
    all.dedup_by(|a, b| std::ptr::eq(*a, *b));
    all
}

/// Why the query's condition holds for none of these runs; `None` if there is no condition.
#[must_use]
pub fn why_nothing_matches(query: &Query, runs: &[RunResult]) -> Option<String> {
    let runs: Vec<&RunResult> = runs.iter().collect();
    let all = shown(&runs, &query.shared);
    let fields: Vec<&dyn Fields> = all.iter().map(|shown| shown as &dyn Fields).collect();
    Some(query.filter.as_ref()?.why_nothing_matches(&fields))
}

/// The points of these runs that the query's condition holds for.
fn chosen<'r>(query: &'r Query, runs: &[&'r RunResult]) -> Vec<Shown<'r>> {
    let mut all = shown(runs, &query.shared);
    if let Some(filter) = &query.filter {
        all.retain(|shown| filter.matches(shown));
    }
    all
}

fn table(query: &Query, dataset: String, shown: &[Shown<'_>]) -> Table {
    let runs: Vec<&RunResult> = shown.iter().map(|shown| shown.run).collect();
    let has_values = |name: &str| runs.iter().any(|run| run.value(name, query.statistic).is_some());
    let group_by: Vec<String> = query.group_by.iter().filter(|name| *name != "dataset").cloned().collect();
    let sorting = query.sort_by.iter().find(|metric| has_values(&metric.name));
    let kind = match sorting {
        Some(metric) if metric.name.starts_with(FINAL) => FINAL,
        _ => EVALUATION,
    };
    let mut others = query.others.clone().unwrap_or_else(|| scores(kind, &runs));
    let mut metrics: Vec<Metric> = sorting.cloned().into_iter().collect();
    let is_final = |name: &String| name.starts_with(FINAL);
    if metrics.iter().map(|metric| &metric.name).chain(&others).any(is_final) && any_is_of_few(&runs) {
        others.push(metric::FINAL_EVALUATIONS.to_owned());
    }
    for name in others.into_iter().filter(|name| has_values(name)) {
        if metrics.iter().all(|metric| metric.name != name) {
            let goal = query.sort_by.iter().find(|metric| metric.name == name).and_then(|metric| metric.goal);
            metrics.push(Metric { name, goal });
        }
    }

    let mut rows = rows(&group_by, &metrics, query.statistic, shown);
    if let Some(goal) = sorting.and_then(|metric| metric.goal) {
        sort(&mut rows, goal);
    }
    Table { dataset, group_by, metrics, rows }
}

/// Names of a kind of metrics that runs have, sorted; without the one that says of how many evaluations others are.
fn scores(kind: &str, runs: &[&RunResult]) -> Vec<String> {
    let is_score = |name: &&String| name.starts_with(kind) && *name != metric::FINAL_EVALUATIONS;
    let names = runs.iter().flat_map(|run| run.summaries.keys()).filter(is_score);
    names.cloned().collect::<BTreeSet<_>>().into_iter().collect()
}

/// Whether final figures of any of the runs are of fewer evaluations than the paper's.
fn any_is_of_few(runs: &[&RunResult]) -> bool {
    let of = |run: &&RunResult| run.value(metric::FINAL_EVALUATIONS, Statistic::Last);
    runs.iter().filter_map(of).any(|evaluations| evaluations < training::FINAL_EVALUATIONS as f64)
}

/// The rows in the order of their first runs.
fn rows(group_by: &[String], metrics: &[Metric], statistic: Statistic, runs: &[Shown<'_>]) -> Vec<Row> {
    let mut groups: Vec<Vec<&Shown<'_>>> = Vec::new();
    let mut index: HashMap<Vec<Option<String>>, usize> = HashMap::new();
    for shown in runs {
        let value = |name: &String| shown.parameter(name).map(|value| value.canonical());
        let group = *index.entry(group_by.iter().map(value).collect()).or_insert(groups.len());
        match groups.get_mut(group) {
            // Points of one row may share a run; it counts once. They come one after the other.
            Some(group) if std::ptr::eq(group[group.len() - 1].run, shown.run) => {}
            Some(group) => group.push(shown),
            None => groups.push(vec![shown]),
        }
    }
    let row = |shown: Vec<&Shown<'_>>| {
        let runs = || shown.iter().map(|shown| shown.run);
        let aggregate = |metric: &Metric| {
            let values: Vec<f64> = runs().filter_map(|run| run.value(&metric.name, statistic)).collect();
            Aggregate::of(&values)
        };
        let value = |name: &String| Some((name.clone(), shown[0].parameter(name)?));
        let mut states = BTreeMap::new();
        runs().for_each(|run| *states.entry(run.state).or_default() += 1);
        let member = |run: &RunResult| Member {
            number: run.number,
            seed: run.seed,
            state: run.state,
            values: metrics.iter().map(|metric| run.value(&metric.name, statistic)).collect(),
        };
        Row {
            group: group_by.iter().filter_map(value).collect(),
            runs: shown.len(),
            completed: runs().filter(|run| run.is_completed()).count(),
            states,
            aggregates: metrics.iter().map(aggregate).collect(),
            best: false,
            members: runs().map(member).collect(),
        }
    };
    groups.into_iter().map(row).collect()
}

/// By the mean of the first metric, and marks the best row: several where they are equal.
fn sort(rows: &mut [Row], goal: Goal) {
    let key = |row: &Row| {
        let mean = row.aggregates.first().copied().flatten()?.mean;
        Some(match goal {
            Goal::Minimize => mean,
            Goal::Maximize => -mean,
        })
    };
    rows.sort_by(|a, b| match (key(a), key(b)) {
        (Some(a), Some(b)) => a.total_cmp(&b),
        (a, b) => b.is_some().cmp(&a.is_some()),
    });
    let best = rows.first().and_then(key);
    for row in rows {
        row.best = best.is_some() && key(row) == best;
    }
}

impl Statistic {
    fn of(self, summary: &Summary) -> f64 {
        match self {
            Statistic::Last => summary.last,
            Statistic::Min => summary.min,
            Statistic::Max => summary.max,
            Statistic::Mean => summary.mean,
        }
    }
}
