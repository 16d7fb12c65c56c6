//! `SweepService`: submit, list, show, and the results table.

use std::pin::Pin;

use acai_proto::convert::{FieldError, goal, parameter, run_state};
use acai_proto::v1::{self, sweep_service_server::SweepService};
use acai_sweep::metric::Metric;
use acai_sweep::results::{self, Statistic, Table};
use acai_sweep::run::RunState;
use tokio_stream::{Stream, StreamExt};
use tonic::{Request, Response, Status};

use super::messages::{details_message, run_message};
use super::status::status;
use super::{hardware, watch};
use crate::guard::submitter;
use crate::store::{ArtifactRecord, Duty, Overview, Place, Replacing, Rest};
use crate::use_cases::{
    At, CurvePart, CurveRequest, Machine, Submitted, SweepStatus, TableRequest, UseCaseError, UseCases, Which,
};

pub(crate) struct Sweeps {
    pub(crate) use_cases: UseCases,
    /// Becomes true when the coordinator stops.
    pub(crate) stop: tokio::sync::watch::Receiver<bool>,
}

#[tonic::async_trait]
impl SweepService for Sweeps {
    async fn submit_sweep(
        &self,
        request: Request<v1::SubmitSweepRequest>,
    ) -> Result<Response<v1::SubmitSweepResponse>, Status> {
        let use_cases = self.use_cases.on_behalf_of(submitter(&request));
        let v1::SubmitSweepRequest { source, set_aside_results } = request.into_inner();
        let replacing = if set_aside_results { Replacing::Any } else { Replacing::WithoutResults };
        Ok(Response::new(submission_message(use_cases.submit(source, replacing).await?)))
    }

    async fn plan_sweep(
        &self,
        request: Request<v1::PlanSweepRequest>,
    ) -> Result<Response<v1::SubmitSweepResponse>, Status> {
        let use_cases = self.use_cases.on_behalf_of(submitter(&request));
        let planned = use_cases.submit(request.into_inner().source, Replacing::DryRun).await?;
        Ok(Response::new(submission_message(planned)))
    }

    async fn list_sweeps(
        &self,
        _: Request<v1::ListSweepsRequest>,
    ) -> Result<Response<v1::ListSweepsResponse>, Status> {
        let sweeps = self.use_cases.sweeps().await?;
        Ok(Response::new(v1::ListSweepsResponse { sweeps: sweeps.iter().map(sweep_message).collect() }))
    }

    async fn get_sweep(
        &self,
        request: Request<v1::GetSweepRequest>,
    ) -> Result<Response<v1::GetSweepResponse>, Status> {
        let SweepStatus { sweep, failures, waiting_for_datasets } =
            self.use_cases.status(&request.into_inner().sweep).await?;
        let name = &sweep.overview.name;
        Ok(Response::new(v1::GetSweepResponse {
            sweep: Some(sweep_message(&sweep.overview)),
            failures: failures.into_iter().map(|run| run_message(name, run)).collect(),
            waiting_for_datasets,
            source: sweep.file.source,
        }))
    }

    type ListRunsStream = Pin<Box<dyn Stream<Item = Result<v1::Run, Status>> + Send>>;

    async fn list_runs(
        &self,
        request: Request<v1::ListRunsRequest>,
    ) -> Result<Response<Self::ListRunsStream>, Status> {
        let v1::ListRunsRequest { sweep, states, set_aside } = request.into_inner();
        let states = states.iter().map(|&state| run_state("states", state));
        let which = if set_aside { Which::SetAside } else { Which::Plan };
        let runs = self.use_cases.runs(&sweep, states.collect::<Result<Vec<_>, _>>()?, which).await?;
        let message = move |run: Result<_, _>| {
            let run = run_message(&sweep, run.map_err(status)?);
            Ok(v1::Run { set_aside, ..run })
        };
        let messages = runs.map(message);
        Ok(Response::new(Box::pin(messages)))
    }

    async fn get_run(
        &self,
        request: Request<v1::GetRunRequest>,
    ) -> Result<Response<v1::GetRunResponse>, Status> {
        let v1::GetRunRequest { sweep, number } = request.into_inner();
        let details = self.use_cases.run(&sweep, number).await?;
        Ok(Response::new(details_message(&sweep, details)))
    }

    type WatchSweepStream = watch::EventMessages;

    async fn watch_sweep(
        &self,
        request: Request<v1::WatchSweepRequest>,
    ) -> Result<Response<Self::WatchSweepStream>, Status> {
        let v1::WatchSweepRequest { sweep, after, once, after_unix_ms } = request.into_inner();
        if i64::try_from(after).is_err() {
            return Err(FieldError::new("after", "is no event's number").into());
        }
        let after = Place { number: after, at_ms: after_unix_ms };
        let events = self.use_cases.events(&sweep, after, !once).await?;
        Ok(Response::new(watch::send(events, self.stop.clone(), watch::PATIENCE)))
    }

