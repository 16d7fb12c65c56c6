//! How each fault is done, and undone.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustix::process::Signal;
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::sleep;

use super::service::Service;
use super::{Cluster, WORKER_PATIENCE};
use crate::proxy::Hole;
use crate::schedule::{Machine, ProcessFault, StopSignal};

/// Beside it an agent starts a guard, which is not what is meant.
const TRAINER: &str = "acai-trainer";
/// Time in which a session may begin a transaction before it is ended again.
const BETWEEN_ENDS: Duration = Duration::from_millis(20);

impl Cluster {
    /// Makes a fault happen and waits until it is over. One whose victim is down already does not happen, and is not
    /// counted.
    ///
    /// # Errors
    /// If a process cannot be started again.
    pub async fn inflict(&self, fault: ProcessFault) -> anyhow::Result<()> {
        if self.inflicted(fault).await? {
            self.network.tally.count(fault.kind());
        }
        Ok(())
    }

    /// Whether it happened.
    async fn inflicted(&self, fault: ProcessFault) -> anyhow::Result<bool> {
        match fault {
            ProcessFault::KillMachine { worker, away } => {
                let Some(mut service) = victim(&self.workers, worker) else { return Ok(false) };
                service.kill_tree().await;
                back_after(&mut service, away).await
            }
            ProcessFault::KillAgent { worker, away } => {
                let Some(mut service) = victim(&self.workers, worker) else { return Ok(false) };
                service.kill().await;
                back_after(&mut service, away).await
            }
            ProcessFault::KillTrainer { worker } => {
                Ok(victim(&self.workers, worker).is_some_and(|service| service.kill_started(TRAINER)))
            }
            ProcessFault::Freeze { worker, length } => {
                let Ok(_outage) = self.outages.try_acquire() else { return Ok(false) };
                let Some(service) = victim(&self.workers, worker) else { return Ok(false) };
                service.signal(Signal::STOP);
                sleep(length).await;
                service.signal(Signal::CONT);
                Ok(true)
            }
            ProcessFault::Stop { worker, signal, whole_group } => {
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
            ProcessFault::KillCoordinator { coordinator, away } => {
                let Some(mut service) = victim(&self.coordinators, coordinator) else { return Ok(false) };
                service.kill().await;
                back_after(&mut service, away).await
            }
            ProcessFault::KillDatabase { away } => {
                let server = self.database_server.as_ref();
                let Some(mut server) = server.and_then(|server| server.try_lock().ok()) else {
                    return Ok(false);
                };
                server.kill()?;
                sleep(away).await;
                tokio::task::block_in_place(|| server.start_again())?;
                Ok(true)
            }
            ProcessFault::DatabaseAway { length } => {
                let server = self.database_server.as_ref();
                let Some(mut server) = server.and_then(|server| server.try_lock().ok()) else {
                    return Ok(false);
                };
                server.kill()?;
                let gone = now_ms();
                sleep(length).await;
                let term = i64::try_from(self.lease.as_millis())?;
                self.outages_of_database().push(gone..=now_ms() + term);
                tokio::task::block_in_place(|| server.start_again())?;
                Ok(true)
            }
            ProcessFault::RestoreDatabase { age } => self.restore_database(age).await,
            ProcessFault::CopyState { worker } => {
                // The agent that is copied goes on, and nobody else breaks it meanwhile.
                let Some(_service) = victim(&self.workers, worker) else { return Ok(false) };
                self.copy_state(worker).await
            }
            ProcessFault::EndSessions { length } => {
                let mut ended = 0;
                let end = Instant::now() + length;
                while Instant::now() < end {
                    // Fails where the server is down.
                    ended += self.database.end_sessions().await.unwrap_or(0);
                    sleep(BETWEEN_ENDS).await;
                }
                Ok(ended > 0)
            }
            ProcessFault::BlackHole { worker, replies_only, length } => {
                let Ok(_outage) = self.outages.try_acquire() else { return Ok(false) };
                self.network.set_hole(worker, if replies_only { Hole::Replies } else { Hole::Requests });
                sleep(length).await;
                self.network.set_hole(worker, Hole::None);
                Ok(true)
            }
            ProcessFault::CutConnections => {
                self.network.cut_connections();
                Ok(true)
            }
            ProcessFault::FillDisk { machine, length } => {
                let Some(disk) = self.disk(machine) else { return Ok(false) };
                let _outage = match machine {
                    Machine::Worker(_) => match self.outages.try_acquire() {
                        Ok(outage) => Some(outage),
                        Err(_) => return Ok(false),
                    },
                    Machine::Coordinator(_) => None,
                };
                let _disk = match (machine, self.coordinators_disk.try_lock()) {
                    (Machine::Coordinator(_), Err(_)) => return Ok(false),
                    (Machine::Coordinator(_), Ok(disk)) => Some(disk),
                    (Machine::Worker(_), _) => None,
                };
                disk.fill()?;
                sleep(length).await;
                disk.free()?;
                Ok(true)
            }
            ProcessFault::AilingDisk { machine, ailment, length } => {
                let Some(disk) = self.failing_disk(machine) else { return Ok(false) };
                let Ok(_outage) = self.outages.try_acquire() else { return Ok(false) };
                disk.set(Some(ailment))?;
                sleep(length).await;
                disk.set(None)?;
                Ok(true)
            }
            ProcessFault::SetClock { machine, ahead_s } => {
                let Some(clock) = self.clock(machine) else { return Ok(false) };
                clock.set(ahead_s)?;
                Ok(true)
            }
        }
    }
}

/// By the true clock, in milliseconds from 1970.
#[expect(clippy::disallowed_methods, reason = "the clock of the server under test, which is on this machine")]
fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
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
