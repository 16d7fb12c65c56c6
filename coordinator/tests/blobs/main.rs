//! Checkpoints over real gRPC, into a real folder and a real bucket.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod disk_full;
mod downloads;
mod folder;
mod garbage;
mod refusals;
mod restored;
mod s3;
mod server;
mod slow;
mod uploads;
