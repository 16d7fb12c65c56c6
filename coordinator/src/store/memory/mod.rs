//! The simplest program that keeps the contract of a [`Store`]: maps, and no database.
//!
//! This is what the other stores are compared with, so each rule is written down as it would be told, however long it takes: who
//! wants to know what a method does reads it here. A method changes the [`State`] under one lock, at one moment of the clock; a
//! method that answers an error has changed nothing. Nothing survives the process: for tests, for try-outs, and to find out what a
//! coordinator costs without a database.
//!
//! - [`state`]: the maps.
//! - [`submission`], [`people`]: what people want; [`allowance`], how much of it. [`workers`], [`claims`], [`attempts`], [`metrics`], [`files`]: what workers do.
//! - [`events`], [`reading`]: what people read.

mod allowance;
mod attempts;
mod claims;
mod events;
mod files;
mod methods;
mod metrics;
mod people;
mod reading;
mod state;
mod submission;
mod workers;

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::clock::Clock;
use crate::store::{Result, RunId, StoreError};
use state::State;

/// A store in this process alone.
#[derive(Debug)]
pub struct MemoryStore {
    /// `None` when it is closed.
    state: Mutex<Option<State>>,
    clock: Clock,
    /// Which database this is: random.
    id: String,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new(clock: Clock) -> MemoryStore {
        let id = format!("{:016x}", rand::random::<u64>());
        MemoryStore { state: Mutex::new(Some(State::default())), clock, id }
    }

    /// Another store with the same in it, by the same clock.
    #[must_use]
    pub fn copy(&self) -> MemoryStore {
        self.reopened(self.clock.clone())
    }

    /// Another store with the same in it, by this clock: a database is opened with the clock of that moment.
    #[must_use]
    pub fn reopened(&self, clock: Clock) -> MemoryStore {
        let state = Mutex::new(self.lock().clone());
        MemoryStore { state, clock, id: self.id.clone() }
    }

    /// By which it lives.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// From now on these runs are held, as a database's rows are while a transaction changes them: claims pass over them.
    pub fn hold(&self, runs: impl IntoIterator<Item = RunId>) {
        if let Some(state) = self.lock().as_mut() {
            state.held = runs.into_iter().collect();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<State>> {
        // A method that broke down may have left the state half changed, so the store is closed then.
        self.state.lock().unwrap_or_else(|broken| {
            let mut state = PoisonError::into_inner(broken);
            *state = None;
            state
        })
    }

    /// What `question` finds in the state.
    fn read<T>(&self, question: impl FnOnce(&State) -> T) -> Result<T> {
        self.lock().as_ref().map(question).ok_or_else(closed)
    }

    /// Does a step, given the time.
    fn write<T>(&self, step: impl FnOnce(&mut State, i64) -> Result<T>) -> Result<T> {
        let mut state = self.lock();
        // Under the lock, so that what is later in the order of the steps is not earlier by the clock.
        let now_ms = self.clock.now_ms();
        step(state.as_mut().ok_or_else(closed)?, now_ms)
    }
}

fn closed() -> StoreError {
    StoreError::Unavailable("it is closed".to_owned())
}
