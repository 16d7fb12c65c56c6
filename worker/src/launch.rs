//! Getting a trainer to work.

use std::time::Duration;

use acai_sweep::trainer_protocol::{Command, Event, Member};
use tokio::time::timeout;

use crate::context::Context;
use crate::devices::Slot;
use crate::error::WorkerError;
use crate::trainer_process::{Breakdown, TrainerProcess};

/// Time from a trainer's start to `ready`: loading libtorch's CUDA libraries from a cold network
/// disk takes a minute.
const READY_TIMEOUT: Duration = Duration::from_secs(180);

/// Starts a trainer and gives it the group; none when it, or this worker, is told to stop meanwhile.
/// One that does not get as far as `ready` is this machine's fault.
pub(crate) async fn launch(
    context: &Context,
    slot: &Slot,
    group: Vec<Member>,
) -> Result<Option<TrainerProcess>, WorkerError> {
    let program = &context.trainer;
    let failed = |reason| WorkerError::TrainerStart { program: program.clone(), reason };
    let mut trainer = TrainerProcess::spawn(program, slot, context.data.as_deref())
        .map_err(|error| failed(error.to_string()))?;
    let first = tokio::select! {
        first = timeout(READY_TIMEOUT, trainer.next()) => first,
        _ = context.stop.asked() => {
            trainer.stop().await;
            return Ok(None);
        }
    };
    let breakdown = match first {
        Ok(Ok(Event::Ready { version, device, threads, libtorch })) => {
            tracing::info!(version, device, threads, libtorch, runs = group.len(), "trainer is ready");
            trainer.send(&Command::Start { group }).await;
            return Ok(Some(trainer));
        }
        Ok(Ok(event)) => Breakdown::Protocol(format!("its first event is not `ready` but {event:?}")),
        Ok(Err(breakdown)) if breakdown.is_asked_to_go() => return Ok(None),
        Ok(Err(breakdown)) => breakdown,
        Err(_) => Breakdown::Silent(READY_TIMEOUT),
    };
    Err(failed(trainer.post_mortem(&breakdown).await))
}
