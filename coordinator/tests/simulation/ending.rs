//! How a schedule ends: everything that can end must, and what is left is held against what everybody was told.

use std::collections::HashSet;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use acai_coordinator::blobs::Blobs as _;
use acai_coordinator::store::{BlobFile, Duty};
use acai_sweep::control::Intent;
use acai_sweep::run::RunState;
use rand::RngExt;

use crate::depot::AGES;
use crate::journal::Rest;
use crate::network::{Answer, Call};
use crate::observer::StoredRun;
use crate::world::{LEASE, Outcome, World};

/// Rounds without faults in which everything must come to an end.
const PATIENCE: u32 = 400;
/// Rounds after which people resume what has been paused again.
const RESUMED: u32 = 20;

impl World<'_> {
    /// No more faults: everything that can end must.
    pub(crate) async fn come_to_rest(&mut self) {
        self.faulty = false;
        if !self.depot.for_good {
            self.depot.trouble = None;
        }
        self.everything_goes_on().await;
        let mut calls = Vec::new();
        for sweep in &self.sweeps {
            if self.random.random_range(0..2) == 0 {
                calls.push((None, Call::Submit(Box::new(sweep.whole()))));
            }
        }
        for worker in &mut self.workers {
            worker.stopped = false;
            calls.push((None, Call::SetDuty { worker: worker.name.clone(), duty: Duty::Open }));
        }
        self.at_once(calls).await;
        for round in 0..PATIENCE {
            let mut calls = vec![(None, Call::Expire)];
            if round % RESUMED == 0 {
                calls.extend(self.sweeps.iter().map(|sweep| {
                    let (sweep, intent) = (sweep.name.clone(), Intent::Resume);
                    (None, Call::Change { sweep, numbers: Vec::new(), intent })
                }));
            }
            for who in 0..self.workers.len() {
                self.train(who);
                self.hand_over(who).await;
                calls.extend(self.claim(who));
                calls.extend(self.renew(who));
                calls.extend(self.speak(who));
            }
            self.at_once(calls).await;
            let runs = self.observer.runs().await;
            let ended =
                |run: &StoredRun| run.state.is_terminal() || !run.in_plan && run.state != RunState::Running;
            if runs.iter().all(ended) {
                return;
            }
            self.clock.set(self.clock.now_ms() + LEASE / 4);
        }
    }

    pub(crate) async fn check(mut self) -> Outcome {
        // What is still on its way finds that it is too late.
        let late = std::mem::take(&mut self.late).into_iter().filter(|call| call.attempt().is_some());
        self.at_once(late.map(|call| (None, call)).collect()).await;
        let rest = Rest {
            runs: self.observer.runs().await,
            attempts: self.observer.attempts().await,
            points: self.observer.points().await,
            events: self.observer.events().await,
        };
        self.journal.check(&rest);
        self.check_files().await;
        assert_eq!(self.observer.miscounted().await, [""; 0], "runs are tallied as they are");
        assert_eq!(self.observer.deadlocks().await, 0, "transactions lock rows in one order");
        for run in &rest.runs {
            self.note(&format!("{run:?}"));
        }
        rest.events.len().hash(&mut self.trace);
        Outcome { faults: self.faults, counts: self.counts, trace: self.trace.finish() }
    }

    /// When the places are repaired and all is old: what runs need is there, unless it was lost by chance, and nothing else.
    async fn check_files(&mut self) {
        self.depot.trouble = None;
        for number in 0..self.cluster.len() {
            self.depot.forget_collector(number, self.cluster.len());
        }
        // Files that the store does not know are seen the first time, and deleted the second.
        for _ in 0..2 {
            self.clock.set(self.clock.now_ms() + AGES.unused_ms.max(AGES.abandoned_ms) + 1);
            let collector = self.depot.collector(0).unwrap();
            let collect = Call::Collect { collector, visit: Arc::new(self.depot.fair()) };
            let collected = collect.arrive(&*self.cluster.coordinator(0), self.lease).await;
            assert!(matches!(collected, Answer::Collected(_)), "garbage is not collected: {collected:?}");
            self.look_at_files().await;
        }
        for sha256 in self.observer.checkpoints(false).await {
            self.is_there(&sha256, &HashSet::new()).await;
        }
        let needed = self.observer.checkpoints(true).await;
        let (blobs, uploads) = self.observer.files().await;
        assert_eq!(uploads, [], "uploads are begun when all has come to rest");
        let mut known: Vec<&str> = blobs.iter().map(|blob| blob.sha256.as_str()).collect();
        known.sort_unstable();
        assert_eq!(known, needed, "the blobs that are known, and those that are needed");
        for name in self.depot.place().list().await.unwrap() {
            assert!(blobs.contains(&BlobFile::from(&name)), "the file {name} is needed by nobody, and stays");
        }
    }
}
