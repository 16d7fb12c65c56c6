//! What a store reads and writes: the SQL statements of every store, and the rules in and around them.
//!
//! # Why this is compiled twice
//!
//! `sqlite/mod.rs` and `postgres/mod.rs` each include this file by its path, so that there is a module `sqlite::sql`
//! and a module `postgres::sql`. The two databases take the same statements, but sqlx has types of its own for each
//! database's connections, rows and bound values, and functions that are generic over all of these would need a page of
//! trait bounds each. Instead each store says in its `dialect` what `Connection` and `Row` are, and how the database
//! spells the few pieces of SQL that differ. `Store` is the type of the store, `SqliteStore` or `PostgresStore`.
//!
//! # Map
//!
//! A module uses only modules of the lines above its line, modules before it in its line, and its own submodules.
//!
//! - Values: [`columns`] says how they are kept in columns, [`ids`] binds many ids as one value.
//! - What statements rest on: [`progress`] is how far an attempt has come, [`fence`] the proof that it holds its run,
//!   [`locks`] the order in which rows are locked.
//! - What follows from a change of a run: [`events`] tell of it, [`failure_limit`] pauses a sweep with too many
//!   failures.
//! - What attempts bring: [`metrics`] and the [`results`] of whole runs, the files of [`blobs`], [`checkpoints`] and [`artifacts`] in
//!   them.
//! - Who trains what: [`workers`]; [`attempts`], how they end; [`leases`], until when a run is held; [`claims`],
//!   which runs are granted.
//! - Who may do what: [`access`], and how much: [`allowance`].
//! - What people want: a [`submission`] brings a plan, an [`import`] also what its runs have come to, [`changes`] are about runs, [`forget`] deletes sweeps, [`control`] is about sweeps and
//!   machines.
//! - What people read: [`runs`], [`points`], [`sweeps`], one run with its [`details`], the [`demand`], and what decides about it,
//!   [`explain`].
//! - The trait: [`calls`] runs statements on a connection that reads, or in a transaction that writes; [`methods`]
//!   implements [`Store`](crate::store::Store) by such calls.

mod access;
mod allowance;
mod artifacts;
mod attempts;
mod blobs;
mod calls;
mod changes;
mod checkpoints;
mod claims;
mod columns;
mod control;
mod demand;
mod details;
mod events;
mod explain;
mod failure_limit;
mod fence;
mod forget;
mod ids;
mod import;
mod leases;
mod locks;
mod methods;
mod metrics;
mod points;
mod progress;
mod results;
mod runs;
mod submission;
mod sweeps;
mod workers;

use super::{Store, dialect};

pub(super) use calls::with_reader;
/// What people and workers ask again and again, by what it is for: none of these statements may read all runs, points,
/// attempts or events, nor all runs of a sweep but for its table.
#[cfg(test)]
pub(super) const ASKED_OFTEN: &[(&str, &str)] = &[
    ("the list of sweeps", sweeps::LIST),
    ("the tallies of a sweep", sweeps::TALLIES),
    ("runs of a plan", runs::LIST),
    ("runs set aside", runs::SET_ASIDE),
    ("failures of a sweep", runs::FAILURES),
    ("a table of results", results::LIST),
    ("the list of workers", workers::LIST),
    ("demand: the tallies", demand::TALLIED),
    ("demand: who waits", demand::WAITING_SINCE),
    ("explain: the run", explain::FIND),
    ("explain: the queue", explain::AHEAD),
    ("explain: the workers", explain::WORKERS),
    ("events of a sweep", events::LIST),
    ("events of a run", events::OF_RUN),
    ("claim: datasets", queue::TRAINABLE),
    ("claim: sweeps", queue::TURNS),
    ("claim: runs", queue::FIRST_GROUPS),
    ("claim: the grant", claims::GRANTED),
    ("claim: shorter runs", claims::SHORTER),
    ("what happens to runs", events::NOTE),
    ("renewal: holders", leases::HOLDERS),
    ("renewal: leases", leases::EXTEND),
    ("expiry: sweeps", leases::SWEEPS_TO_EXPIRE),
    ("expiry: runs", leases::EXPIRED),
];

pub(super) use claims::queue;
pub(super) use results::keep_earlier;
