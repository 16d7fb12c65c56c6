//! `acai worker`

use acai_access::AccessFile;
use acai_worker::devices::DeviceChoice;
use acai_worker::{Metrics, TimeLimit, WorkerConfig};
use anyhow::{Context, anyhow};

use crate::args::{DeviceArgument, TrainingArguments, WorkerArguments};
use crate::client::{access_file, serving};
use crate::failure::Failure;
use crate::log;
use crate::observing;
use crate::signals::Shutdown;

pub(super) async fn worker(arguments: WorkerArguments) -> Result<(), Failure> {
    log::to_stderr(arguments.observing.log_format);
    let metrics = Metrics::default();
    if let Some(at) = arguments.observing.metrics {
        let mut registry = observing::registry();
        metrics.register(&mut registry);
        observing::tell(at, registry, metrics.clone()).await?;
    }
    let state = arguments.state.clone();
    let config = WorkerConfig {
        name: arguments.name,
        adopt: arguments.adopt,
        idle_timeout: arguments.idle_timeout,
        outage: arguments.outage,
        metrics,
        any_folder: arguments.any_folder,
        access_file: access_file(arguments.coordinator.as_ref()),
        time_limit: arguments.time_limit.and_then(TimeLimit::after),
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
        // Who runs a sweep here reads what is theirs; a worker of others' sweeps is told otherwise.
        any_folder: true,
        ..WorkerConfig::new(coordinator, state)
    }
}
