//! The coordinator's client: calls, transfers of checkpoints, and what the failures of either mean.

mod blobs;
mod call_error;
mod calls;
mod network;
mod peer;
mod reconnecting;
mod truncated;

pub(crate) use blobs::{TransferError, digest};
pub(crate) use call_error::{CallError, Rejection};
pub(crate) use calls::Client;
pub use network::Network;
pub(crate) use peer::Peer;
pub(crate) use truncated::truncated;
