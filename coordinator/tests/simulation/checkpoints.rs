//! Checkpoints on their way to where they are kept and back, and what may become of their files.

use std::collections::HashSet;
use std::sync::Arc;

use acai_coordinator::blobs::Blobs as _;
use acai_coordinator::garbage::{delete_if_damaged, find};
use acai_coordinator::store::{AttemptRef, BlobFile, Checkpoint, Grant, Store};
use rand::RngExt;
use sha2::{Digest as _, Sha256};

use crate::delivery::Sending;
use crate::depot::{AGES, UnderWay, draw_damage, gate};
use crate::network::{Answer, Call};
use crate::training::Start;
use crate::visit::{Putting, Trouble, Visit};
use crate::world::World;

impl World<'_> {
    /// The uploads that the worker's attempts begin now, one after the other.
    pub(crate) async fn hand_over(&mut self, who: usize) {
        for (_, call) in self.uploads(who) {
            let coordinator = self.random.random_range(0..self.cluster.len());
            self.goes_there(coordinator, call).await;
        }
    }

    /// The uploads that the worker's attempts begin now.
    pub(crate) fn uploads(&mut self, who: usize) -> Vec<Sending> {
        if self.workers[who].stopped {
            return Vec::new();
        }
        let mut sendings = Vec::new();
        for training in &mut self.workers[who].training {
            let hasty = self.faulty && self.random.random_range(0..8) == 0;
            let Some((checkpoint, bytes)) = training.next_to_upload(hasty) else { continue };
            let visit = match self.faulty {
                true => self.depot.visit_to_put(&mut self.random),
                false => {
                    let lost_before = self.depot.lost();
                    Visit { trouble: self.depot.trouble, lost_before, ..self.depot.fair() }
                }
            };
            let faulty = visit.trouble.is_some() || visit.putting != Putting::Done || !visit.stops.is_empty();
            self.faults += u64::from(self.faulty && faulty);
            let (attempt, bytes, visit) = (training.attempt, bytes.into(), Arc::new(visit));
            sendings.push((Some(who), Call::Upload { attempt, checkpoint, bytes, visit }));
        }
        sendings
    }

    /// A collection of garbage by one of the collectors, unless it is at it.
    pub(crate) fn collection(&mut self, number: usize) -> Option<Call> {
        let collector = self.depot.collector(number)?;
        let visit = Arc::new(self.depot.visit_to_delete(&mut self.random));
        Some(Call::Collect { collector, visit })
    }

    /// An upload or a collection begins, and goes on until it stands still or ends.
    pub(crate) async fn goes_there(&mut self, coordinator: usize, mut call: Call) {
        let (Call::Upload { visit, .. } | Call::Collect { visit, .. }) = &mut call else { return };
        let (reached, go) = gate(Arc::get_mut(visit).unwrap());
        let (store, sent, lease) = (self.cluster.coordinator(coordinator), call.clone(), self.lease);
        let task = tokio::spawn(async move { sent.arrive(&*store, lease).await });
        self.go_on(UnderWay { call, coordinator, task, reached, go }).await;
    }

    /// One that stood still goes on, by chance which.
    pub(crate) async fn something_goes_on(&mut self) {
        if self.depot.under_way.is_empty() {
            return self.something_comes_late().await;
        }
        let chosen = self.random.random_range(0..self.depot.under_way.len());
        let under_way = self.depot.under_way.swap_remove(chosen);
        under_way.go.add_permits(1);
        self.go_on(under_way).await;
    }

    async fn go_on(&mut self, mut under_way: UnderWay) {
        let Some(answer) = under_way.next().await else {
            self.depot.under_way.push(under_way);
            return;
        };
        self.note(&answer.trace());
        self.look_at_files().await;
        if let Call::Upload { attempt, checkpoint, visit, .. } = &under_way.call {
            self.uploaded(*attempt, checkpoint, &visit.lost_before, &answer).await;
        }
        self.depot.condemned.clear();
    }

    /// A file comes to be of which its coordinator was told that it does not.
    async fn something_comes_late(&mut self) {
        let overdue = self.depot.log.lock().unwrap().overdue.pop();
        if let Some((place, name, staged)) = overdue {
            place.put(&name, &staged).await.unwrap();
        }
    }

    /// Everything that stands still goes on to its end, and what is overdue comes.
    pub(crate) async fn everything_goes_on(&mut self) {
        while !self.depot.under_way.is_empty() || !self.depot.log.lock().unwrap().overdue.is_empty() {
            self.something_goes_on().await;
        }
    }

    /// A coordinator is killed with all that it is at.
    pub(crate) async fn cut_off(&mut self, coordinator: usize) {
        let (killed, others) = std::mem::take(&mut self.depot.under_way)
            .into_iter()
            .partition(|under_way| under_way.coordinator == coordinator);
        self.depot.under_way = others;
        let killed: Vec<UnderWay> = killed;
        for under_way in killed {
            under_way.task.abort();
            let _ = under_way.task.await;
            if let Call::Upload { attempt, checkpoint, .. } = &under_way.call {
                let workers = self.workers.iter_mut();
                workers.for_each(|worker| worker.upload_ended(*attempt, checkpoint.step, None));
            }
        }
        self.look_at_files().await;
        self.depot.forget_collector(coordinator, self.cluster.len());
    }

    /// What the sender of an upload hears of it.
    pub(crate) async fn uploaded(
        &mut self,
        attempt: AttemptRef,
        checkpoint: &Checkpoint,
        lost_before: &HashSet<BlobFile>,
        answer: &Answer,
    ) {
        match answer {
            Answer::Uploaded if !self.depot.condemned.contains(&checkpoint.sha256) => {
                self.count("uploads");
                self.journal.uploaded(&checkpoint.sha256, self.clock.now_ms());
                self.is_there(&checkpoint.sha256, lost_before).await;
            }
            Answer::Fenced => self.journal.fenced(attempt),
            Answer::Trouble(_) => self.count("uploads refused"),
            _ => {}
        }
        let workers = self.workers.iter_mut();
        workers.for_each(|worker| worker.upload_ended(attempt, checkpoint.step, Some(answer)));
    }

    /// Panics unless the file of a blob that somebody was told of is there, or was lost by chance; not one that was lost
    /// before that could have been noticed.
    pub(crate) async fn is_there(&mut self, sha256: &str, lost_before: &HashSet<BlobFile>) {
        let store = self.cluster.coordinator(0);
        let found = find(&*store, sha256).await.unwrap();
        let (name, bytes) = found.unwrap_or_else(|| panic!("the blob {sha256} is there, and not known"));
        let size = self.depot.place().size(&name).await.unwrap();
        let file = BlobFile::from(&name);
        let may_be_lost = self.depot.is_lost(&file, self.cluster.database()) && !lost_before.contains(&file);
        assert!(may_be_lost || size == Some(bytes), "the file {name} is needed, and not there: {size:?}");
    }

    /// Takes in what has happened to files. None may be deleted that the store knows; nor one that it never knew, before
    /// people have had time to put a database back that does.
    pub(crate) async fn look_at_files(&mut self) {
        let (put, deleted, damaged) = {
            let mut log = self.depot.log.lock().unwrap();
            (std::mem::take(&mut log.put), std::mem::take(&mut log.deleted), std::mem::take(&mut log.damaged))
        };
        put.iter().for_each(|name| self.journal.begun(name.tag()));
        self.depot.damaged.extend(damaged.iter().map(BlobFile::from));
        if deleted.is_empty() {
            return;
        }
        let (blobs, uploads) = self.observer.files().await;
        for name in deleted {
            self.count("files deleted");
            let file = BlobFile::from(&name);
            assert!(!blobs.contains(&file), "the file {name} of a blob was deleted");
            assert!(!uploads.contains(&file), "the file {name} was deleted while it was uploaded");
            let known = self.journal.has_begun(name.tag());
            let patience = self.clock.now_ms() - self.moved_ms;
            assert!(
                known || patience >= AGES.abandoned_ms,
                "the file {name} was deleted {patience} ms after a database was restored that does not know it"
            );
            self.depot.deleted.insert(file, self.cluster.database());
        }
    }

    /// What a worker begins the attempt with that it is granted.
    pub(crate) async fn start(&mut self, who: usize, grant: &Grant) -> Start {
        let own = self.workers[who].resumable(grant);
        for remote in grant.checkpoints.iter().filter(|remote| own.is_none_or(|own| own < remote.step)) {
            if self.fetch(remote).await {
                self.count("resumed from the coordinators");
                return Start::Downloaded(remote.step);
            }
        }
        let newest = grant.checkpoints.first().map_or(0, |newest| newest.step);
        if own.is_some() {
            self.count("resumed from the machine");
        }
        own.map_or(Start::Scratch, |step| Start::Own { step, newer: step > newest })
    }

    /// Whether a checkpoint of the coordinators arrives. Of one that arrives damaged a coordinator is told.
    async fn fetch(&mut self, remote: &Checkpoint) -> bool {
        if self.depot.trouble.is_some_and(|trouble| trouble != Trouble::Full) {
            return false;
        }
        let store = self.cluster.coordinator(self.random.random_range(0..self.cluster.len()));
        let Some((name, bytes)) = find(&*store, &remote.sha256).await.unwrap() else { return false };
        let place = Arc::clone(self.depot.place());
        let size = place.size(&name).await.unwrap();
        let whole = size == Some(bytes) && {
            let mut chunks = place.read(&name, 0).await.unwrap();
            let mut hash = Sha256::new();
            while let Some(chunk) = chunks.next().await.unwrap() {
                hash.update(&chunk);
            }
            let digest: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
            digest == remote.sha256
        };
        let may_be_lost = self.depot.is_lost(&BlobFile::from(&name), self.cluster.database());
        assert!(whole || may_be_lost, "the file {name} of a checkpoint is {size:?} bytes, and other ones");
        // It may be damaged on the way as well.
        let arrives = whole && !(self.faulty && self.random.random_range(0..20) == 0);
        if size == Some(bytes) && !arrives {
            self.inspect(&*store, &remote.sha256, whole).await;
        }
        arrives
    }

    /// The coordinator looks at its own file, and takes it out of use if that is damaged.
    async fn inspect(&mut self, store: &dyn Store, sha256: &str, whole: bool) {
        let damaged = delete_if_damaged(store, &self.depot.fair(), sha256).await.unwrap();
        assert_eq!(damaged, !whole, "whether the file of the blob {sha256} is damaged");
        if damaged {
            self.count("damaged files found");
            self.journal.condemned(sha256);
            self.depot.condemned.insert(sha256.to_owned());
        }
        self.look_at_files().await;
    }

    /// The disk damages the file of a checkpoint that is committed.
    pub(crate) async fn damage(&mut self) {
        let committed = self.observer.checkpoints(false).await;
        let damage = draw_damage(&mut self.random);
        if committed.is_empty() {
            return;
        }
        self.faults += 1;
        let sha256 = &committed[self.random.random_range(0..committed.len())];
        let found = find(&*self.cluster.coordinator(0), sha256).await.unwrap();
        let (name, _) = found.unwrap_or_else(|| panic!("the blob {sha256} of a checkpoint is not known"));
        damage.happen(self.depot.place(), &name);
        self.depot.damaged.insert(BlobFile::from(&name));
    }
}
