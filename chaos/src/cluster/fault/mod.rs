//! How each fault is done, and undone: by whom it happens to.

mod database;
mod machine;
mod process;

use crate::cluster::Cluster;
use crate::proxy::Hole;
use crate::schedule::ProcessFault;

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
        use ProcessFault as Fault;
        match fault {
            Fault::KillMachine { worker, away } => self.kill_machine(worker, away).await,
            Fault::KillAgent { worker, away } => self.kill_agent(worker, away).await,
            Fault::KillTrainer { worker } => Ok(self.kill_trainer(worker)),
            Fault::Freeze { worker, length } => Ok(self.freeze(worker, length).await),
            Fault::Stop { worker, signal, whole_group } => {
                self.stop_worker(worker, signal, whole_group).await
            }
            Fault::KillCoordinator { coordinator, away } => self.kill_coordinator(coordinator, away).await,
            Fault::KillDatabase { away } => self.kill_database(away).await,
            Fault::DatabaseAway { length } => self.take_database_away(length).await,
            Fault::RestoreDatabase { age } => self.restore_database(age).await,
            Fault::CopyState { worker } => self.copy_state_of(worker).await,
            Fault::EndSessions { length } => Ok(self.end_sessions(length).await),
            Fault::BlackHole { worker, replies_only, length } => {
                let hole = if replies_only { Hole::Replies } else { Hole::Requests };
                Ok(self.swallow(worker, hole, length).await)
            }
            Fault::CutConnections => {
                self.network.cut_connections();
                Ok(true)
            }
            Fault::FillDisk { machine, length } => self.fill_disk(machine, length).await,
            Fault::AilingDisk { machine, ailment, length } => self.ail_disk(machine, ailment, length).await,
            Fault::SetClock { machine, ahead_s } => self.set_clock(machine, ahead_s),
        }
    }
}
