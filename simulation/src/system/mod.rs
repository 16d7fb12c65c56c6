//! What a program asks its operating system for, answered by the simulation.
//!
//! The functions here take the place of the C library's of the same names in programs that link this crate, so that whatever
//! asks, in this workspace or below it, gets an answer that depends on the seed alone: nothing has to be told that it is
//! simulated. Before [`begin`] they answer as the system does.

#![allow(unsafe_code, reason = "functions of the C library have no safe interface")]

pub(crate) mod disk;
mod random;
mod time;

/// From now on this process is simulated: its randomness comes from the seed, its clocks show the simulation's time.
pub(crate) fn begin(seed: u64) {
    random::begin(seed);
    time::begin();
    disk::begin(seed);
}

pub(crate) use time::{elapsed, here, is_now, is_on, set_wall_clock};
