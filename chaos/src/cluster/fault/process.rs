//! Faults of workers and coordinators. Each function says whether the fault happened: not while another fault has the
//! victim.

use std::time::Duration;

use rustix::process::Signal;
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::sleep;

use crate::cluster::service::Service;
use crate::cluster::{Cluster, WORKER_PATIENCE};
use crate::schedule::StopSignal;

/// An agent also starts a guard beside the trainer; the guard is not what is meant.
const TRAINER: &str = "acai-trainer";

impl Cluster {
    pub(super) async fn kill_machine(&self, worker: usize, away: Duration) -> anyhow::Result<bool> {
        let Some(mut service) = victim(&self.workers, worker) else { return Ok(false) };
        service.kill_tree().await;
        back_after(&mut service, away).await
    }

    pub(super) async fn kill_agent(&self, worker: usize, away: Duration) -> anyhow::Result<bool> {
        kill(&self.workers, worker, away).await
    }

    pub(super) async fn kill_coordinator(&self, coordinator: usize, away: Duration) -> anyhow::Result<bool> {
        kill(&self.coordinators, coordinator, away).await
    }

    pub(super) fn kill_trainer(&self, worker: usize) -> bool {
        victim(&self.workers, worker).is_some_and(|service| service.kill_started(TRAINER))
    }

    pub(super) async fn freeze(&self, worker: usize, length: Duration) -> bool {
        let Ok(_outage) = self.outages.try_acquire() else { return false };
        let Some(service) = victim(&self.workers, worker) else { return false };
        service.signal(Signal::STOP);
        sleep(length).await;
        service.signal(Signal::CONT);
        true
    }

    pub(super) async fn stop_worker(
        &self,
        worker: usize,
        signal: StopSignal,
        whole_group: bool,
    ) -> anyhow::Result<bool> {
        let Some(mut service) = victim(&self.workers, worker) else { return Ok(false) };
        let signal = match signal {
            StopSignal::Term => Signal::TERM,
            StopSignal::Int => Signal::INT,
            StopSignal::Hup => Signal::HUP,
        };
        if whole_group {
            service.signal_tree(signal);
        } else {
            service.signal(signal);
        }
        if !service.wait_or_kill(WORKER_PATIENCE).await {
            self.network.tally.note("worker killed that a signal to stop did not end");
        }
        back_after(&mut service, Duration::ZERO).await
    }

    pub(super) async fn copy_state_of(&self, worker: usize) -> anyhow::Result<bool> {
        // The agent that is copied goes on, and nobody else breaks it meanwhile.
        let Some(_service) = victim(&self.workers, worker) else { return Ok(false) };
        self.copy_state(worker).await
    }
}

async fn kill(services: &[Mutex<Service>], number: usize, away: Duration) -> anyhow::Result<bool> {
    let Some(mut service) = victim(services, number) else { return Ok(false) };
    service.kill().await;
    back_after(&mut service, away).await
}

/// None while another fault has it.
fn victim(services: &[Mutex<Service>], number: usize) -> Option<MutexGuard<'_, Service>> {
    services.get(number).and_then(|service| service.try_lock().ok())
}

async fn back_after(service: &mut Service, away: Duration) -> anyhow::Result<bool> {
    sleep(away).await;
    service.start_again()?;
    Ok(true)
}
