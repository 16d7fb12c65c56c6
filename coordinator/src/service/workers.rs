//! `WorkerService`: claims, leases, metrics, ends of attempts.

use std::mem::take;
use std::sync::Arc;
use std::time::Duration;

use acai_proto::convert::{FieldError, parameters};
use acai_proto::v1::{self, worker_service_server::WorkerService};
use acai_sweep::schedule::Offer;
use tokio::time::timeout;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::{hardware, status::status};
use crate::blobs::Blobs;
use crate::inspections::Inspections;
use crate::lease::LeaseTerms;
use crate::run_name::run_name;
use crate::store::{
    Artifact, AttemptRef, Checkpoint, Claim, EarlierAttempt, Grant, Mishap, Point, Registration, Rest, Store,
};

/// Points in a call at the most.
const POINTS: usize = 1000;
/// Attempts in a renewal at the most: groups of hundreds on every device of a large machine.
const ATTEMPTS: usize = 16_384;
/// GPUs and datasets that a worker tells of.
const LISTED: usize = 256;
/// Bytes of a name at the most.
const NAME: usize = 128;
/// Bytes of a failure's message that are kept.
const MESSAGE: usize = 4096;
/// Groups that a worker has room for, runs in one of them, and runs that a claim is given, at the most: they are chosen in
/// one transaction, and the answer must fit into a message.
const RUNS: u32 = 1024;
/// A worker waits this long for what a look at a checkpoint comes to: less than its call may take. The look goes on.
const INSPECTION: Duration = Duration::from_secs(5);
/// When nothing is queued, workers ask again after this long.
const RETRY_AFTER_MS: u32 = 1000;

pub(crate) struct Workers {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) blobs: Arc<dyn Blobs>,
    pub(crate) terms: LeaseTerms,
    pub(crate) inspections: Inspections,
}

impl Workers {
    fn term_ms(&self) -> i64 {
        self.terms.lease_ms.into()
    }
}

#[tonic::async_trait]
impl WorkerService for Workers {
    async fn register(
        &self,
        request: Request<v1::RegisterRequest>,
    ) -> Result<Response<v1::RegisterResponse>, Status> {
        let worker = registration(request.into_inner())?;
        tracing::info!(worker = worker.name, id = worker.id, slots = worker.slots, "worker registered");
        let database = self.store.worker_register(worker).await.map_err(status)?;
        Ok(Response::new(v1::RegisterResponse {
            lease_ms: self.terms.lease_ms,
            renew_ms: self.terms.renew_ms,
            database,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }))
    }

    async fn leave(&self, request: Request<v1::LeaveRequest>) -> Result<Response<v1::LeaveResponse>, Status> {
        let worker = name("worker_id", request.into_inner().worker_id)?;
        self.store.worker_leave(&worker).await.map_err(status)?;
        tracing::info!(worker, "worker ended");
        Ok(Response::new(v1::LeaveResponse {}))
    }

