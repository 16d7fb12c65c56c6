//! Files that runs leave for people.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::{Result, UseCases};
use crate::store::ArtifactRecord;

/// Artifacts that are read at a time, and that wait for a reader at the most.
const PAGE: u32 = 500;

/// Artifacts as they are read.
pub type Artifacts = ReceiverStream<Result<ArtifactRecord>>;

impl UseCases {
    /// Artifacts in the order of the runs' numbers, steps and names: of the runs of these numbers, also such as were set
    /// aside, or if there are none of all that are in the plan. The next ones are read when the last are taken.
    ///
    /// # Errors
    /// [`NoSuchSweep`](super::UseCaseError::NoSuchSweep), [`NoSuchRun`](super::UseCaseError::NoSuchRun); later on, the
    /// store's.
    pub async fn artifacts(&self, sweep: &str, numbers: Vec<u32>) -> Result<Artifacts> {
        self.check_numbers(sweep, &numbers).await?;
        let first = self.store.artifact_list(sweep, &numbers, None, PAGE).await?;
        if first.is_empty() && numbers.is_empty() {
            self.check_sweep(sweep).await?;
        }
        let (sender, receiver) = mpsc::channel(PAGE as usize);
        let (store, sweep) = (Arc::clone(&self.store), sweep.to_owned());
        tokio::spawn(async move {
            let mut page = first;
            while let Some(last) = page.last().map(ArtifactRecord::place) {
                for artifact in page {
                    if sender.send(Ok(artifact)).await.is_err() {
                        return;
                    }
                }
                page = match store.artifact_list(&sweep, &numbers, Some(&last), PAGE).await {
                    Ok(page) => page,
                    Err(error) => {
                        // Fails if nobody reads any more.
                        let _ = sender.send(Err(error.into())).await;
                        return;
                    }
                };
            }
        });
        Ok(ReceiverStream::new(receiver))
    }
}
