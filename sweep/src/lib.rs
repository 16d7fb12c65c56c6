//! The domain of ACAI sweeps. Pure: no async, no I/O, no clock, no global randomness.

pub mod trainer_protocol;
pub mod training;
