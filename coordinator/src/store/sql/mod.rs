//! What a store reads and writes: the SQL statements of every store, and the rules in and around them.
//!
//! This module is compiled twice: `sqlite/mod.rs` and `postgres/mod.rs` each include this file by its path. The two
//! databases take the same statements, but sqlx has a type of its own for each database's connections, rows and bound
//! values. Functions that are generic over these types would need a page of trait bounds each. Instead each store says in
//! its `dialect` module what `Connection` and `Row` are, and what the few pieces of SQL are that the databases spell
//! differently; `Store` is the type for which [`methods`] implements the trait [`Store`](crate::store::Store).

mod attempts;
mod blobs;
mod calls;
mod changes;
mod checkpoints;
mod claims;
mod columns;
mod control;
mod events;
mod explain;
mod failure_limit;
mod fence;
mod ids;
mod leases;
mod locks;
mod methods;
mod metrics;
mod progress;
mod runs;
mod submission;
mod sweeps;
mod workers;

use super::{Store, dialect};

pub(super) use calls::with_reader;
pub(super) use claims::queue;
