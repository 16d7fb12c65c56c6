//! One attempt, from its grant to its end.

pub(crate) mod closing;
pub(crate) mod context;
pub(crate) mod group;
pub(crate) mod launch;
pub(crate) mod machine_fault;
pub(crate) mod member;
pub(crate) mod progress_watch;
mod resume;
