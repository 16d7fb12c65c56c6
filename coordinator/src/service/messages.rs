//! Records of the store as messages.

use acai_proto::convert::parameters;
use acai_proto::v1;
use acai_sweep::results::Summary;

use super::hardware;
use crate::store::{AttemptRecord, EventRecord, RunDetails, RunRecord, StoredCheckpoint};

pub(super) fn run_message(sweep: &str, run: RunRecord) -> v1::Run {
    v1::Run {
        id: run.id.into(),
        sweep: sweep.to_owned(),
        number: run.number,
        state: v1::RunState::from(run.state).into(),
        configuration: parameters(&run.configuration),
        seed: run.seed,
        attempt: run.attempt,
        step: run.step,
        total_steps: run.total_steps,
        worker: run.worker.unwrap_or_default(),
        message: run.message.unwrap_or_default(),
        failures: run.failures,
        losses: run.losses,
        desired: run.desired.map_or(v1::RunState::Unspecified, |desired| desired.state().into()).into(),
        set_aside: false,
    }
}

pub(super) fn event_message(event: EventRecord) -> v1::Event {
    v1::Event {
        number: event.number,
        unix_ms: event.at_ms,
        run: event.run.into(),
        run_number: Some(event.run_number),
        state: v1::RunState::from(event.state).into(),
        attempt: event.attempt,
        worker: event.worker.unwrap_or_default(),
        message: event.message.unwrap_or_default(),
    }
}

pub(super) fn details_message(sweep: &str, details: RunDetails) -> v1::GetRunResponse {
    let RunDetails { run, set_aside, attempts, summaries, checkpoints } = details;
    let metric = |(name, summary): (String, Summary)| v1::MetricSummary {
        name,
        last: summary.last,
        min: summary.min,
        max: summary.max,
        mean: summary.mean,
    };
    v1::GetRunResponse {
        run: Some(run_message(sweep, run)),
        set_aside,
        attempts: attempts.into_iter().map(attempt_message).collect(),
        metrics: summaries.into_iter().map(metric).collect(),
        checkpoints: checkpoints.into_iter().map(checkpoint_message).collect(),
    }
}

fn attempt_message(attempt: AttemptRecord) -> v1::AttemptDetails {
    v1::AttemptDetails {
        number: attempt.number,
        worker: attempt.worker,
        version: attempt.version,
        hardware: Some(hardware::from_json(&attempt.hardware)),
        started_unix_ms: attempt.started_ms,
        ended_unix_ms: attempt.ended_ms,
        outcome: attempt.outcome.unwrap_or_default(),
        message: attempt.message.unwrap_or_default(),
        replay_mismatches: attempt.replay_mismatches,
        step: attempt.step,
    }
}

fn checkpoint_message(stored: StoredCheckpoint) -> v1::StoredCheckpoint {
    let StoredCheckpoint { checkpoint, attempt, committed_ms, rejected } = stored;
    v1::StoredCheckpoint {
        step: checkpoint.step,
        sha256: checkpoint.sha256,
        bytes: checkpoint.bytes,
        attempt,
        committed_unix_ms: committed_ms,
        rejected: rejected.unwrap_or_default(),
    }
}
