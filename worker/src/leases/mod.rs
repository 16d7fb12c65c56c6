//! The leases of this worker's attempts, and until when the worker may believe that it holds them.

mod held;
mod terms;

pub(crate) use held::Leases;
pub(crate) use terms::Terms;
