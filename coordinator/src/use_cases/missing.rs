//! Checkpoints that the store knows of, and whose bytes are gone.

use std::str::FromStr;

use acai_sweep::run::RunState;

use super::{Progress, Result, Transfers};
use crate::blobs::Digest;
use crate::store::{RunDetails, StoredCheckpoint};

/// What is left of a run's checkpoints when bytes of them are gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MissingCheckpoint {
    /// Step of the newest checkpoint, whose bytes are not where blobs are kept.
    pub step: u64,
    /// Step of the newest one that is there; 0 without any.
    pub left: u64,
}

impl Transfers {
    /// What run `number` of the sweep can go on from, if it waits, and if that is not the newest of its checkpoints.
    ///
    /// # Errors
    /// The store's, and those of the place where blobs are kept.
    pub async fn missing_checkpoint(&self, sweep: &str, number: u32) -> Result<Option<MissingCheckpoint>> {
        match self.store.run_details(sweep, number).await? {
            Some(RunDetails { run, checkpoints, .. })
                if matches!(run.state, RunState::Queued | RunState::Paused) =>
            {
                self.first_missing(&checkpoints).await
            }
            _ => Ok(None),
        }
    }

    async fn first_missing(&self, checkpoints: &[StoredCheckpoint]) -> Result<Option<MissingCheckpoint>> {
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
