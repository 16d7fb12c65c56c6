//! Real servers for tests.

pub mod postgres;
#[cfg(feature = "s3")]
pub mod s3;
pub mod slurm;
pub mod sshd;
