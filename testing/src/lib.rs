//! Real servers for tests.

pub mod postgres;
pub mod slurm;
pub mod sshd;
