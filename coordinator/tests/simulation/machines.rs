//! What workers do by themselves, and what happens to their machines.

use rand::RngExt;

use crate::delivery::Sending;
use crate::network::Call;
use crate::training::Failure;
use crate::worker::Worker;
use crate::world::World;

/// Runs of a shape that a worker trains as one, at the most.
const GROUP_SIZE: u32 = 3;

impl World<'_> {
    pub(crate) fn train(&mut self, who: usize) {
        let steps = self.random.random_range(1..6);
        let fault = self.random.random_range(0..60);
        if self.workers[who].stopped {
            return;
        }
        for training in &mut self.workers[who].training {
            (0..steps).for_each(|_| training.step());
            if self.faulty {
                training.fails = training.fails.or(match fault {
                    0 => Some(Failure::Diverged),
                    1 | 2 => Some(Failure::Own),
                    3 | 4 => Some(Failure::Machine),
                    5 => Some(Failure::Group),
                    _ => None,
                });
            }
        }
    }

    /// Each attempt of the worker says what it has to say next.
    pub(crate) fn speak(&mut self, who: usize) -> Vec<Sending> {
        let worker = &self.workers[who];
        if worker.stopped {
            return Vec::new();
        }
        let mut sendings = Vec::new();
        for training in &worker.training {
            let hasty = self.faulty && self.random.random_range(0..8) == 0;
            sendings.extend(training.calls(hasty).into_iter().map(|call| (Some(who), call)));
        }
        sendings
    }

    pub(crate) fn claim(&mut self, who: usize) -> Vec<Sending> {
        let claim = self.workers[who].claim();
        claim.map(|claim| (Some(who), Call::Claim(claim))).into_iter().collect()
    }

    pub(crate) fn renew(&self, who: usize) -> Vec<Sending> {
        let worker = &self.workers[who];
        if worker.stopped || worker.training.is_empty() {
            return Vec::new();
        }
        let attempts = worker.training.iter().map(|training| training.attempt).collect();
        vec![(Some(who), Call::Renew { worker: worker.id(), attempts })]
    }

    /// A machine is gone, and another one takes its place; or its worker is killed, and started again on what it has kept.
    pub(crate) async fn crash(&mut self, who: usize) {
        self.faults += 1;
        if self.random.random_range(0..2) == 0 {
            self.workers[who] = self.new_worker();
        } else {
            self.workers[who].restart();
        }
        self.register(who).await;
    }

    pub(crate) fn new_worker(&mut self) -> Worker {
        self.born += 1;
        Worker::new(format!("w{}", self.born), self.random.random_range(1..=GROUP_SIZE))
    }

    pub(crate) async fn register(&mut self, who: usize) {
        let coordinator = self.cluster.coordinator(self.random.random_range(0..self.cluster.len()));
        let registration = self.workers[who].registration();
        self.workers[who].database = coordinator.worker_register(registration).await.unwrap();
    }
}
