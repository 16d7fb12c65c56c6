//! Looks after the access file: whoever exchanges a token, or an authority, writes the new one there, and no worker has to be
//! started again.

use std::convert::Infallible;
use std::future::pending;
use std::path::Path;
use std::time::Duration;

use acai_access::{AccessFile, Current};
use tokio::time::sleep;

use crate::machine::disk::on_disk;

/// How often the file is read: a token that is refused costs runs only after a lease.
const EVERY: Duration = Duration::from_secs(5);

/// Goes by the token and the authorities that the file has whenever they are others, for as long as this future is polled.
pub(super) async fn follow(path: Option<&Path>, current: &Current) -> Infallible {
    let Some(path) = path else { return pending().await };
    loop {
        sleep(EVERY).await;
        let file = path.to_owned();
        match on_disk(move || Ok(AccessFile::read(&file))).await {
            Ok(Ok(access)) => {
                let changed = current.set(&access);
                if changed.token {
                    tracing::info!("the access file has another token, which is used from now on");
                }
                if changed.authorities {
                    tracing::info!("the access file knows other authorities, which are taken from now on");
                }
            }
            // Whoever writes the file may not be done.
            Ok(Err(error)) => tracing::debug!("what is known stays: {error}"),
            Err(error) => tracing::debug!("what is known stays: {error}"),
        }
    }
}
