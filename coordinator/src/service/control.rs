//! `ControlService`: cancel, pause, resume, retry, limits, explain, and which machines take runs.

use std::sync::Arc;

use acai_proto::convert::{FieldError, run_state};
use acai_proto::v1::{self, control_service_server::ControlService};
use acai_sweep::control::{Intent, RETRIED};
use acai_sweep::explain;
use acai_sweep::run::RunState;
use acai_sweep::spelling::did_you_mean;
use tonic::{Request, Response, Status};

use super::messages::{event_message, run_message};
use super::status::{no_such_sweep, status};
use crate::lease::LeaseTerms;
use crate::store::{Duty, Explanation, Store};

/// Runs that a call can name one by one.
const INDEXES: usize = 100_000;

pub(crate) struct Controls {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) terms: LeaseTerms,
}

impl Controls {
    async fn change(
        &self,
        runs: v1::Selection,
        intent: Intent,
    ) -> Result<Response<v1::ControlResponse>, Status> {
        if runs.indexes.len() > INDEXES {
            return Err(FieldError::new("indexes", format!("names more than {INDEXES} runs")).into());
        }
        let changes =
            self.store.runs_change(&runs.sweep, runs.indexes, intent.clone()).await.map_err(status)?;
        let Some(changes) = changes else { return Err(no_such_sweep(&*self.store, &runs.sweep).await) };
        tracing::info!(
            sweep = runs.sweep,
            ?intent,
            changed = changes.changed,
            asked = changes.asked,
            "runs changed"
        );
        Ok(Response::new(v1::ControlResponse {
            changed: changes.changed,
            asked: changes.asked,
            unchanged: changes.unchanged,
        }))
    }
}

#[tonic::async_trait]
impl ControlService for Controls {
    async fn cancel_runs(
        &self,
        request: Request<v1::Selection>,
    ) -> Result<Response<v1::ControlResponse>, Status> {
        self.change(request.into_inner(), Intent::Cancel).await
    }

    async fn pause_runs(
        &self,
        request: Request<v1::PauseRequest>,
    ) -> Result<Response<v1::ControlResponse>, Status> {
        let request = request.into_inner();
        let intent = if request.now { Intent::PauseNow } else { Intent::Pause };
        self.change(selection(request.runs)?, intent).await
    }

    async fn resume_runs(
        &self,
        request: Request<v1::Selection>,
    ) -> Result<Response<v1::ControlResponse>, Status> {
        self.change(request.into_inner(), Intent::Resume).await
    }

    async fn retry_runs(
        &self,
        request: Request<v1::RetryRequest>,
    ) -> Result<Response<v1::ControlResponse>, Status> {
        let request = request.into_inner();
        let states = request.states.iter().map(|&state| retried("states", state));
        let states = states.collect::<Result<Vec<_>, _>>()?;
        let states = if states.is_empty() { RETRIED.to_vec() } else { states };
        let intent = Intent::Retry { states, from_scratch: request.from_scratch };
        self.change(selection(request.runs)?, intent).await
    }

    async fn set_limits(
        &self,
        request: Request<v1::SetLimitsRequest>,
    ) -> Result<Response<v1::SetLimitsResponse>, Status> {
        let v1::SetLimitsRequest { sweep, priority, max_concurrent } = request.into_inner();
        if self.store.sweep_set_limits(&sweep, priority, max_concurrent).await.map_err(status)? {
            Ok(Response::new(v1::SetLimitsResponse {}))
        } else {
            Err(no_such_sweep(&*self.store, &sweep).await)
        }
    }

    async fn explain_run(
        &self,
        request: Request<v1::ExplainRequest>,
    ) -> Result<Response<v1::ExplainResponse>, Status> {
        let v1::ExplainRequest { sweep, index } = request.into_inner();
        let silent_ms = i64::from(self.terms.lease_ms);
        match self.store.run_explain(&sweep, index, silent_ms).await.map_err(status)? {
            Some(explanation) => Ok(Response::new(explanation_message(&sweep, explanation))),
            None if self.store.sweep_fetch(&sweep).await.map_err(status)?.is_none() => {
                Err(no_such_sweep(&*self.store, &sweep).await)
            }
            None => Err(Status::not_found(format!(
                "{sweep} has no run {index}\nhint: `acai runs {sweep}` lists them"
            ))),
        }
    }

    async fn set_worker_duty(
        &self,
        request: Request<v1::SetWorkerDutyRequest>,
    ) -> Result<Response<v1::SetWorkerDutyResponse>, Status> {
        let request = request.into_inner();
        let duty = match request.duty() {
            v1::WorkerDuty::Open => Duty::Open,
            v1::WorkerDuty::Cordoned => Duty::Cordoned,
            v1::WorkerDuty::Drained => Duty::Drained,
            v1::WorkerDuty::Unspecified => {
                return Err(FieldError::new("duty", "is not one of the duties").into());
            }
        };
        match self.store.worker_set_duty(&request.worker, duty).await.map_err(status)? {
            Some(running) => {
                tracing::info!(worker = request.worker, ?duty, "a worker's duty is changed");
                Ok(Response::new(v1::SetWorkerDutyResponse { running }))
            }
            None => Err(self.no_such_worker(&request.worker).await),
        }
    }
}

impl Controls {
    async fn no_such_worker(&self, name: &str) -> Status {
        let known = match self.store.worker_list().await {
            Ok(workers) => workers,
            Err(error) => return status(error),
        };
        let hint = did_you_mean(name, known.iter().map(|worker| worker.registration.name.as_str()));
        let hint = hint.unwrap_or_else(|| "`acai workers` lists them".to_owned());
        Status::not_found(format!("there is no worker `{name}`\nhint: {hint}"))
    }
}

fn selection(runs: Option<v1::Selection>) -> Result<v1::Selection, FieldError> {
    runs.ok_or(FieldError::new("runs", "is missing"))
}

/// A state that `retry` can take a run out of.
fn retried(field: &'static str, state: i32) -> Result<RunState, FieldError> {
    match run_state(field, state)? {
        RunState::Completed => {
            Err(FieldError::new(field, "names `completed`: such a run has nothing to repeat"))
        }
        state if !state.is_terminal() => {
            Err(FieldError::new(field, format!("names `{state}`: such a run has not ended")))
        }
        state => Ok(state),
    }
}

fn explanation_message(sweep: &str, explanation: Explanation) -> v1::ExplainResponse {
    let Explanation { run, situation, workers, events } = explanation;
    let worker_reason = |(name, worker): (String, explain::WorkerSituation)| v1::WorkerReason {
        reason: explain::worker(&situation, &worker)
            .unwrap_or_else(|| "nothing keeps it from this run".to_owned()),
        worker: name,
    };
    let workers = match situation.state {
        RunState::Queued => workers.into_iter().map(worker_reason).collect(),
        _ => Vec::new(),
    };
    v1::ExplainResponse {
        reasons: explain::run(&situation),
        workers,
        events: events.into_iter().map(event_message).collect(),
        run: run.map(|run| run_message(sweep, run)),
    }
}
