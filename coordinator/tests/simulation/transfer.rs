//! What a coordinator does with checkpoints: the code of the real one, between the real store and a place that fails.

use acai_coordinator::blobs::arrival::{self, ArrivalError, Present};
use acai_coordinator::blobs::owner::OwnerError;
use acai_coordinator::blobs::{Blobs as _, Digest};
use acai_coordinator::garbage::Collector;
use acai_coordinator::store::{AttemptRef, Checkpoint, Result, Store, StoreError};
use tokio::sync::Mutex;

use crate::network::Answer;
use crate::visit::{Trouble, Visit};

/// Makes bytes that have all arrived a blob.
pub(crate) async fn upload(
    store: &dyn Store,
    visit: &Visit,
    attempt: AttemptRef,
    checkpoint: &Checkpoint,
    bytes: &[u8],
) -> Result<Answer> {
    store.attempt_check(attempt).await?;
    let digest: Digest = checkpoint.sha256.parse().unwrap();
    match keep(store, visit, digest, bytes).await {
        Ok(()) => Ok(Answer::Uploaded),
        Err(ArrivalError::Store(error)) => Err(error),
        Err(ArrivalError::Blobs(error)) => Ok(Answer::Trouble(Trouble::of(&error))),
        Err(ArrivalError::Forgotten) => Ok(Answer::Trouble(Trouble::Passing)),
    }
}

async fn keep(
    store: &dyn Store,
    visit: &Visit,
    digest: Digest,
    bytes: &[u8],
) -> std::result::Result<(), ArrivalError> {
    let gone = match arrival::look(store, visit, &digest).await? {
        Present::Whole(_) => return Ok(()),
        Present::Gone(file) => Some(file),
        Present::Nothing => None,
    };
    // Each coordinator has a folder of its own for what comes together, where the place is a bucket.
    let staged = visit.staging().join(format!("{:032x}", rand::random::<u128>()));
    std::fs::write(&staged, bytes).unwrap();
    arrival::keep(store, visit, (digest, bytes.len() as u64), &staged, gone).await
}

/// Deletes what nobody needs.
pub(crate) async fn collect(
    store: &dyn Store,
    visit: &Visit,
    collector: &Mutex<Collector>,
) -> Result<Answer> {
    match collector.lock().await.collect(store, visit).await {
        Ok(deleted) => Ok(Answer::Collected(deleted)),
        Err(OwnerError::Store(error)) => Err(error),
        Err(OwnerError::Blobs(error)) => Ok(Answer::Trouble(Trouble::of(&error))),
        Err(owned @ OwnerError::Owned) => Err(StoreError::Corrupt(owned.to_string())),
    }
}
