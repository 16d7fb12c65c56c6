//! gRPC services: a message becomes domain values or INVALID_ARGUMENT, a use case does the step, its answer becomes a
//! message and its error a status.

mod access;
mod archive;
mod blobs;
mod control;
mod fields;
mod fleet;
mod grants;
mod hardware;
mod messages;
mod status;
mod sweeps;
mod watch;
mod workers;

pub(crate) use access::Access;
pub(crate) use archive::Archives;
pub(crate) use blobs::{BlobTransfers, PATIENCE};
pub(crate) use control::Controls;
pub(crate) use fleet::Fleets;
pub(crate) use sweeps::Sweeps;
pub(crate) use workers::Workers;
