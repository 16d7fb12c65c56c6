//! A database in a file that is backed up, goes on, and is then replaced by its backup.

use std::fs;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::sleep;

use super::Cluster;

impl Cluster {
    /// Replaces the database by a backup of this age. Whether there was one: an older one that is under way goes first.
    pub(super) async fn restore_database(&self, age: Duration) -> anyhow::Result<bool> {
        let Ok(_turn) = self.backups.try_lock() else { return Ok(false) };
        let Some(coordinator) = self.coordinators.first() else { return Ok(false) };
        let backup = self.folder.join("backup.db");
        // Everything that was answered before is in it.
        let place = self.network.journal.tick();
        // One that a full disk made impossible is none.
        let _ = fs::remove_file(&backup);
        if self.database.back_up(&backup).await.is_err() {
            return Ok(false);
        }
        sleep(age).await;
        let _disk = self.coordinators_disk.lock().await;
        let mut coordinator = coordinator.lock().await;
        coordinator.kill().await;
        let nothing_under_way = self.network.hold().await;
        self.database.restore(&backup)?;
        self.network.journal.restored(place)?;
        drop(nothing_under_way);
        coordinator.start_again()?;
        self.restores.fetch_add(1, Ordering::SeqCst);
        Ok(true)
    }
}
