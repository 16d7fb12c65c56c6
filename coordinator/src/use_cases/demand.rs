//! How much there is to do, for whoever starts machines.

use super::{Machine, Result, UseCases};
use crate::store::Demand;

impl UseCases {
    /// How much there is to do, in which database, and the time there in Unix milliseconds.
    ///
    /// # Errors
    /// The store's.
    pub async fn demand(&self) -> Result<(Demand, String, i64)> {
        let (database, _) = self.store.identity().await?;
        Ok((self.store.demand().await?, database, self.store.now_ms().await?))
    }

    /// Workers whose names begin so, that were heard of within a day.
    ///
    /// # Errors
    /// The store's.
    pub async fn machines_named(&self, prefix: &str) -> Result<Vec<Machine>> {
        let mut machines = self.machines(false).await?;
        machines.retain(|machine| machine.worker.registration.name.starts_with(prefix));
        Ok(machines)
    }
}
