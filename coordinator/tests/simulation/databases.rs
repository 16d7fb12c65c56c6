//! Coordinators that are killed, and databases that take each other's place.

use acai_coordinator::blobs::owner;
use acai_coordinator::store::Duty;
use rand::RngExt;

use crate::cluster::DatabaseNumber;
use crate::delivery::Sending;
use crate::journal::Journal;
use crate::network::Call;
use crate::observer::Observer;
use crate::world::{LEASE, World};

/// A database that the coordinators do not have: a backup of theirs, or one that another took the place of.
pub(crate) struct Elsewhere {
    database: DatabaseNumber,
    /// Where its checkpoints are.
    place: usize,
    journal: Journal,
}

impl World<'_> {
    pub(crate) async fn restart_coordinator(&mut self) {
        self.faults += 1;
        let away = self.random.random_range(0..2 * LEASE);
        let number = self.random.random_range(0..self.cluster.len());
        self.lease = [LEASE / 3, LEASE, 2 * LEASE][self.random.random_range(0..3)];
        self.cut_off(number).await;
        self.cluster.restart(number, away, self.lease).await;
    }

    async fn cut_all_off(&mut self) {
        for number in 0..self.cluster.len() {
            self.cut_off(number).await;
        }
    }

    /// Makes a backup, or has the coordinators start on another database: on a backup, on the one that a backup took the
    /// place of, or on one that has never seen these workers.
    pub(crate) async fn move_database(&mut self) {
        match self.random.random_range(0..12) {
            0..5 => self.back_up().await,
            5..11 if self.elsewhere.is_empty() => self.back_up().await,
            5..11 => {
                let chosen = self.random.random_range(0..self.elsewhere.len());
                let to = self.elsewhere.swap_remove(chosen);
                self.move_to(to, false).await;
            }
            _ => {
                let (database, place) = (self.databases, self.depot.add_place());
                self.databases += 1;
                self.move_to(Elsewhere { database, place, journal: Journal::default() }, true).await;
            }
        }
    }

    async fn back_up(&mut self) {
        let database = self.databases;
        self.databases += 1;
        if self.cluster.must_stop_for_backups() {
            self.cut_all_off().await;
        }
        self.cluster.back_up(database, &mut self.observer, self.lease).await;
        let (place, journal) = (self.depot.current, self.journal.clone());
        self.elsewhere.push(Elsewhere { database, place, journal });
    }

    async fn move_to(&mut self, to: Elsewhere, is_new: bool) {
        self.faults += 1;
        self.moves += 1;
        self.count(if is_new { "new databases" } else { "restored databases" });
        self.cut_all_off().await;
        assert_eq!(self.observer.deadlocks().await, 0, "transactions lock rows in one order");
        let database = self.cluster.move_to(to.database, is_new, self.lease).await;
        let place = std::mem::replace(&mut self.depot.current, to.place);
        let journal = std::mem::replace(&mut self.journal, to.journal);
        self.elsewhere.push(Elsewhere { database, place, journal });
        self.observer = Observer::of(self.place, to.database).await;
        self.moved_ms = self.clock.now_ms();
        // A person says that the place is this one's now.
        owner::claim(&*self.cluster.coordinator(0), &self.depot.fair(), true).await.unwrap();
        // That a worker waits no more is known to the database that answered it.
        self.late.retain(|call| !matches!(call, Call::Claim(_)));
        let mut calls: Vec<Sending> = Vec::new();
        if is_new {
            let files = self.sweeps.iter().map(|sweep| sweep.file(&mut self.random));
            calls.extend(files.map(|file| (None, Call::Submit(Box::new(file)))));
        }
        for worker in &self.workers {
            calls.push((None, Call::SetDuty { worker: worker.name.clone(), duty: Duty::Open }));
        }
        self.at_once(calls).await;
    }
}
