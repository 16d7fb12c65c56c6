//! What runs and sweeps are known by inside one database. Numbers of different kinds are different types, so that none is
//! taken for another: a run also has a number in its sweep, and its attempts are numbered too.

use std::fmt;

use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::{Database, Decode, Encode, Type};

/// A run's number in its database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(i64);

/// A sweep's number in its database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
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

/// Statements carry both kinds as the number that they are.
macro_rules! column {
    ($id:ident) => {
        impl<DB: Database> Type<DB> for $id
        where
            i64: Type<DB>,
        {
            fn type_info() -> DB::TypeInfo {
                i64::type_info()
            }

            fn compatible(column: &DB::TypeInfo) -> bool {
                i64::compatible(column)
            }
        }

        impl<'q, DB: Database> Encode<'q, DB> for $id
        where
            i64: Encode<'q, DB>,
        {
            fn encode_by_ref(&self, buffer: &mut DB::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
                self.0.encode_by_ref(buffer)
            }
        }

        impl<'r, DB: Database> Decode<'r, DB> for $id
        where
            i64: Decode<'r, DB>,
        {
            fn decode(value: DB::ValueRef<'r>) -> Result<Self, BoxDynError> {
                i64::decode(value).map($id)
            }
        }
    };
}

column!(RunId);
column!(SweepId);
