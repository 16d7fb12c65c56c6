//! gRPC services: a message becomes domain values or INVALID_ARGUMENT, the store does the step,
//! its answer becomes a message.

mod hardware;
mod status;
mod sweeps;
mod workers;

pub(crate) use sweeps::Sweeps;
pub(crate) use workers::Workers;
