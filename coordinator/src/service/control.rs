//! `ControlService`: cancel, pause, resume, retry, limits, explain, and which machines take runs.

use acai_proto::convert::{FieldError, run_state};
use acai_proto::v1::{self, control_service_server::ControlService};
use acai_sweep::control::{Intent, RETRIED};
use acai_sweep::explain;
use acai_sweep::run::RunState;
use tonic::{Request, Response, Status};

use super::messages::{event_message, run_message};
use crate::store::{Changes, Duty, Explanation, Weight};
use crate::use_cases::{Transfers, UseCases};

pub(crate) struct Controls {
    pub(crate) use_cases: UseCases,
    pub(crate) transfers: Transfers,
}

impl Controls {
    async fn change(
        &self,
        runs: v1::Selection,
        intent: Intent,
    ) -> Result<Response<v1::ControlResponse>, Status> {
        let Changes { changed, asked, unchanged } =
            self.use_cases.change_runs(&runs.sweep, runs.numbers, intent).await?;
        Ok(Response::new(v1::ControlResponse { changed, asked, unchanged }))
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
        self.use_cases.set_limits(&sweep, priority, max_concurrent).await?;
        Ok(Response::new(v1::SetLimitsResponse {}))
    }

    async fn forget_sweep(
        &self,
        request: Request<v1::ForgetSweepRequest>,
    ) -> Result<Response<v1::ForgetSweepResponse>, Status> {
        let v1::ForgetSweepRequest { sweep, dry_run } = request.into_inner();
        let Weight { runs, running, points, checkpoints, artifacts, bytes } = match dry_run {
            true => self.use_cases.weigh(&sweep).await?,
            false => self.use_cases.forget(&sweep).await?,
        };
        Ok(Response::new(v1::ForgetSweepResponse { runs, running, points, checkpoints, artifacts, bytes }))
    }

    async fn explain_run(
        &self,
        request: Request<v1::ExplainRequest>,
    ) -> Result<Response<v1::ExplainResponse>, Status> {
        let v1::ExplainRequest { sweep, number } = request.into_inner();
        let explanation = self.use_cases.explain(&sweep, number).await?;
        // That the place of blobs does not answer is no reason to explain nothing.
        let missing = self.transfers.missing_checkpoint(&sweep, number).await.ok().flatten();
        let mut message = explanation_message(&sweep, explanation);
        message
            .reasons
            .extend(missing.map(|missing| explain::missing_checkpoint(missing.step, missing.left)));
        Ok(Response::new(message))
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
        let running = self.use_cases.set_duty(&request.worker, duty).await?;
        Ok(Response::new(v1::SetWorkerDutyResponse { running }))
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
