//! Tables of results.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use acai_sweep::metric::{Goal, Metric, check_name};
use acai_sweep::parameters::Parameter;
use acai_sweep::report::Report;
use acai_sweep::results::{Query, RunResult, SEED, Statistic, Table, tables};

use super::{Result, UseCaseError, UseCases};

/// What a person wants to see; what is left empty is as the sweep's file says.
#[derive(Debug, Clone)]
pub struct TableRequest {
    /// Parameters, or [`SEED`], that make a row.
    pub group_by: Vec<String>,
    /// Metrics; where a goal is missing, that of the file counts.
    pub metrics: Vec<Metric>,
    /// Which value of each run counts.
    pub at: At,
}

/// Which of a run's values of its metrics count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// Each metric's own, over all steps.
    Every(Statistic),
    /// Those at the step where the metric that sorts is best.
    Best,
    /// Those at the largest step up to this one.
    Step(u64),
}

/// Tables, and how many runs they are about.
#[derive(Debug, Clone)]
pub struct ResultTables {
    /// One for each dataset.
    pub tables: Vec<Table>,
    /// In the plan.
    pub runs: usize,
    /// Of these.
    pub completed: usize,
}

impl UseCases {
    /// The tables of results of these sweeps. What the request does not say is as the first one's file says; a run that several
    /// of them have, of the same configuration and seed, counts once.
    ///
    /// # Errors
    /// [`NoSuchSweep`](UseCaseError::NoSuchSweep), unknown parameters and metrics.
    pub async fn results(&self, sweeps: &[String], request: TableRequest) -> Result<ResultTables> {
        let (at, Some(first)) = (request.at, sweeps.first()) else {
            return Err(UseCaseError::Question { part: "sweep", problem: "is missing".to_owned() });
        };
        let query = query(self.report(first).await?, request)?;
        let mut runs = Vec::new();
        for sweep in sweeps {
            self.check_sweep(sweep).await?;
            runs.extend(match at {
                At::Every(_) => self.store.result_list(sweep).await?,
                At::Best => self.store.result_list_at_best(sweep, &preferences(&query)?).await?,
                At::Step(step) => self.store.result_list_at_step(sweep, step).await?,
            });
        }
        if sweeps.len() > 1 {
            runs = once_each(runs);
        }
        let completed = runs.iter().filter(|run| run.is_completed()).count();
        Ok(ResultTables { tables: tables(&query, &runs), runs: runs.len(), completed })
    }
}

/// Of runs of the same configuration and seed the first that is completed, or else the first.
fn once_each(runs: Vec<RunResult>) -> Vec<RunResult> {
    let mut places: HashMap<(String, u64), usize> = HashMap::new();
    let mut once: Vec<RunResult> = Vec::new();
    for run in runs {
        match places.entry((run.configuration.config_hash(), run.seed)) {
            Entry::Vacant(place) => {
                place.insert(once.len());
                once.push(run);
            }
            Entry::Occupied(place) => {
                if let Some(known) = once.get_mut(*place.get())
                    && !known.is_completed()
                    && run.is_completed()
                {
                    *known = run;
                }
            }
        }
    }
    once
}

/// The metrics of which a run's best step is looked for, with 1 if small values are better and -1 if large ones are.
fn preferences(query: &Query) -> Result<Vec<(String, i8)>> {
    let sign = |goal| match goal {
        Goal::Minimize => 1,
        Goal::Maximize => -1,
    };
    let preferred = query.sort_by.iter().filter_map(|metric| Some((metric.name.clone(), sign(metric.goal?))));
    let preferred: Vec<_> = preferred.collect();
    if preferred.is_empty() {
        let problem = "is `best`, but no metric says which values are better\nhint: --metric NAME:min or NAME:max, or `metric:` in the sweep file";
        return Err(UseCaseError::Question { part: "at", problem: problem.to_owned() });
    }
    Ok(preferred)
}

/// What the table shows: as asked, and where nothing was asked as the file says.
fn query(report: Report, request: TableRequest) -> Result<Query> {
    let TableRequest { group_by, metrics, at } = request;
    let statistic = match at {
        At::Every(statistic) => statistic,
        // A run has one value of each metric then.
        At::Best | At::Step(_) => Statistic::Last,
    };
    let hinted = |hint: Option<&str>| hint.map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
    let is_own = |name: &String| report.own_parameters.contains(name);
    for name in group_by.iter().filter(|name| *name != SEED && !is_own(name)) {
        Parameter::find(name).map_err(|error| UseCaseError::Question {
            part: "group_by",
            problem: format!("names an {error}{}", hinted(error.hint())),
        })?;
    }
    for Metric { name, .. } in metrics.iter().filter(|metric| !report.own_metrics.contains(&metric.name)) {
        check_name(name).map_err(|unknown| UseCaseError::Question {
            part: "metrics",
            problem: format!("are wrong: {unknown}{}", hinted(unknown.hint.as_deref())),
        })?;
    }
    let group_by = if group_by.is_empty() { report.group_by } else { group_by };
    if metrics.is_empty() {
        let Report { sort_by, others, shared, .. } = report;
        return Ok(Query { group_by, sort_by, others, statistic, shared });
    }
    let goal_of_file = |name: &str| report.sort_by.iter().find(|known| known.name == name)?.goal;
    let with_goal = |Metric { name, goal }| Metric { goal: goal.or_else(|| goal_of_file(&name)), name };
    let sort_by: Vec<Metric> = metrics.into_iter().map(with_goal).collect();
    let others = Some(sort_by.iter().map(|metric| metric.name.clone()).collect());
    Ok(Query { group_by, sort_by, others, statistic, shared: report.shared })
}
