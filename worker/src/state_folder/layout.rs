//! The names of what is in a state folder.

pub(super) const LOCK: &str = "worker.lock";
pub(super) const RUNS: &str = "runs";
pub(super) const SPOOL: &str = "spool";
pub(super) const DATABASE: &str = "database";
pub(super) const OTHERS: &str = "others";
