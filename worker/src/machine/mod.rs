//! What this machine has, and how its system is asked for it: hardware, datasets, devices, files and processes.

pub mod datasets;
pub mod devices;
pub(crate) mod disk;
pub(crate) mod durable;
pub mod hardware;
pub(crate) mod identity;
pub(crate) mod process_identity;
