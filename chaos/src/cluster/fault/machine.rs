//! Faults of a machine's surroundings: network, disk, clock. Each function says whether the fault happened: not where this
//! machine cannot make it happen, or while one that excludes it lasts.

use std::time::Duration;

use tokio::sync::{MutexGuard, SemaphorePermit};
use tokio::time::sleep;

use crate::cluster::Cluster;
use crate::proxy::Hole;
use crate::schedule::{Ailment, Machine};

/// What a full disk excludes meanwhile.
enum Excluded<'a> {
    /// Other outages of workers.
    Outages { _permit: SemaphorePermit<'a> },
    /// Other things that need the coordinators' disk.
    Disk { _lock: MutexGuard<'a, ()> },
}

impl Cluster {
    pub(super) async fn swallow(&self, worker: usize, hole: Hole, length: Duration) -> bool {
        let Ok(_outage) = self.outages.try_acquire() else { return false };
        self.network.set_hole(worker, hole);
        sleep(length).await;
        self.network.set_hole(worker, Hole::None);
        true
    }

    pub(super) async fn fill_disk(&self, machine: Machine, length: Duration) -> anyhow::Result<bool> {
        let Some(disk) = self.disk(machine) else { return Ok(false) };
        let Some(_excluded) = self.exclude(machine) else { return Ok(false) };
        disk.fill()?;
        sleep(length).await;
        disk.free()?;
        Ok(true)
    }

    fn exclude(&self, machine: Machine) -> Option<Excluded<'_>> {
        Some(match machine {
            Machine::Worker(_) => Excluded::Outages { _permit: self.outages.try_acquire().ok()? },
            Machine::Coordinator(_) => Excluded::Disk { _lock: self.coordinators_disk.try_lock().ok()? },
        })
    }

    pub(super) async fn ail_disk(
        &self,
        machine: Machine,
        ailment: Ailment,
        length: Duration,
    ) -> anyhow::Result<bool> {
        let Some(disk) = self.failing_disk(machine) else { return Ok(false) };
        let Ok(_outage) = self.outages.try_acquire() else { return Ok(false) };
        disk.set(Some(ailment))?;
        sleep(length).await;
        disk.set(None)?;
        Ok(true)
    }

    pub(super) fn set_clock(&self, machine: Machine, ahead_s: i64) -> anyhow::Result<bool> {
        let Some(clock) = self.clock(machine) else { return Ok(false) };
        clock.set(ahead_s)?;
        Ok(true)
    }
}
