//! Checkpoints that the store knows of, and whose bytes are gone.

use std::str::FromStr;

use super::{Progress, Result, Transfers};
use crate::blobs::Digest;
use crate::store::StoredCheckpoint;

/// What is left of a run's checkpoints when bytes of them are gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MissingCheckpoint {
    /// Step of the newest checkpoint, whose bytes are not where blobs are kept.
    pub step: u64,
    /// Step of the newest one that is there; 0 without any.
    pub left: u64,
}

impl Transfers {
    /// What a run with these checkpoints can go on from, if it is not the newest of them.
    ///
    /// # Errors
    /// The store's, and those of the place where blobs are kept.
    pub async fn missing_checkpoint(
        &self,
        checkpoints: &[StoredCheckpoint],
    ) -> Result<Option<MissingCheckpoint>> {
        let mut missing: Option<MissingCheckpoint> = None;
        for StoredCheckpoint { checkpoint, .. } in
            checkpoints.iter().filter(|stored| stored.rejected.is_none())
        {
            let Ok(digest) = Digest::from_str(&checkpoint.sha256) else { continue };
            let is_there = self.progress(&digest).await? == Progress::Whole(checkpoint.bytes);
            match &mut missing {
                None if is_there => return Ok(None),
                None => missing = Some(MissingCheckpoint { step: checkpoint.step, left: 0 }),
                Some(missing) if is_there => {
                    missing.left = checkpoint.step;
                    break;
                }
                Some(_) => {}
            }
        }
        Ok(missing)
    }
}
