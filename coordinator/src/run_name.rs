//! Runs in the log, by the names that people type.

use crate::store::{RunId, Store};

/// `SWEEP/INDEX`; the run's id where the store does not answer, since a line of the log must not wait for that.
pub(crate) async fn run_name(store: &dyn Store, run: RunId) -> String {
    match store.run_name(run).await {
        Ok(Some(name)) => name,
        Ok(None) | Err(_) => format!("run {run}"),
    }
}
