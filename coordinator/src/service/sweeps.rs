//! `SweepService`: submit, list, show, and the results table.

use std::collections::BTreeSet;
use std::sync::Arc;

use acai_proto::convert::{FieldError, goal, parameter, run_state};
use acai_proto::v1::{self, sweep_service_server::SweepService};
use acai_sweep::file::SweepFile;
use acai_sweep::metric::{Metric, check_name};
use acai_sweep::parameters::Parameter;
use acai_sweep::results::{self, Query, SEED, Statistic, Table};
use tonic::{Request, Response, Status};

use super::messages::run_message;
use super::status::{no_such_sweep, status};
use super::{hardware, watch};
use crate::lease::LeaseTerms;
use crate::store::{
    Duty, NewRun, NewSweep, Overview, Replacing, Rest, Store, Submission, SweepRecord, WorkerRecord,
};

/// Failures that a sweep's status shows.
const FAILURES: u32 = 20;

pub(crate) struct Sweeps {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) terms: LeaseTerms,
    /// Becomes true when the coordinator stops.
    pub(crate) stop: tokio::sync::watch::Receiver<bool>,
}

impl Sweeps {
    async fn sweep(&self, name: &str) -> Result<SweepRecord, Status> {
        if let Some(sweep) = self.store.sweep_fetch(name).await.map_err(status)? {
            return Ok(sweep);
        }
        Err(no_such_sweep(&*self.store, name).await)
    }

    fn is_alive(&self, worker: &WorkerRecord, now_ms: i64) -> bool {
        !worker.ended && now_ms - worker.last_seen_ms < i64::from(self.terms.lease_ms)
    }
}

#[tonic::async_trait]
impl SweepService for Sweeps {
    async fn submit_sweep(
        &self,
        request: Request<v1::SubmitSweepRequest>,
    ) -> Result<Response<v1::SubmitSweepResponse>, Status> {
        let v1::SubmitSweepRequest { source, set_aside_results } = request.into_inner();
        let replacing = if set_aside_results { Replacing::Any } else { Replacing::WithoutResults };
        let sweep = NewSweep { replacing, ..new_sweep(source)? };
        let name = sweep.name.clone();
        let submission = self.store.sweep_submit(sweep).await.map_err(status)?;
        if !submission.is_stored {
            return Err(would_set_aside(&name, submission.set_aside_with_results));
        }
        tracing::info!(sweep = name, new_runs = submission.new_runs, "sweep submitted");
        Ok(Response::new(submission_message(name, &submission)))
    }

    async fn plan_sweep(
        &self,
        request: Request<v1::PlanSweepRequest>,
    ) -> Result<Response<v1::SubmitSweepResponse>, Status> {
        let sweep = NewSweep { replacing: Replacing::DryRun, ..new_sweep(request.into_inner().source)? };
        let name = sweep.name.clone();
        let submission = self.store.sweep_submit(sweep).await.map_err(status)?;
        Ok(Response::new(submission_message(name, &submission)))
    }

    async fn list_sweeps(
        &self,
        _: Request<v1::ListSweepsRequest>,
    ) -> Result<Response<v1::ListSweepsResponse>, Status> {
        let sweeps = self.store.sweep_list().await.map_err(status)?;
        Ok(Response::new(v1::ListSweepsResponse { sweeps: sweeps.iter().map(sweep_message).collect() }))
    }

    async fn get_sweep(
        &self,
        request: Request<v1::GetSweepRequest>,
    ) -> Result<Response<v1::GetSweepResponse>, Status> {
        let sweep = self.sweep(&request.into_inner().sweep).await?;
        let name = &sweep.overview.name;
        let failed = self.store.failure_list(name, FAILURES).await.map_err(status)?;
        let workers = self.store.worker_list().await.map_err(status)?;
        let now_ms = self.store.now_ms().await.map_err(status)?;
        let served: BTreeSet<&String> = workers
            .iter()
            .filter(|worker| self.is_alive(worker, now_ms))
            .flat_map(|worker| &worker.registration.datasets)
            .collect();
        // A worker may have any folder of one's own pictures.
        let is_served = |dataset: &&String| served.contains(dataset) || dataset.starts_with("images:");
        let waiting = sweep.overview.queued_datasets.iter().filter(|dataset| !is_served(dataset));
        Ok(Response::new(v1::GetSweepResponse {
            sweep: Some(sweep_message(&sweep.overview)),
            failures: failed.into_iter().map(|run| run_message(name, run)).collect(),
            waiting_for_datasets: waiting.cloned().collect(),
            source: sweep.source,
        }))
    }