    async fn claim(&self, request: Request<v1::ClaimRequest>) -> Result<Response<v1::ClaimResponse>, Status> {
        let request = request.into_inner();
        let group_size = at_most("group_size", request.group_size, RUNS)?.max(1);
        let groups = at_most("groups", request.groups, RUNS)?.min(RUNS / group_size);
        let claim = Claim {
            worker: name("worker_id", request.worker_id)?,
            id: name("claim_id", request.claim_id)?,
            number: request.number,
            offer: Offer { groups, group_size },
        };
        let worker = claim.worker.clone();
        if let Some(rest) = resting(request.rest)? {
            self.store.worker_set_rest(&worker, rest).await.map_err(status)?;
        }
        let grants = self.store.run_claim(claim, self.term_ms()).await.map_err(status)?;
        for Grant { attempt, sweep, number, .. } in &grants {
            let run = format!("{sweep}/{number}");
            tracing::info!(%run, id = attempt.run, attempt = attempt.number, worker, "run granted");
        }
        let retry_after_ms = if grants.is_empty() { RETRY_AFTER_MS } else { 0 };
        Ok(Response::new(v1::ClaimResponse {
            groups: by_group(grants),
            retry_after_ms,
            lease_ms: self.terms.lease_ms,
            renew_ms: self.terms.renew_ms,
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
        let renewal = self.store.lease_renew(&worker, attempts, self.term_ms()).await.map_err(status)?;
        // After the leases, which have connections of their own: this may have to wait for others' writes.
        if let Some(rest) = rest {
            self.store.worker_set_rest(&worker, rest).await.map_err(status)?;
        }
        let messages = |attempts: Vec<AttemptRef>| attempts.into_iter().map(attempt_message).collect();
        Ok(Response::new(v1::RenewResponse {
            fenced: messages(renewal.fenced),
            r#yield: messages(renewal.yielding),
            lease_ms: self.terms.lease_ms,
            renew_ms: self.terms.renew_ms,
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
        let acked_seq =
            self.store.metrics_append(attempt, request.first_seq, points, step).await.map_err(status)?;
        Ok(Response::new(v1::ReportMetricsResponse { acked_seq }))
    }

    async fn complete(
        &self,
        request: Request<v1::CompleteRequest>,
    ) -> Result<Response<v1::CompleteResponse>, Status> {
        let request = request.into_inner();
        let attempt = attempt(request.attempt)?;
        let step = step("step", request.step)?;
        // A database that was restored from a backup between the two knows nothing of what it had committed.
        if request.checkpoint_step > 0 {
            let newest = self.store.checkpoint_step(attempt.run).await.map_err(status)?;
            if newest < request.checkpoint_step {
                let wanted = request.checkpoint_step;
                return Err(Status::out_of_range(format!(
                    "the database has no checkpoint of step {wanted} of this run; was it restored from a backup? hand it over again"
                )));
            }
        }
        self.store.attempt_complete(attempt, step, request.last_seq).await.map_err(status)?;
        let run = run_name(&*self.store, attempt.run).await;
        tracing::info!(%run, id = attempt.run, attempt = attempt.number, "run completed");
        Ok(Response::new(v1::CompleteResponse {}))
    }

    async fn fail(&self, request: Request<v1::FailRequest>) -> Result<Response<v1::FailResponse>, Status> {
        let request = request.into_inner();
        let diverged = match request.kind() {
            v1::FailureKind::Diverged => true,
            v1::FailureKind::Error => false,
            v1::FailureKind::Unspecified => {
                return Err(FieldError::new("kind", "is not one of the failure kinds").into());
            }
        };
        let attempt = attempt(request.attempt)?;
        let message = cut(request.message);
        let failed = self.store.attempt_fail(attempt, diverged, message.clone(), request.last_seq).await;
        let state = failed.map_err(status)?;
        let run = run_name(&*self.store, attempt.run).await;
        tracing::warn!(%run, id = attempt.run, attempt = attempt.number, %state, message, "attempt failed");
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
        self.store.artifact_add(attempt, artifact).await.map_err(status)?;
        Ok(Response::new(v1::AddArtifactResponse {}))
    }

    async fn release(
        &self,
        request: Request<v1::ReleaseRequest>,
    ) -> Result<Response<v1::ReleaseResponse>, Status> {
        let v1::ReleaseRequest { attempt: given, machine_fault, group_fault } = request.into_inner();
        let attempt = attempt(given)?;
        let mishap = if !machine_fault.is_empty() {
            Some(Mishap::MachineFault(cut(machine_fault)))
        } else if !group_fault.is_empty() {
            Some(Mishap::GroupFault(cut(group_fault)))
        } else {
            None
        };
        let released = match mishap.clone() {
            None => self.store.attempt_release(attempt).await,
            Some(mishap) => self.store.attempt_release_after(attempt, mishap).await,
        };
        let state = released.map_err(status)?;
        let run = run_name(&*self.store, attempt.run).await;
        tracing::info!(%run, id = attempt.run, attempt = attempt.number, %state, ?mishap, "run given back");
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
        let last_seq = step("last_seq", request.last_seq)?;
        self.store.checkpoint_commit(attempt, checkpoint, last_seq).await.map_err(status)?;
        tracing::debug!(
            run = attempt.run,
            attempt = attempt.number,
            step = given.step,
            "checkpoint committed"
        );
        Ok(Response::new(v1::CommitCheckpointResponse {}))
    }

    async fn reject_checkpoint(
        &self,
        request: Request<v1::RejectCheckpointRequest>,
    ) -> Result<Response<v1::RejectCheckpointResponse>, Status> {
        let request = request.into_inner();
        let attempt = attempt(request.attempt)?;
        let (sha256, reason) = (sha256("sha256", request.sha256)?, cut(request.reason));
        if request.damaged {
            self.store.attempt_check(attempt).await.map_err(status)?;
            let (store, blobs) = (Arc::clone(&self.store), Arc::clone(&self.blobs));
            if let Some(inspection) = self.inspections.start(store, blobs, sha256, reason)
                && let Ok(inspected) = timeout(INSPECTION, inspection).await
            {
                inspected.map_err(|error| Status::internal(error.to_string()))?;
            }
        } else {
            self.store.checkpoint_reject(attempt, sha256.clone(), reason.clone()).await.map_err(status)?;
            let run = run_name(&*self.store, attempt.run).await;
            let (id, number) = (attempt.run, attempt.number);
            tracing::warn!(%run, id, attempt = number, sha256, reason, "checkpoint rejected");
        }
        Ok(Response::new(v1::RejectCheckpointResponse {}))
    }
}

/// What a worker says of its slots that rest, if it says anything.
fn resting(rest: Option<v1::Rest>) -> Result<Option<Rest>, FieldError> {
    let Some(v1::Rest { slots, reason }) = rest else { return Ok(None) };
    Ok(Some(Rest { slots: at_most("rest.slots", slots, RUNS)?, reason: cut(reason) }))
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

fn by_group(grants: Vec<Grant>) -> Vec<v1::Group> {
    let mut groups: Vec<v1::Group> = Vec::new();
    let mut open = None;
    for grant in grants {
        if open != Some(grant.group) {
            open = Some(grant.group);
            groups.push(v1::Group::default());
        }
        let evaluation = grant.configuration.training_config().eval_kimg;
        let assignment = v1::Assignment {
            attempt: Some(attempt_message(grant.attempt)),
            sweep: grant.sweep,
            number: grant.number,
            configuration: parameters(&grant.configuration),
            seed: grant.seed,
            checkpoint_kimg: grant.checkpoint_kimg.unwrap_or(evaluation),
            checkpoints: grant.checkpoints.into_iter().map(checkpoint_message).collect(),
            void_attempts: grant.void_attempts,
            earlier_attempts: grant.earlier_attempts.into_iter().map(earlier_attempt_message).collect(),
        };
        if let Some(group) = groups.last_mut() {
            group.runs.push(assignment);
        }
    }
    groups
}

fn earlier_attempt_message(earlier: EarlierAttempt) -> v1::EarlierAttempt {
    v1::EarlierAttempt { number: earlier.number, token: earlier.token, acked_seq: earlier.acked_seq }
}

fn checkpoint_message(checkpoint: Checkpoint) -> v1::Checkpoint {
    v1::Checkpoint { step: checkpoint.step, sha256: checkpoint.sha256, bytes: checkpoint.bytes }
}

/// 64 hexadecimal digits, lower case.
fn sha256(field: &'static str, text: String) -> Result<String, FieldError> {
    let is_digest = text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if is_digest { Ok(text) } else { Err(FieldError::new(field, "is not 64 hexadecimal digits, lower case")) }
}

fn points(points: Vec<v1::Point>) -> Result<Vec<Point>, FieldError> {
    if points.len() > POINTS {
        return Err(FieldError::new("points", format!("has {} points, more than {POINTS}", points.len())));
    }
    let convert = |(index, point): (usize, v1::Point)| {
        if !point.value.is_finite() {
            return Err(FieldError::new(format!("points[{index}].value"), "is not a finite number"));
        }
        Ok(Point {
            name: name("points.name", point.name)?,
            step: step("points.step", point.step)?,
            value: point.value,
        })
    };
    points.into_iter().enumerate().map(convert).collect()
}

fn attempt(attempt: Option<v1::Attempt>) -> Result<AttemptRef, FieldError> {
    attempt.as_ref().map(attempt_ref).ok_or(FieldError::new("attempt", "is missing"))
}

pub(super) fn attempt_ref(attempt: &v1::Attempt) -> AttemptRef {
    AttemptRef { run: attempt.run, number: attempt.number, token: attempt.token }
}

fn attempt_message(attempt: AttemptRef) -> v1::Attempt {
    v1::Attempt { run: attempt.run, number: attempt.number, token: attempt.token }
}

fn name(field: &'static str, text: String) -> Result<String, FieldError> {
    if text.is_empty() || text.len() > NAME || text.chars().any(char::is_control) {
        return Err(FieldError::new(field, format!("is not a name of 1 to {NAME} bytes")));
    }
    Ok(text)
}

/// A name that a file can have anywhere.
fn file_name(field: &'static str, text: String) -> Result<String, FieldError> {
    let text = name(field, text)?;
    if text.contains(['/', '\\']) || text.starts_with('.') {
        return Err(FieldError::new(field, "is no name of a file: it has a folder, or a dot in front"));
    }
    Ok(text)
}

fn at_most(field: &'static str, value: u32, most: u32) -> Result<u32, FieldError> {
    if value > most {
        return Err(FieldError::new(field, format!("is {value}, more than {most}")));
    }
    Ok(value)
}

/// A step that the store's signed integers can hold.
fn step(field: &'static str, step: u64) -> Result<u64, FieldError> {
    i64::try_from(step).map(|_| step).map_err(|_| FieldError::new(field, format!("is {step}, too large")))
}

fn cut(mut message: String) -> String {
    let end = (0..=MESSAGE.min(message.len())).rev().find(|&end| message.is_char_boundary(end));
    message.truncate(end.unwrap_or(0));
    message
}

#[cfg(test)]
mod tests {
    use super::*;

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
