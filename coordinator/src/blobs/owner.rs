//! Whose a place for blobs is.
//!
//! A coordinator deletes what its own database does not need. Two databases on one place would delete each other's
//! checkpoints; so would a copy of a database and its original. So the place says whose it is: of which database, and of
//! which of its copies.

use serde::{Deserialize, Serialize};

use super::{BlobError, Blobs};
use crate::store::{Store, StoreError};

/// What the place says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Owner {
    /// Of the database: random, and the same in its copies.
    database: String,
    /// What tells a database from its copies.
    instance: String,
    /// What tells the place from its own copies: one that was copied is nobody's yet.
    place: String,
}

/// Why a place may not be used.
#[derive(Debug, thiserror::Error)]
pub enum OwnerError {
    /// Its blobs may be another database's.
    #[error(
        "the place where checkpoints are kept belongs to another database, or this database is a copy of the one it belongs to, or was moved: each deletes what it does not need, also when the other does\nhint: keep the checkpoints of each database in a place of their own, --blobs; or, if no other coordinator will use this place again, start once with --take-blobs"
    )]
    Owned,
    /// It cannot be read or written.
    #[error(transparent)]
    Blobs(#[from] BlobError),
    /// The database cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes the place the database's own, if it is nobody's, or whosever it is if `take_over`.
///
/// # Errors
/// [`OwnerError`]; it is whose it was.
pub async fn claim(store: &dyn Store, blobs: &dyn Blobs, take_over: bool) -> Result<(), OwnerError> {
    let (database, instance) = store.identity().await?;
    let own = Owner { database, instance, place: blobs.identity().await? };
    let text = blobs.owner().await?;
    // A text that says nothing is nobody's word; it may be what a full disk left.
    let owner = text.and_then(|text| serde_json::from_slice::<Owner>(&text).ok());
    match owner {
        Some(owner) if owner == own => return Ok(()),
        Some(owner) if owner.place == own.place && !take_over => return Err(OwnerError::Owned),
        _ => {}
    }
    let text = serde_json::to_vec(&own).unwrap_or_default();
    Ok(blobs.set_owner(text).await?)
}