    type ListRunsStream = tokio_stream::Iter<std::vec::IntoIter<Result<v1::Run, Status>>>;

    async fn list_runs(
        &self,
        request: Request<v1::ListRunsRequest>,
    ) -> Result<Response<Self::ListRunsStream>, Status> {
        let request = request.into_inner();
        let states = request.states.iter().map(|&state| run_state("states", state));
        let states = states.collect::<Result<Vec<_>, _>>()?;
        let sweep = self.sweep(&request.sweep).await?.overview.name;
        let runs = self.store.run_list(&sweep, &states).await.map_err(status)?;
        let runs: Vec<_> = runs.into_iter().map(|run| Ok(run_message(&sweep, run))).collect();
        Ok(Response::new(tokio_stream::iter(runs)))
    }

    type WatchSweepStream = watch::Events;

    async fn watch_sweep(
        &self,
        request: Request<v1::WatchSweepRequest>,
    ) -> Result<Response<Self::WatchSweepStream>, Status> {
        let v1::WatchSweepRequest { sweep, after, once } = request.into_inner();
        let sweep = self.sweep(&sweep).await?.overview.name;
        if i64::try_from(after).is_err() {
            return Err(FieldError::new("after", "is no event's number").into());
        }
        Ok(Response::new(watch::watch(Arc::clone(&self.store), sweep, after, once, self.stop.clone())))
    }

    async fn get_results(
        &self,
        request: Request<v1::GetResultsRequest>,
    ) -> Result<Response<v1::GetResultsResponse>, Status> {
        let request = request.into_inner();
        let statistic = match request.at() {
            v1::Statistic::Unspecified | v1::Statistic::Last => Statistic::Last,
            v1::Statistic::Min => Statistic::Min,
            v1::Statistic::Max => Statistic::Max,
            v1::Statistic::Mean => Statistic::Mean,
        };
        let sweep = self.sweep(&request.sweep).await?;
        let file = SweepFile::parse(&request.sweep, sweep.source.as_bytes()).map_err(|mistakes| {
            Status::data_loss(format!(
                "the stored file has mistakes; submit it again without them:\n{mistakes}"
            ))
        })?;
        let query = query(&file, request.group_by, &request.metrics, statistic)?;
        let runs = self.store.result_list(&request.sweep).await.map_err(status)?;
        let completed = runs.iter().filter(|run| run.is_completed()).count();
        let tables = results::tables(&query, &runs);
        Ok(Response::new(v1::GetResultsResponse {
            sweep: request.sweep,
            runs: count(runs.len()),
            completed: count(completed),
            tables: tables.into_iter().map(table_message).collect(),
        }))
    }

    async fn list_workers(
        &self,
        _: Request<v1::ListWorkersRequest>,
    ) -> Result<Response<v1::ListWorkersResponse>, Status> {
        let workers = self.store.worker_list().await.map_err(status)?;
        let now_ms = self.store.now_ms().await.map_err(status)?;
        let message = |worker: WorkerRecord| v1::Worker {
            alive: self.is_alive(&worker, now_ms),
            ended: worker.ended,
            duty: match worker.duty {
                Duty::Open => v1::WorkerDuty::Open,
                Duty::Cordoned => v1::WorkerDuty::Cordoned,
                Duty::Drained => v1::WorkerDuty::Drained,
            }
            .into(),
            id: worker.registration.id,
            name: worker.registration.name,
            version: worker.registration.version,
            hardware: Some(hardware::from_json(&worker.registration.hardware)),
            slots: worker.registration.slots,
            datasets: worker.registration.datasets,
            last_seen_unix_ms: worker.last_seen_ms,
            running: worker.running,
            rest: worker.rest.map(|Rest { slots, reason }| v1::Rest { slots, reason }),
        };
        Ok(Response::new(v1::ListWorkersResponse { workers: workers.into_iter().map(message).collect() }))
    }
}

/// The error for a submission that did not say that runs with results may be set aside.
fn would_set_aside(sweep: &str, runs: u32) -> Status {
    Status::failed_precondition(format!(
        "{runs} runs of {sweep} have results and are not in this file: they would be set aside, in no table until a file asks for them again\nhint: --yes sets them aside; `acai submit FILE --dry-run` shows what would change; another `name:` makes another sweep"
    ))
}

