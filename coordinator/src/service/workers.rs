//! `WorkerService`: claims, leases, metrics, ends of attempts.

use std::mem::take;

use acai_proto::convert::FieldError;
use acai_proto::v1::{self, worker_service_server::WorkerService};
use acai_sweep::schedule::Offer;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::fields::{
    RUNS, at_most, attempt, attempt_ref, cut, file_name, name, points, resting, sha256, step,
};
use super::grants::{attempt_message, group_messages};
use super::hardware;
use crate::store::{Artifact, AttemptRef, Checkpoint, Claim, Joins, Mishap, Registration};
use crate::use_cases::{Claimed, Completion, Failure, RejectedCheckpoint, WorkerCalls};

/// Attempts in a renewal at the most: groups of hundreds on every device of a large machine.
const ATTEMPTS: usize = 16_384;
/// GPUs and datasets that a worker tells of.
const LISTED: usize = 256;

pub(crate) struct Workers {
    pub(crate) calls: WorkerCalls,
}

#[tonic::async_trait]
impl WorkerService for Workers {
    async fn register(
        &self,
        request: Request<v1::RegisterRequest>,
    ) -> Result<Response<v1::RegisterResponse>, Status> {
        let database = self.calls.register(registration(request.into_inner())?).await?;
        let terms = self.calls.terms();
        Ok(Response::new(v1::RegisterResponse {
            lease_ms: terms.lease_ms,
            renew_ms: terms.renew_ms,
            database,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }))
    }

    async fn leave(&self, request: Request<v1::LeaveRequest>) -> Result<Response<v1::LeaveResponse>, Status> {
        self.calls.leave(&name("worker_id", request.into_inner().worker_id)?).await?;
        Ok(Response::new(v1::LeaveResponse {}))
    }

    async fn claim(&self, request: Request<v1::ClaimRequest>) -> Result<Response<v1::ClaimResponse>, Status> {
        let request = request.into_inner();
        let (offer, joins) = room(&request)?;
        let claim = Claim {
            worker: name("worker_id", request.worker_id)?,
            id: name("claim_id", request.claim_id)?,
            number: request.number,
            offer,
            joins,
        };
        let id = claim.id.clone();
        let Claimed { grants, retry_after_ms } = self.calls.claim(claim, resting(request.rest)?).await?;
        let terms = self.calls.terms();
        Ok(Response::new(v1::ClaimResponse {
            groups: group_messages(&id, grants),
            retry_after_ms,
            lease_ms: terms.lease_ms,
            renew_ms: terms.renew_ms,
        }))
    }

    async fn renew(&self, request: Request<v1::RenewRequest>) -> Result<Response<v1::RenewResponse>, Status> {
        let request = request.into_inner();
        let worker = name("worker_id", request.worker_id)?;
        if request.attempts.len() > ATTEMPTS {
            let many = request.attempts.len();
            return Err(FieldError::new("attempts", format!("has {many}, more than {ATTEMPTS}")).into());
        }
        let rest = resting(request.rest)?;
        let attempts = request.attempts.iter().map(attempt_ref).collect();
        let renewal = self.calls.renew(&worker, attempts, rest).await?;
        let messages = |attempts: Vec<AttemptRef>| attempts.into_iter().map(attempt_message).collect();
        let terms = self.calls.terms();
        Ok(Response::new(v1::RenewResponse {
            fenced: messages(renewal.fenced),
            r#yield: messages(renewal.yielding),
            lease_ms: terms.lease_ms,
            renew_ms: terms.renew_ms,
        }))
    }

    async fn report_metrics(
        &self,
        request: Request<v1::ReportMetricsRequest>,
    ) -> Result<Response<v1::ReportMetricsResponse>, Status> {
        let request = request.into_inner();
        let attempt = attempt(request.attempt)?;
        if request.first_seq == 0 {
            return Err(FieldError::new("first_seq", "counts from 1").into());
        }
        let step = step("step", request.step)?;
        let points = points(request.points)?;
        let acked_seq = self.calls.append_points(attempt, request.first_seq, points, step).await?;
        Ok(Response::new(v1::ReportMetricsResponse { acked_seq }))
    }

