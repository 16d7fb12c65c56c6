//! What a worker does before its first claim.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use acai_proto::v1::{Hardware, RegisterRequest};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::registrar::{FIRST_CONTACT, Registrar};
use crate::artifacts::{Artifacts, Uploads};
use crate::attempt::{Context, Limits, Sizing, Stop, Vacancies};
use crate::config::WorkerConfig;
use crate::error::WorkerError;
use crate::leases::Leases;
use crate::machine::devices::{Slot, slots};
use crate::machine::{datasets, hardware};
use crate::reporting::Capacity;
use crate::state_folder::StateFolder;
use crate::trainer::{Program, locate};

/// How long a state folder that is in use is asked for again: a process that a killed worker was about to start holds the
/// folder until the system has made the trainer of it.
const FOLDER_PATIENCE: Duration = Duration::from_secs(1);

/// A worker that is known to its coordinator.
pub(super) struct Started {
    pub(super) context: Arc<Context>,
    pub(super) registrar: Arc<Registrar>,
    pub(super) uploads: Uploads,
    pub(super) slots: Vec<Slot>,
}

/// Finds the trainer, opens the state folder, looks at the machine, and registers.
pub(super) async fn start(config: &WorkerConfig) -> Result<Started, WorkerError> {
    let launcher = match &config.launcher {
        Some(launcher) => Arc::clone(launcher),
        None => Arc::new(Program(locate(config.trainer.as_deref())?)),
    };
    let state = open_state(config).await?;
    let mut hardware = match &config.hardware {
        Some(hardware) => hardware.clone(),
        None => hardware::detect().await,
    };
    let slots = slots(&hardware, config.device, config.slots, config.threads)?;
    hardware.threads = slots.first().map_or(0, |slot| slot.threads);
    let registration = registration(config, hardware, slots.len() as u32);
    let registrar = Registrar::new(config.coordinator.clone(), config.network.clone(), registration)?;
    // A coordinator that was started together with this worker may need a moment, but a wrong address should not take
    // minutes to be noticed. An address that was right before is worth waiting for.
    let patience = if state.has_served() { config.outage.max(FIRST_CONTACT) } else { FIRST_CONTACT };
    let terms = registrar.first_contact(patience).await?;
    state.serve(registrar.database())?;
    say_what_is_served(config, registrar.registration(), &slots);
    let coordinator = registrar.connection()?;
    let (artifacts, uploads) = Artifacts::start(coordinator.clone(), state.runs());
    let context = Context {
        coordinator,
        artifacts,
        leases: Arc::new(Leases::new(terms, config.outage)),
        launcher,
        data: config.data.clone(),
        any_folder: config.any_folder,
        state,
        grace: config.grace,
        last_uploads: config.last_uploads,
        trainer_idle: config.trainer_idle,
        trainer_silence: config.trainer_silence,
        trainer_progress: Limits { setup: config.trainer_setup, step: config.trainer_step },
        capacity: Capacity { points: config.queue_points, bytes: config.spool_bytes },
        stop: Stop::default(),
        sizing: Sizing::new(config.group_size, &slots),
        vacancies: Vacancies::default(),
        has_started_trainers: AtomicBool::new(false),
        metrics: config.metrics.clone(),
    };
    Ok(Started { context: Arc::new(context), registrar: Arc::new(registrar), uploads, slots })
}

async fn open_state(config: &WorkerConfig) -> Result<StateFolder, WorkerError> {
    let until = Instant::now() + FOLDER_PATIENCE;
    loop {
        match StateFolder::open(&config.state, config.adopt) {
            Err(WorkerError::StateInUse { .. }) if Instant::now() < until => {
                sleep(FOLDER_PATIENCE / 20).await;
            }
            opened => return opened,
        }
    }
}

/// Whom this worker serves, and with what.
fn say_what_is_served(config: &WorkerConfig, registration: &RegisterRequest, slots: &[Slot]) {
    let devices: BTreeSet<&str> = slots.iter().map(|slot| slot.device.as_str()).collect();
    let devices = devices.into_iter().collect::<Vec<_>>().join(", ");
    let (count, threads) =
        (slots.len(), registration.hardware.as_ref().map_or(0, |hardware| hardware.threads));
    let (name, url) = (&registration.name, &config.coordinator.url);
    let datasets = match registration.datasets.as_slice() {
        [] => "none".to_owned(),
        datasets => datasets.join(", "),
    };
    tracing::info!(
        "worker {name} serves {url} on {count} slots ({devices}, {threads} threads each); datasets: {datasets}"
    );
}

fn registration(config: &WorkerConfig, hardware: Hardware, slots: u32) -> RegisterRequest {
    let datasets = datasets::available(config.data.as_deref());
    RegisterRequest {
        worker_id: Uuid::new_v4().to_string(),
        name: config.name.clone().unwrap_or_else(|| hardware.host.clone()),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        hardware: Some(hardware),
        slots,
        datasets: datasets.iter().map(|dataset| dataset.name().to_owned()).collect(),
    }
}
