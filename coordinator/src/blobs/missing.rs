//! Blobs that the store knows and that are gone.

use std::collections::HashSet;
use std::str::FromStr;

use super::arrival::ArrivalError;
use super::{Blobs, Digest, Name};
use crate::store::{BlobFile, Store};

/// How many blobs of the store have no file in the place where blobs are kept.
///
/// # Errors
/// [`ArrivalError`]: the store or the place cannot say.
pub async fn count(store: &dyn Store, blobs: &dyn Blobs) -> Result<usize, ArrivalError> {
    let mut unseen: HashSet<BlobFile> = store.blob_files().await?.into_iter().collect();
    for name in blobs.list().await? {
        unseen.remove(&BlobFile::from(&name));
    }
    let mut missing = 0;
    for file in unseen {
        // A file that is only begun is not missed, nor one that arrived after the place was listed.
        let is_blob = store.blob_find(&file.sha256).await?.is_some_and(|(known, _)| known == file);
        let name = Digest::from_str(&file.sha256).ok().and_then(|digest| Name::known(digest, &file.tag));
        let is_there = match name {
            Some(name) if is_blob => blobs.size(&name).await?.is_some(),
            _ => false,
        };
        missing += usize::from(is_blob && !is_there);
    }
    Ok(missing)
}
