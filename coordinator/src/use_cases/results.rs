//! Tables of results.

use acai_sweep::metric::{Metric, check_name};
use acai_sweep::parameters::Parameter;
use acai_sweep::report::Report;
use acai_sweep::results::{Query, SEED, Statistic, Table, tables};

use super::{Result, UseCaseError, UseCases};

/// What a person wants to see; what is left empty is as the sweep's file says.
#[derive(Debug, Clone)]
pub struct TableRequest {
    /// Parameters, or [`SEED`], that make a row.
    pub group_by: Vec<String>,
    /// Metrics; where a goal is missing, that of the file counts.
    pub metrics: Vec<Metric>,
    /// Which value of each run counts.
    pub statistic: Statistic,
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
    /// The sweep's tables of results.
    ///
    /// # Errors
    /// [`NoSuchSweep`](UseCaseError::NoSuchSweep), unknown parameters and metrics.
    pub async fn results(&self, sweep: &str, request: TableRequest) -> Result<ResultTables> {
        let stored = self.sweep(sweep).await?;
        let query = query(UseCases::report(&stored)?, request)?;
        let runs = self.store.result_list(sweep).await?;
        let completed = runs.iter().filter(|run| run.is_completed()).count();
        Ok(ResultTables { tables: tables(&query, &runs), runs: runs.len(), completed })
    }
}

/// What the table shows: as asked, and where nothing was asked as the file says.
fn query(report: Report, request: TableRequest) -> Result<Query> {
    let TableRequest { group_by, metrics, statistic } = request;
    let hinted = |hint: Option<&str>| hint.map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
    for name in group_by.iter().filter(|name| *name != SEED) {
        Parameter::find(name).map_err(|error| UseCaseError::Question {
            part: "group_by",
            problem: format!("names an {error}{}", hinted(error.hint())),
        })?;
    }
    for Metric { name, .. } in &metrics {
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
