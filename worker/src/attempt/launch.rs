//! How a trainer is started.

use std::sync::atomic::Ordering;
use std::time::Duration;

use acai_sweep::trainer_protocol::{Command, Event, Member};
use tokio::time::timeout;

use super::context::Context;
use super::machine_fault::MachineFault;
use crate::machine::devices::Slot;
use crate::trainer::{Breakdown, IdleTrainer, TrainerProcess};

/// Time from a trainer's start to `ready`: loading libtorch's CUDA libraries from a network disk whose cache is empty
/// takes a minute.
const READY_TIMEOUT: Duration = Duration::from_secs(180);
/// How often a trainer is started that is killed before it is ready. The reason to kill it, such as the kernel's when
/// memory is short, may be gone by the next time; a trainer that ends by itself would end so again.
const STARTS: u32 = 3;

/// Gives the group to the slot's trainer, if that has stayed, or else to a new one; none when this worker is told to stop
/// meanwhile.
///
/// # Errors
/// The trainer does not get as far as `ready`.
pub(crate) async fn launch(
    context: &Context,
    slot: &Slot,
    idle: Option<IdleTrainer>,
    group: Vec<Member>,
) -> Result<Option<TrainerProcess>, MachineFault> {
    let stayed = match idle {
        Some(idle) => idle.take().await,
        None => None,
    };
    let trainer = match stayed {
        Some(trainer) => {
            trainer.forget_printed();
            Some(trainer)
        }
        None => start(context, slot, group.len()).await?,
    };
    Ok(trainer.inspect(|trainer| trainer.send(&Command::Start { group, stay: trainer.can_stay })))
}

/// Finds out whether a trainer could train on `slot`: starts one that gets no group, and ends it.
///
/// # Errors
/// The trainer does not get as far as `ready`.
pub(crate) async fn probe(context: &Context, slot: &Slot) -> Result<(), MachineFault> {
    if let Some(trainer) = start(context, slot, 0).await? {
        trainer.stop().await;
    }
    Ok(())
}

/// A trainer for this many runs that is ready; none when this worker is told to stop meanwhile.
async fn start(context: &Context, slot: &Slot, runs: usize) -> Result<Option<TrainerProcess>, MachineFault> {
    let fault =
        |reason| MachineFault::TrainerStart { program: context.launcher.program().to_owned(), reason };
    let mut starts = 1;
    loop {
        let mut trainer = TrainerProcess::start(&*context.launcher, slot, context.data.as_deref())
            .map_err(|error| fault(error.to_string()))?;
        let ready = tokio::select! {
            ready = ready(&mut trainer, slot, runs) => ready,
            _ = context.stop.asked() => {
                trainer.stop().await;
                return Ok(None);
            }
        };
        let breakdown = match ready {
            Ok(()) => {
                context.has_started_trainers.store(true, Ordering::Relaxed);
                return Ok(Some(trainer));
            }
            Err(breakdown) => breakdown,
        };
        let reason = trainer.post_mortem(&breakdown).await;
        if starts == STARTS || !breakdown.is_killed() {
            return Err(fault(reason));
        }
        tracing::warn!("before it was ready, {reason}; starting another");
        starts += 1;
    }
}

/// Waits for the trainer's first event, which must be `ready`.
async fn ready(trainer: &mut TrainerProcess, slot: &Slot, runs: usize) -> Result<(), Breakdown> {
    match timeout(READY_TIMEOUT, trainer.next()).await.unwrap_or(Err(Breakdown::Silent(READY_TIMEOUT)))? {
        Event::Ready { version, device, threads, libtorch, can_stay, can_join } => {
            tracing::info!(version, device, threads, libtorch, runs, "trainer is ready");
            trainer.can_stay = can_stay;
            trainer.can_join = can_stay && can_join;
            // What it keeps of a GPU's memory would be missed by the trainers of other slots.
            trainer.is_kept = !slot.shares_gpu;
            Ok(())
        }
        event => Err(Breakdown::Protocol(format!("its first event is not `ready` but {event:?}"))),
    }
}
