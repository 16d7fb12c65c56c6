//! Runs that are granted, as messages.

use acai_proto::convert::parameters;
use acai_proto::v1;

use crate::store::{AttemptRef, Checkpoint, EarlierAttempt, Grant};

/// What claim `claim` was granted. Grants of one group stand beside each other.
pub(super) fn group_messages(claim: &str, grants: Vec<Grant>) -> Vec<v1::Group> {
    let mut groups: Vec<v1::Group> = Vec::new();
    let mut open = None;
    for grant in grants {
        if open != Some(grant.group) {
            open = Some(grant.group);
            let shape = grant.shape_key.clone().unwrap_or_default();
            let name = if shape.is_empty() { String::new() } else { format!("{claim}/{}", grant.group) };
            groups.push(v1::Group { shape, name, runs: Vec::new() });
        }
        if let Some(group) = groups.last_mut() {
            group.runs.push(assignment_message(grant));
        }
    }
    groups
}

fn assignment_message(grant: Grant) -> v1::Assignment {
    let evaluation = grant.configuration.training_config().eval_kimg;
    v1::Assignment {
        attempt: Some(attempt_message(grant.attempt)),
        sweep: grant.sweep,
        number: grant.number,
        configuration: parameters(&grant.configuration),
        seed: grant.seed,
        checkpoint_kimg: grant.checkpoint_kimg.unwrap_or(evaluation),
        checkpoints: grant.checkpoints.into_iter().map(checkpoint_message).collect(),
        void_attempts: grant.void_attempts,
        earlier_attempts: grant.earlier_attempts.into_iter().map(earlier_attempt_message).collect(),
        weights: grant.keeps_weights,
    }
}

pub(super) fn attempt_message(attempt: AttemptRef) -> v1::Attempt {
    v1::Attempt { run: attempt.run.into(), number: attempt.number, token: attempt.token }
}

fn earlier_attempt_message(earlier: EarlierAttempt) -> v1::EarlierAttempt {
    v1::EarlierAttempt { number: earlier.number, token: earlier.token, acked_seq: earlier.acked_seq }
}

fn checkpoint_message(checkpoint: Checkpoint) -> v1::Checkpoint {
    v1::Checkpoint { step: checkpoint.step, sha256: checkpoint.sha256, bytes: checkpoint.bytes }
}
