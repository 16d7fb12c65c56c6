//! What an answer means for the journal.

use acai_proto::v1;
use tonic::{Code, Status};

use super::call::{Call, Reply};
use crate::journal::{AttemptId, Ending, Point, What};

pub(super) fn id(attempt: v1::Attempt) -> AttemptId {
    AttemptId { run: attempt.run, number: attempt.number, token: attempt.token }
}

fn ids(attempts: &[v1::Attempt]) -> Vec<AttemptId> {
    attempts.iter().map(|attempt| id(*attempt)).collect()
}

/// None where nothing was promised: the call is about no run, or whether it took effect is unknown.
pub(super) fn witnessed(call: &Call, answer: &Result<Reply, Status>) -> Option<What> {
    match answer {
        Ok(reply) => accepted(call, reply),
        Err(status) => refused(call, status),
    }
}

fn accepted(call: &Call, reply: &Reply) -> Option<What> {
    Some(match (call, reply) {
        (Call::Claim(request), Reply::Claim(reply)) => {
            let runs = reply.groups.iter().flat_map(|group| &group.runs);
            let attempts = runs.filter_map(|run| run.attempt.map(id)).collect();
            What::Granted { claim: request.claim_id.clone(), attempts }
        }
        (Call::Renew(request), Reply::Renew(reply)) => {
            What::Renewed { attempts: ids(&request.attempts), fenced: ids(&reply.fenced) }
        }
        (Call::ReportMetrics(request), Reply::ReportMetrics(reply)) => {
            let point = |point: &v1::Point| Point {
                name: point.name.clone(),
                step: point.step,
                bits: point.value.to_bits(),
            };
            What::Reported {
                attempt: id(request.attempt?),
                first_seq: request.first_seq,
                acked_seq: reply.acked_seq,
                points: request.points.iter().map(point).collect(),
            }
        }
        (Call::CommitCheckpoint(request), _) => {
            let checkpoint = request.checkpoint.clone()?;
            let (step, sha256) = (checkpoint.step, checkpoint.sha256);
            What::Committed { attempt: id(request.attempt?), step, sha256 }
        }
        (Call::RejectCheckpoint(request), _) => {
            What::Rejected { attempt: id(request.attempt?), sha256: request.sha256.clone() }
        }
        (Call::Complete(request), _) => {
            What::Ended { attempt: id(request.attempt?), ending: Ending::Completed }
        }
        (Call::Fail(request), _) => {
            let diverged = request.kind() == v1::FailureKind::Diverged;
            let ending = if diverged { Ending::Diverged } else { Ending::Failed };
            What::Ended { attempt: id(request.attempt?), ending }
        }
        (Call::Release(request), _) => {
            What::Ended { attempt: id(request.attempt?), ending: Ending::Released }
        }
        (call, _) => What::Accepted { attempt: id(call.attempt()?), call: call.name().to_owned() },
    })
}

fn refused(call: &Call, status: &Status) -> Option<What> {
    let fenced = match status.code() {
        Code::FailedPrecondition => true,
        Code::InvalidArgument | Code::NotFound | Code::AlreadyExists | Code::OutOfRange => false,
        // Nobody there, or too late: it may have taken effect or not.
        _ => return None,
    };
    let (attempt, call) = (id(call.attempt()?), call.name().to_owned());
    Some(What::Refused { attempt, call, fenced, message: status.message().to_owned() })
}
