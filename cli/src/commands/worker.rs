//! `acai worker`

use acai_access::AccessFile;
use acai_worker::WorkerConfig;
use acai_worker::devices::DeviceChoice;
use anyhow::{Context, anyhow};

use crate::args::{DeviceArgument, TrainingArguments, WorkerArguments};
use crate::client::serving;
use crate::failure::Failure;
use crate::log;
use crate::signals::Shutdown;

pub(super) async fn worker(arguments: WorkerArguments) -> Result<(), Failure> {
    log::to_stderr();
    let state = arguments.state.clone();
    let config = WorkerConfig {
        name: arguments.name,
        adopt: arguments.adopt,
        idle_timeout: arguments.idle_timeout,
        outage: arguments.outage,
        ..config(serving(arguments.coordinator.as_ref())?, arguments.state, arguments.training)
    };
    let shutdown = Shutdown::on_signal(|| {
        tracing::info!("stopping: the trainers write checkpoints; once more to exit at once");
    })?;
    let summary = acai_worker::run(config, shutdown.wait()).await.context("the worker ended")?;
    tracing::info!("{summary}");
    if summary.cut_short {
        let state = state.display();
        return Err(anyhow!(
            "some runs could not be handed back in time; others get them when their leases end\nhint: a worker started with --state {state} delivers what they had reported"
        )
        .into());
    }
    if let Some(signal) = shutdown.signal() {
        return Err(Failure::Interrupted(signal, format!("stopped on request: {summary}")));
    }
    Ok(())
}

/// A worker of `coordinator` that trains as these arguments say.
pub(super) fn config(
    coordinator: AccessFile,
    state: std::path::PathBuf,
    training: TrainingArguments,
) -> WorkerConfig {
    WorkerConfig {
        slots: training.slots.map(Into::into),
        threads: training.threads,
        group_size: training.group_size,
        device: match training.device {
            DeviceArgument::Auto => DeviceChoice::Auto,
            DeviceArgument::Cpu => DeviceChoice::Cpu,
            DeviceArgument::Gpu => DeviceChoice::Gpu,
        },
        data: Some(training.data),
        trainer: training.trainer,
        ..WorkerConfig::new(coordinator, state)
    }
}
