//! What this machine has, and what its system is asked to do.

pub mod datasets;
pub mod devices;
pub(crate) mod disk;
pub(crate) mod durable;
pub mod hardware;
pub(crate) mod process_identity;
