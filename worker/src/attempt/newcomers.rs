//! Runs on their way into a group that trains already.

use std::collections::BTreeSet;
use std::future::pending;
use std::panic::resume_unwind;
use std::sync::Arc;

use acai_proto::v1::{Assignment, Group};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::admission::{Admitted, admit};
use super::context::Context;

/// What a group is told of its places, and who comes.
pub(crate) struct Newcomers {
    context: Arc<Context>,
    /// The group's number among those of this worker.
    group: u64,
    /// Of the group's runs. Empty: none may join.
    shape: String,
    /// What takes long is done while the group trains.
    admitting: JoinSet<Vec<Admitted>>,
    arriving: BTreeSet<u64>,
}

/// Somebody who comes.
pub(super) enum Arrival {
    /// Runs that the worker was granted.
    Granted(Vec<Group>),
    /// Runs that were admitted.
    Admitted(Vec<Admitted>),
}

impl Newcomers {
    /// For group number `group` of this worker, of runs of this shape.
    pub(crate) fn new(context: Arc<Context>, group: u64, shape: String) -> Self {
        Self { context, group, shape, admitting: JoinSet::new(), arriving: BTreeSet::new() }
    }

    /// The shape of runs that may join; empty if none may.
    pub(super) fn shape(&self) -> &str {
        &self.shape
    }

    /// What all groups of the worker share.
    pub(super) fn context(&self) -> Arc<Context> {
        Arc::clone(&self.context)
    }

    /// How many runs are being admitted.
    pub(super) fn arriving(&self) -> usize {
        self.arriving.len()
    }

    pub(super) fn is_arriving(&self, run: u64) -> bool {
        self.arriving.contains(&run)
    }

    /// Whether runs of this shape may join.
    pub(super) fn may_be(&self, shape: &str) -> bool {
        !shape.is_empty() && shape == self.shape
    }

    /// Tells the worker how many places are free.
    pub(super) fn tell(&self, free: usize) {
        if !self.shape.is_empty() {
            let free = u32::try_from(free).unwrap_or(u32::MAX);
            self.context.vacancies.tell(self.group, free, Instant::now());
        }
    }

    /// Resolves when somebody comes. Cancel safe.
    pub(super) async fn next(&mut self) -> Arrival {
        tokio::select! {
            biased;
            Some(admitted) = self.admitting.join_next() => {
                let admitted = admitted.unwrap_or_else(|error| resume_unwind(error.into_panic()));
                for admitted in &admitted {
                    self.arriving.remove(&admitted.run());
                }
                Arrival::Admitted(admitted)
            }
            groups = self.context.vacancies.granted(self.group), if !self.shape.is_empty() => {
                Arrival::Granted(groups)
            }
            else => pending().await,
        }
    }

    /// Begins to admit runs.
    pub(super) fn admit(&mut self, runs: Vec<Assignment>) {
        self.arriving.extend(runs.iter().filter_map(|run| run.attempt).map(|attempt| attempt.run));
        let context = Arc::clone(&self.context);
        self.admitting.spawn(async move {
            let mut admitted = Vec::new();
            for assignment in runs {
                admitted.extend(admit(&context, assignment).await);
            }
            admitted
        });
    }

    /// Resolves with those who still come after the last run of the group has ended; none when nobody comes any more.
    pub(super) async fn last(&mut self) -> Option<Arrival> {
        let groups = self.context.vacancies.close(self.group).await;
        if !groups.is_empty() {
            return Some(Arrival::Granted(groups));
        }
        if self.admitting.is_empty() { None } else { Some(self.next().await) }
    }
}

impl Drop for Newcomers {
    fn drop(&mut self) {
        self.context.vacancies.forget(self.group);
    }
}
