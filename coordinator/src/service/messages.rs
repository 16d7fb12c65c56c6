//! Records of the store as messages.

use acai_proto::convert::parameters;
use acai_proto::v1;

use crate::store::{EventRecord, RunRecord};

pub(super) fn run_message(sweep: &str, run: RunRecord) -> v1::Run {
    v1::Run {
        id: run.id,
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
    }
}

pub(super) fn event_message(event: EventRecord) -> v1::Event {
    v1::Event {
        number: event.number,
        unix_ms: event.at_ms,
        run: event.run,
        run_number: Some(event.run_number),
        state: v1::RunState::from(event.state).into(),
        attempt: event.attempt,
        worker: event.worker.unwrap_or_default(),
        message: event.message.unwrap_or_default(),
    }
}