    async fn complete(
        &self,
        request: Request<v1::CompleteRequest>,
    ) -> Result<Response<v1::CompleteResponse>, Status> {
        let v1::CompleteRequest { attempt: given, step: last_step, last_seq, checkpoint_step } =
            request.into_inner();
        let end = Completion { step: step("step", last_step)?, last_seq, checkpoint_step };
        self.calls.complete(attempt(given)?, end).await?;
        Ok(Response::new(v1::CompleteResponse {}))
    }

    async fn fail(&self, request: Request<v1::FailRequest>) -> Result<Response<v1::FailResponse>, Status> {
        let request = request.into_inner();
        let is_diverged = match request.kind() {
            v1::FailureKind::Diverged => true,
            v1::FailureKind::Error => false,
            v1::FailureKind::Unspecified => {
                return Err(FieldError::new("kind", "is not one of the failure kinds").into());
            }
        };
        let attempt = attempt(request.attempt)?;
        let failure = Failure { is_diverged, message: cut(request.message), last_seq: request.last_seq };
        let state = self.calls.fail(attempt, failure).await?;
        Ok(Response::new(v1::FailResponse { state: v1::RunState::from(state).into() }))
    }

    async fn add_artifact(
        &self,
        request: Request<v1::AddArtifactRequest>,
    ) -> Result<Response<v1::AddArtifactResponse>, Status> {
        let request = request.into_inner();
        let attempt = attempt(request.attempt)?;
        let artifact = Artifact {
            name: file_name("name", request.name)?,
            step: step("step", request.step)?,
            sha256: sha256("sha256", request.sha256)?,
            bytes: request.bytes,
        };
        self.calls.add_artifact(attempt, artifact).await?;
        Ok(Response::new(v1::AddArtifactResponse {}))
    }

    async fn release(
        &self,
        request: Request<v1::ReleaseRequest>,
    ) -> Result<Response<v1::ReleaseResponse>, Status> {
        let v1::ReleaseRequest { attempt: given, machine_fault, group_fault } = request.into_inner();
        let mishap = if !machine_fault.is_empty() {
            Some(Mishap::MachineFault(cut(machine_fault)))
        } else if !group_fault.is_empty() {
            Some(Mishap::GroupFault(cut(group_fault)))
        } else {
            None
        };
        self.calls.release(attempt(given)?, mishap).await?;
        Ok(Response::new(v1::ReleaseResponse {}))
    }

    async fn commit_checkpoint(
        &self,
        request: Request<v1::CommitCheckpointRequest>,
    ) -> Result<Response<v1::CommitCheckpointResponse>, Status> {
        let request = request.into_inner();
        let attempt = attempt(request.attempt)?;
        let given = request.checkpoint.ok_or(FieldError::new("checkpoint", "is missing"))?;
        let checkpoint = Checkpoint {
            step: step("checkpoint.step", given.step)?,
            sha256: sha256("checkpoint.sha256", given.sha256)?,
            bytes: step("checkpoint.bytes", given.bytes)?,
        };
        self.calls.commit_checkpoint(attempt, checkpoint, step("last_seq", request.last_seq)?).await?;
        Ok(Response::new(v1::CommitCheckpointResponse {}))
    }

    async fn reject_checkpoint(
        &self,
        request: Request<v1::RejectCheckpointRequest>,
    ) -> Result<Response<v1::RejectCheckpointResponse>, Status> {
        let request = request.into_inner();
        let attempt = attempt(request.attempt)?;
        let rejected = RejectedCheckpoint {
            sha256: sha256("sha256", request.sha256)?,
            reason: cut(request.reason),
            is_damaged: request.damaged,
        };
        self.calls.reject_checkpoint(attempt, rejected).await?;
        Ok(Response::new(v1::RejectCheckpointResponse {}))
    }
}

