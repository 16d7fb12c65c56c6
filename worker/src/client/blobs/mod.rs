//! Checkpoints and artifacts on their way to the coordinator's blob store and back, under the SHA-256 of their bytes.

mod digest;
mod download;
mod error;
mod failing;
mod patience;
mod upload;

use std::path::Path;
use std::time::Duration;

use acai_proto::v1::blob_service_client::BlobServiceClient;
use acai_proto::v1::{Attempt, Checkpoint};
use tokio::time::Instant;

use super::peer::Peer;
use super::reconnecting::Reconnecting;
use failing::Failing;
use upload::{CHUNK, Upload};

pub(crate) use digest::digest;
pub(crate) use error::TransferError;

/// The coordinator's blob store.
#[derive(Debug, Clone)]
pub(crate) struct Blobs {
    connection: Reconnecting,
    peer: Peer,
    failing: Failing,
}

impl Blobs {
    pub(super) fn new(connection: Reconnecting, peer: Peer) -> Self {
        Self { connection, peer, failing: Failing::default() }
    }

    /// A client for one try, and the number of the connection that it goes over.
    fn client(&self) -> (BlobServiceClient<Reconnecting>, u64) {
        let client = BlobServiceClient::new(self.connection.clone());
        // A message holds a chunk and a few bytes of framing.
        (client.max_decoding_message_size(CHUNK + CHUNK / 4), self.connection.number())
    }

    /// Brings the file of `attempt`'s checkpoint after `step` steps to the store, through outages and from where the
    /// last try broke off. Bytes that the store has are not sent again.
    pub(crate) async fn upload(
        &self,
        attempt: Attempt,
        step: u64,
        file: &Path,
    ) -> Result<Checkpoint, TransferError> {
        self.upload_file(attempt, step, file, false).await
    }

    /// As [`upload`](Self::upload), of a file for people. The attempt may have ended.
    pub(crate) async fn upload_artifact(
        &self,
        attempt: Attempt,
        step: u64,
        file: &Path,
    ) -> Result<Checkpoint, TransferError> {
        self.upload_file(attempt, step, file, true).await
    }

    async fn upload_file(
        &self,
        attempt: Attempt,
        step: u64,
        file: &Path,
        is_artifact: bool,
    ) -> Result<Checkpoint, TransferError> {
        let hashed = digest(file).await;
        let (sha256, bytes) = hashed.map_err(|cause| TransferError::File { path: file.to_owned(), cause })?;
        let checkpoint = Checkpoint { step, sha256, bytes };
        let upload = Upload { blobs: self, attempt, file, checkpoint: &checkpoint, is_artifact };
        upload.run().await?;
        Ok(checkpoint)
    }

    /// Resolves when the place of checkpoints has taken nothing for so long, and a try has failed since `after`.
    pub(crate) async fn fail_for(&self, patience: Duration, after: Instant) {
        self.failing.lasts(patience, after).await;
    }

    /// Brings a checkpoint's file to `path`, through outages; whole and with its digest, or not at all.
    pub(crate) async fn download(&self, checkpoint: &Checkpoint, path: &Path) -> Result<(), TransferError> {
        download::run(self, checkpoint, path).await
    }
}
