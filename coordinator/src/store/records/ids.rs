//! What runs and sweeps are known by inside one database. Numbers of different kinds are different types, so that none is
//! taken for another: a run also has a number in its sweep, and its attempts are numbered too.

use std::fmt;

/// A run's number in its database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, sqlx::Type)]
#[sqlx(transparent)]
pub struct RunId(i64);

/// A sweep's number in its database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, sqlx::Type)]
#[sqlx(transparent)]
pub(crate) struct SweepId(i64);

/// As calls carry the number. One that no database gives is no run's.
impl From<u64> for RunId {
    fn from(number: u64) -> RunId {
        RunId(number.cast_signed())
    }
}

impl From<RunId> for u64 {
    fn from(run: RunId) -> u64 {
        run.0.cast_unsigned()
    }
}

/// As JSON for statements carries the number.
impl From<RunId> for i64 {
    fn from(run: RunId) -> i64 {
        run.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        u64::from(*self).fmt(f)
    }
}

impl From<i64> for SweepId {
    fn from(number: i64) -> SweepId {
        SweepId(number)
    }
}

impl From<SweepId> for i64 {
    fn from(sweep: SweepId) -> i64 {
        sweep.0
    }
}

impl fmt::Display for SweepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
