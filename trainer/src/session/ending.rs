//! The ends of runs that have all their steps, while others train on: what is measured only once may take minutes.

use std::collections::VecDeque;
use std::mem;
use std::task::Poll;
use std::time::{Duration, Instant};

use acai_sweep::trainer_protocol::Event;

use super::run::Run;
use crate::benchmark::{Benchmark, Clustering};
use crate::model::Model;

/// A run that has all its steps, and its last checkpoint on the disk.
struct Ending {
    run: Run,
    /// Of this run alone.
    model: Box<dyn Model>,
    clustering: Clustering,
}

/// The runs of a group that are ending, one after the other.
#[derive(Default)]
pub(super) struct Endings {
    queue: VecDeque<Ending>,
    /// When the last part was done, and how long it took.
    last: Option<(Instant, Duration)>,
}

impl Endings {
    /// Adds a run with a model of its own.
    pub(super) fn push(&mut self, run: Run, model: Box<dyn Model>) {
        self.queue.push_back(Ending { run, model, clustering: Clustering::default() });
    }

    /// The runs, the one that ends next first.
    pub(super) fn runs(&self) -> impl Iterator<Item = &Run> {
        self.queue.iter().map(|ending| &ending.run)
    }

    /// Whether the runs that train have had as much time as the last part of an end took.
    pub(super) fn are_due(&self) -> bool {
        self.last.is_none_or(|(done, took)| done.elapsed() >= took)
    }

    /// Does a part of the first run's end: a chunk of codes, or an iteration of K-means. What it reports when it has ended.
    pub(super) fn advance(&mut self, benchmark: &Benchmark, pulse: &mut dyn FnMut(u64, u64)) -> Vec<Event> {
        let Some(Ending { run, model, clustering }) = self.queue.front_mut() else { return Vec::new() };
        pulse(run.member.run, run.step());
        let start = Instant::now();
        let part = clustering.advance(benchmark, &**model, run.member.config.kmeans_inits);
        let events = match part {
            Poll::Pending => Vec::new(),
            Poll::Ready(accuracy) => {
                let events = run.end(accuracy, &**model);
                self.queue.pop_front();
                events
            }
        };
        self.last = Some((Instant::now(), start.elapsed()));
        events
    }

    /// Takes the chosen runs out.
    pub(super) fn take(&mut self, chosen: impl Fn(&Run) -> bool) -> Vec<Run> {
        let all = mem::take(&mut self.queue).into_iter();
        let (taken, left): (VecDeque<Ending>, VecDeque<Ending>) = all.partition(|ending| chosen(&ending.run));
        self.queue = left;
        taken.into_iter().map(|ending| ending.run).collect()
    }
}