    async fn get_results(
        &self,
        request: Request<v1::GetResultsRequest>,
    ) -> Result<Response<v1::GetResultsResponse>, Status> {
        let request = request.into_inner();
        let statistic = v1::Statistic::try_from(request.at)
            .map_err(|_| FieldError::new("at", "is unknown to this release"))?;
        let at = match (request.at_kimg, request.at_step, statistic) {
            (Some(kimg), _, _) => At::Kimg(kimg),
            (None, Some(step), _) => At::Step(step),
            (None, None, v1::Statistic::Unspecified | v1::Statistic::Last) => At::Every(Statistic::Last),
            (None, None, v1::Statistic::Min) => At::Every(Statistic::Min),
            (None, None, v1::Statistic::Max) => At::Every(Statistic::Max),
            (None, None, v1::Statistic::Mean) => At::Every(Statistic::Mean),
            (None, None, v1::Statistic::Best) => At::Best,
            (None, None, v1::Statistic::Final) => At::End,
        };
        let metric = |asked: v1::Metric| {
            let goal = goal("metrics.goal", asked.goal)?;
            Ok(Metric { name: asked.name, goal })
        };
        let metrics = request.metrics.into_iter().map(metric).collect::<Result<Vec<_>, FieldError>>()?;
        let asked = TableRequest { group_by: request.group_by, metrics, at, filter: request.filter.clone() };
        let sweeps: Vec<String> = std::iter::once(request.sweep.clone()).chain(request.more_sweeps).collect();
        let results = self.use_cases.results(&sweeps, asked).await?;
        Ok(Response::new(v1::GetResultsResponse {
            sweep: request.sweep,
            filter: request.filter,
            at_kimg: request.at_kimg,
            at: request.at,
            runs: count(results.runs),
            completed: count(results.completed),
            tables: results.tables.into_iter().map(table_message).collect(),
        }))
    }

    async fn list_metrics(
        &self,
        request: Request<v1::ListMetricsRequest>,
    ) -> Result<Response<v1::ListMetricsResponse>, Status> {
        let metrics = self.use_cases.metrics(&request.into_inner().sweep).await?;
        Ok(Response::new(v1::ListMetricsResponse { metrics }))
    }

    type ListPointsStream = Pin<Box<dyn Stream<Item = Result<v1::Curve, Status>> + Send>>;

    async fn list_points(
        &self,
        request: Request<v1::ListPointsRequest>,
    ) -> Result<Response<Self::ListPointsStream>, Status> {
        let v1::ListPointsRequest { sweep, numbers, metric, from_step, most } = request.into_inner();
        let most = (most > 0).then_some(most);
        let asked = CurveRequest { numbers, metric, from_step, most };
        let curves = self.use_cases.curves(&sweep, asked).await?;
        Ok(Response::new(Box::pin(curves.map(|part| Ok(curve_message(part?))))))
    }

    type ListArtifactsStream = Pin<Box<dyn Stream<Item = Result<v1::Artifact, Status>> + Send>>;

    async fn list_artifacts(
        &self,
        request: Request<v1::ListArtifactsRequest>,
    ) -> Result<Response<Self::ListArtifactsStream>, Status> {
        let v1::ListArtifactsRequest { sweep, numbers } = request.into_inner();
        let artifacts = self.use_cases.artifacts(&sweep, numbers).await?;
        Ok(Response::new(Box::pin(artifacts.map(|artifact| Ok(artifact_message(artifact?))))))
    }

    type ListWorkersStream = Pin<Box<dyn Stream<Item = Result<v1::ListWorkersResponse, Status>> + Send>>;

    async fn list_workers(
        &self,
        request: Request<v1::ListWorkersRequest>,
    ) -> Result<Response<Self::ListWorkersStream>, Status> {
        let pages = self.use_cases.pages_of_machines(request.into_inner().all).await?;
        let message = |page: Result<Vec<Machine>, UseCaseError>| {
            let workers = page?.into_iter().map(worker_message).collect();
            Ok(v1::ListWorkersResponse { workers })
        };
        Ok(Response::new(Box::pin(pages.map(message))))
    }
}

fn curve_message(part: CurvePart) -> v1::Curve {
    let CurvePart { run, points, is_thinned, is_last } = part;
    v1::Curve {
        number: run.number,
        seed: run.seed,
        state: v1::RunState::from(run.state).into(),
        steps: points.iter().map(|point| point.step).collect(),
        values: points.iter().map(|point| point.value).collect(),
        thinned: is_thinned,
        more: !is_last,
    }
}

fn artifact_message(record: ArtifactRecord) -> v1::Artifact {
    let ArtifactRecord { number, artifact, attempt, added_ms } = record;
    v1::Artifact {
        number,
        name: artifact.name,
        step: artifact.step,
        sha256: artifact.sha256,
        bytes: artifact.bytes,
        attempt,
        added_unix_ms: added_ms,
    }
}

fn worker_message(machine: Machine) -> v1::Worker {
    let Machine { worker, is_alive } = machine;
    v1::Worker {
        alive: is_alive,
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
    }
}

fn submission_message(submitted: Submitted) -> v1::SubmitSweepResponse {
    let Submitted { sweep, submission, unserved_datasets } = submitted;
    v1::SubmitSweepResponse {
        sweep,
        new_runs: submission.new_runs,
        lengthened_runs: submission.lengthened_runs,
        existing_runs: submission.existing_runs,
        other_runs: submission.other_runs,
        set_aside_runs: submission.set_aside,
        set_aside_with_results: submission.set_aside_with_results,
        unserved_datasets,
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
        submitter: sweep
            .submitter
            .as_ref()
            .map(|who| v1::Submitter { token: who.token.clone(), name: who.name.clone() }),
    }
}

fn table_message(table: Table) -> v1::ResultsTable {
    let row = |row: results::Row| v1::ResultsRow {
        group: row.group.iter().map(|(name, value)| parameter(name, value)).collect(),
        runs: count(row.runs),
        completed: count(row.completed),
        aggregates: row.aggregates.into_iter().map(aggregate_message).collect(),
        best: row.best,
        states: row.states.into_iter().map(state_count).collect(),
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
        median: Some(aggregate.median),
    })
}

fn state_count((state, runs): (RunState, usize)) -> v1::StateCount {
    v1::StateCount { state: v1::RunState::from(state).into(), runs: count(runs) }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