fn new_sweep(source: String) -> Result<NewSweep, Status> {
    let file = SweepFile::parse("sweep file", source.as_bytes())
        .map_err(|mistakes| Status::invalid_argument(mistakes.to_string()))?;
    let runs = file.plan.runs().map(|run| NewRun::new(run.configuration.clone(), run.seed));
    Ok(NewSweep {
        runs: runs.collect(),
        name: file.name,
        source,
        description: file.description,
        tags: file.tags,
        priority: file.priority,
        max_concurrent: file.max_concurrent,
        max_restarts: file.max_restarts,
        max_lost_workers: file.max_lost_workers,
        max_failed_runs: file.max_failed_runs,
        checkpoint_kimg: file.checkpoint_kimg,
        replacing: Replacing::WithoutResults,
    })
}

/// What the table shows: as asked, and where nothing was asked as the file says.
fn query(
    file: &SweepFile,
    group_by: Vec<String>,
    metrics: &[v1::Metric],
    statistic: Statistic,
) -> Result<Query, FieldError> {
    let hinted = |hint: Option<&str>| hint.map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
    for name in group_by.iter().filter(|name| *name != SEED) {
        Parameter::find(name).map_err(|error| {
            FieldError::new("group_by", format!("names an {error}{}", hinted(error.hint())))
        })?;
    }
    let of_file = || file.group_by.iter().map(ToString::to_string).collect();
    let group_by = if group_by.is_empty() { of_file() } else { group_by };
    if metrics.is_empty() {
        let others = file.report_metrics.clone();
        return Ok(Query { group_by, sort_by: file.metrics.clone(), others, statistic });
    }
    let asked = metrics.iter().map(|asked| {
        check_name(&asked.name).map_err(|unknown| {
            FieldError::new("metrics", format!("are wrong: {unknown}{}", hinted(unknown.hint.as_deref())))
        })?;
        let known = file.metrics.iter().find(|known| known.name == asked.name);
        let goal = goal("metrics.goal", asked.goal)?.or(known.and_then(|known| known.goal));
        Ok(Metric { name: asked.name.clone(), goal })
    });
    let sort_by = asked.collect::<Result<Vec<_>, FieldError>>()?;
    let others = Some(sort_by.iter().map(|metric| metric.name.clone()).collect());
    Ok(Query { group_by, sort_by, others, statistic })
}

fn submission_message(sweep: String, submission: &Submission) -> v1::SubmitSweepResponse {
    v1::SubmitSweepResponse {
        sweep,
        new_runs: submission.new_runs,
        existing_runs: submission.existing_runs,
        other_runs: submission.other_runs,
        set_aside_runs: submission.set_aside,
        set_aside_with_results: submission.set_aside_with_results,
    }
}

fn sweep_message(sweep: &Overview) -> v1::Sweep {
    let counts = sweep
        .counts
        .iter()
        .map(|&(state, runs)| v1::StateCount { state: v1::RunState::from(state).into(), runs });
    v1::Sweep {
        name: sweep.name.clone(),
        description: sweep.description.clone(),
        tags: sweep.tags.clone(),
        priority: sweep.priority,
        max_concurrent: sweep.max_concurrent.unwrap_or(0),
        submitted_unix_ms: sweep.submitted_ms,
        counts: counts.collect(),
        leaving: sweep.leaving,
        images_done: sweep.images_done,
        images_total: sweep.images_total,
        paused: sweep.paused.clone().unwrap_or_default(),
        replay_mismatches: sweep.replay_mismatches,
        last_event: sweep.last_event,
    }
}

fn table_message(table: Table) -> v1::ResultsTable {
    let row = |row: results::Row| v1::ResultsRow {
        group: row.group.iter().map(|(name, value)| parameter(name, value)).collect(),
        runs: count(row.runs),
        completed: count(row.completed),
        aggregates: row.aggregates.into_iter().map(aggregate_message).collect(),
        best: row.best,
    };
    let metric = |metric: Metric| v1::Metric {
        name: metric.name,
        goal: metric.goal.map_or(v1::Goal::Unspecified, v1::Goal::from).into(),
    };
    v1::ResultsTable {
        dataset: table.dataset,
        group_by: table.group_by,
        metrics: table.metrics.into_iter().map(metric).collect(),
        rows: table.rows.into_iter().map(row).collect(),
    }
}

fn aggregate_message(aggregate: Option<results::Aggregate>) -> v1::Aggregate {
    aggregate.map_or_else(v1::Aggregate::default, |aggregate| v1::Aggregate {
        n: count(aggregate.n),
        mean: aggregate.mean,
        std: aggregate.std,
        min: aggregate.min,
        max: aggregate.max,
    })
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
