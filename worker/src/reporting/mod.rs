//! What an attempt has to report, on its way to the coordinator.
//!
//! An attempt's [`Reporter`] takes reports in without delay, and a task of its own brings them on. `spooling` writes
//! them into the attempt's spool; only then `sending` sends points and `checkpoints` commits checkpoints, until the
//! coordinator has acknowledged everything. `shared` is what all of these look at together, and `outbox` is the part of
//! it that has been spooled.

mod checkpoints;
mod hand_over;
mod outbox;
mod reporter;
mod sending;
mod shared;
mod spooling;

pub(crate) use hand_over::hand_over;
pub(crate) use outbox::Outbox;
pub(crate) use reporter::Reporter;
pub(crate) use shared::{Capacity, ReportError};
