//! What the coordinator shows of itself while its database exchanges the certificate authority.

use std::convert::Infallible;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use acai_access::{AuthorityError, Shown};
use tokio::time::sleep;

use crate::store::{Store, StoreError};

/// How often the store is asked whether another coordinator of the database has exchanged the authority.
const EVERY: Duration = Duration::from_secs(5);

/// Why the certificate authority cannot be looked up, made or shown.
#[derive(Debug, thiserror::Error)]
pub enum ShowError {
    /// The store cannot say which one it is.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no certificate of it.
    #[error(transparent)]
    Certificate(#[from] AuthorityError),
}

/// Shows a certificate of the authority that the store has, if that is another one than before.
pub(crate) async fn show_present(shown: &Shown, store: &dyn Store) -> Result<(), ShowError> {
    let Some(authority) = store.authority_list().await?.into_iter().next() else { return Ok(()) };
    let pin = authority.pin()?;
    if pin != shown.pin() {
        shown.show(&authority.identity()?)?;
        tracing::info!(%pin, "another certificate authority vouches for this coordinator from now on");
    }
    Ok(())
}

/// Follows what another coordinator of the database has done, until dropped. What was given stays.
pub(crate) async fn follow(store: Arc<dyn Store>, shown: Option<Shown>) -> Infallible {
    let Some(shown) = shown.filter(|shown| !shown.is_given()) else { return pending().await };
    loop {
        sleep(EVERY).await;
        if let Err(error) = show_present(&shown, &*store).await {
            tracing::warn!(%error, "cannot tell whether the certificate authority is another one");
        }
    }
}
