//! Tables of results.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};

use acai_sweep::filter::Filter;
use acai_sweep::metric::{Goal, Metric, check_name, goal_of};
use acai_sweep::parameters::Parameter;
use acai_sweep::report::Report;
use acai_sweep::results::{Query, RunResult, SEED, Statistic, Table, runs_of, tables, why_nothing_matches};

use super::submissions::aside;
use super::{Result, UseCaseError, UseCases};

/// What a person wants to see; what is left empty is as the sweep's file says.
#[derive(Debug, Clone)]
pub struct TableRequest {
    /// Parameters, or [`SEED`], that make a row.
    pub group_by: Vec<String>,
    /// Metrics; where a goal is missing, that of the file counts, or else what is known of the score.
    pub metrics: Vec<Metric>,
    /// Which value of each run counts.
    pub at: At,
    /// Which runs count, as a condition in words ([`acai_sweep::filter`]); all if it is empty.
    pub filter: String,
}

/// Which of a run's values of its metrics count.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum At {
    /// Each metric's own, over all steps.
    Every(Statistic),
    /// Those at the step where the metric that sorts is best.
    Best,
    /// Those at the last step of the training, of the metrics that have one there.
    End,
    /// Those at the largest step up to this one.
    Step(u64),
    /// Those at the last step up to the one that completes so many times 1024 images.
    Kimg(f64),
}

/// Tables, and how many runs they are about.
#[derive(Debug, Clone)]
pub struct ResultTables {
    /// One for each dataset.
    pub tables: Vec<Table>,
    /// In the plan, and as the condition says.
    pub runs: usize,
    /// Of these.
    pub completed: usize,
}

impl UseCases {
    /// The tables of results of these sweeps. What the request does not say is as the first one's file says; a run that several
    /// of them have, of the same configuration and seed, counts once.
    ///
    /// # Errors
    /// [`NoSuchSweep`](UseCaseError::NoSuchSweep), unknown parameters and metrics, a condition that makes no sense or holds for
    /// no run.
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
                At::End => self.store.result_list_at_end(sweep).await?,
                At::Best => self.store.result_list_at_best(sweep, &preferences(&query)?).await?,
                At::Step(step) => self.store.result_list_at_step(sweep, step).await?,
                At::Kimg(kimg) => self.results_at_kimg(sweep, kimg).await?,
            });
        }
        if sweeps.len() > 1 {
            runs = once_each(runs);
        }
        aside(move || tables_of(&query, &runs)).await?
    }

    /// The runs of a sweep with their values after so many times 1024 images, which are other steps for other batches.
    async fn results_at_kimg(&self, sweep: &str, kimg: f64) -> Result<Vec<RunResult>> {
        if !(kimg.is_finite() && kimg >= 0.0) {
            let problem = format!("is {kimg}, and not a number of images").to_owned();
            return Err(UseCaseError::Question { part: "at_kimg", problem });
        }
        let mut runs = self.store.result_list(sweep).await?;
        let step = |run: &RunResult| run.configuration.training_config().steps_in(kimg);
        let steps: BTreeSet<u64> = runs.iter().map(step).collect();
        for at in steps {
            let values = self.store.result_list_at_step(sweep, at).await?;
            let mut values: HashMap<u32, _> =
                values.into_iter().map(|run| (run.number, run.summaries)).collect();
            for run in runs.iter_mut().filter(|run| step(run) == at) {
                run.summaries = values.remove(&run.number).unwrap_or_default();
            }
        }
        Ok(runs)
    }
}

/// The tables that the query asks for, of these runs.
fn tables_of(query: &Query, runs: &[RunResult]) -> Result<ResultTables> {
    let about = runs_of(query, runs);
    if about.is_empty()
        && let Some(why) = why_nothing_matches(query, runs)
    {
        return Err(UseCaseError::Question { part: "where", problem: format!("holds for no run\n{why}") });
    }
    let completed = about.iter().filter(|run| run.is_completed()).count();
    Ok(ResultTables { runs: about.len(), completed, tables: tables(query, runs) })
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
    let TableRequest { group_by, metrics, at, filter } = request;
    let statistic = match at {
        At::Every(statistic) => statistic,
        // A run has one value of each metric then.
        At::End | At::Best | At::Step(_) | At::Kimg(_) => Statistic::Last,
    };
    let filter = match filter.as_str() {
        "" => None,
        text => Some(Filter::parse(text, &report.own_parameters).map_err(|mistake| {
            UseCaseError::Question { part: "where", problem: format!("makes no sense: {mistake}") }
        })?),
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
        return Ok(Query { group_by, sort_by, others, statistic, shared, filter });
    }
    let goal_of_file = |name: &str| report.sort_by.iter().find(|known| known.name == name)?.goal;
    // Of what a trainer of one's own reports nobody knows here which values are better.
    let known_goal = |name: &String| goal_of(name).filter(|_| !report.own_metrics.contains(name));
    let with_goal = |Metric { name, goal }| {
        let goal = goal.or_else(|| goal_of_file(&name)).or_else(|| known_goal(&name));
        Metric { name, goal }
    };
    let sort_by: Vec<Metric> = metrics.into_iter().map(with_goal).collect();
    let others = Some(sort_by.iter().map(|metric| metric.name.clone()).collect());
    Ok(Query { group_by, sort_by, others, statistic, shared: report.shared, filter })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_is_as_asked_or_as_the_file_says_or_what_is_known_of_the_score() {
        let metric = |name: &str, goal| Metric { name: name.to_owned(), goal };
        let report = Report {
            sort_by: vec![metric("eval/smoothness", Some(Goal::Maximize))],
            own_metrics: vec!["eval/valid".to_owned()],
            ..Report::default()
        };
        let metrics = vec![
            metric("eval/mean_distance", Some(Goal::Maximize)),
            metric("eval/smoothness", None),
            metric("final/latent_accuracy", None),
            metric("eval/valid", None),
            metric("train/loss_ae", None),
        ];
        let at = At::Every(Statistic::Last);
        let request = TableRequest { group_by: Vec::new(), metrics, at, filter: String::new() };
        let query = query(report, request).unwrap();
        let goals: Vec<Option<Goal>> = query.sort_by.iter().map(|metric| metric.goal).collect();
        let best = Some(Goal::Maximize);
        assert_eq!(goals, [best, best, best, None, None]);
    }
}