/// What a claim asks for: how many groups, or runs for one that trains already, of this shape.
fn room(request: &v1::ClaimRequest) -> Result<(Offer, Option<Joins>), FieldError> {
    let group_size = at_most("group_size", request.group_size, RUNS)?.max(1);
    let groups = at_most("groups", request.groups, RUNS)?.min(RUNS / group_size);
    let Some(v1::Vacancy { shape, group, places }) = &request.vacancy else {
        return Ok((Offer { groups, group_size }, None));
    };
    if groups > 0 {
        return Err(FieldError::new("vacancy", "asks for runs that join a group, and `groups` for groups"));
    }
    let places = at_most("vacancy.places", *places, RUNS)?;
    let offer = Offer { groups: places.min(1), group_size: places.max(1) };
    let (shape_key, group) = (name("vacancy.shape", shape.clone())?, name("vacancy.group", group.clone())?);
    Ok((offer, Some(Joins { shape_key, group })))
}

fn registration(request: v1::RegisterRequest) -> Result<Registration, FieldError> {
    let mut hardware = request.hardware.ok_or(FieldError::new("hardware", "is missing"))?;
    // For display only.
    hardware.gpus.truncate(LISTED);
    let texts = [&mut hardware.host, &mut hardware.cpu].into_iter();
    texts.chain(hardware.gpus.iter_mut().map(|gpu| &mut gpu.name)).for_each(|text| *text = cut(take(text)));
    if request.datasets.len() > LISTED {
        return Err(FieldError::new("datasets", format!("has more than {LISTED}")));
    }
    let datasets = request.datasets.into_iter().map(|dataset| name("datasets", dataset));
    Ok(Registration {
        id: match Uuid::parse_str(&request.worker_id) {
            Ok(id) => id.to_string(),
            Err(error) => return Err(FieldError::new("worker_id", format!("is not a UUID: {error}"))),
        },
        name: name("name", request.name)?,
        version: name("version", request.version)?,
        hardware: hardware::to_json(&hardware),
        slots: at_most("slots", request.slots, RUNS)?,
        datasets: datasets.collect::<Result<_, _>>()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_asks_for_groups_or_for_runs_that_join_one() {
        let room = |groups, vacancy: Option<(&str, u32)>| {
            let vacancy = vacancy.map(|(shape, places)| v1::Vacancy {
                shape: shape.to_owned(),
                group: "claim/0".to_owned(),
                places,
            });
            let request = v1::ClaimRequest { groups, group_size: 4, vacancy, ..Default::default() };
            room(&request).map_err(|error| error.to_string())
        };
        assert_eq!(room(2, None), Ok((Offer { groups: 2, group_size: 4 }, None)));
        let joins = Some(Joins { shape_key: "a shape".to_owned(), group: "claim/0".to_owned() });
        assert_eq!(room(0, Some(("a shape", 3))), Ok((Offer { groups: 1, group_size: 3 }, joins)));
        for (groups, vacancy, named) in [
            (2, ("a shape", 3), "`groups`"),
            (0, ("", 3), "vacancy.shape"),
            (0, ("a", 5000), "vacancy.places"),
        ] {
            let error = room(groups, Some(vacancy)).unwrap_err();
            assert!(error.contains(named), "{error}");
        }
    }

    #[test]
    fn a_worker_registers_under_a_uuid_and_under_nothing_else() {
        let id = |worker_id: &str| {
            let (worker_id, hardware) = (worker_id.to_owned(), Some(v1::Hardware::default()));
            let (name, version) = ("host".to_owned(), "1".to_owned());
            let request = v1::RegisterRequest { worker_id, name, version, hardware, ..Default::default() };
            registration(request).map(|worker| worker.id).map_err(|error| error.to_string())
        };
        let uuid = "67e55044-10b1-426f-9247-bb680e5fe0c8";
        assert_eq!(id(uuid).as_deref(), Ok(uuid));
        for other in ["", "host", "67e55044-10b1-426f-9247"] {
            let error = id(other).unwrap_err();
            assert!(error.contains("worker_id") && error.contains("UUID"), "{error}");
        }
    }
}
