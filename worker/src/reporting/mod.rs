//! What an attempt has to report, on its way to the coordinator.

pub(crate) mod hand_over;
pub(crate) mod outbox;
pub(crate) mod reporter;
mod sending;
mod spooling;
