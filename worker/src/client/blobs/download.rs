//! A checkpoint's way from the blob store.

use std::fs::{File, OpenOptions, remove_file, rename};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use acai_proto::SIGNATURE;
use acai_proto::v1::blob_service_client::BlobServiceClient;
use acai_proto::v1::{Checkpoint, DownloadRequest};
use tonic::Code;

use super::Blobs;
use super::digest::digest;
use super::error::{TransferError, TryError};
use crate::backoff::Backoff;
use crate::client::call_error::CallError;
use crate::client::reconnecting::Reconnecting;
use crate::machine::disk::on_disk;

/// Brings a checkpoint's file to `path`.
pub(super) async fn run(blobs: &Blobs, checkpoint: &Checkpoint, path: &Path) -> Result<(), TransferError> {
    let of_file = |cause| TransferError::File { path: path.to_owned(), cause };
    let part = path.with_added_extension("part");
    let download = Download { blobs, checkpoint, part: &part };
    // What an earlier try left may have been damaged on this disk; the second time all bytes are new.
    for _ in 0..2 {
        download.complete().await?;
        let arrived = digest(&part).await.map_err(of_file)?;
        if arrived == (checkpoint.sha256.clone(), checkpoint.bytes) {
            let path = path.to_owned();
            return on_disk(move || rename(part, path)).await.map_err(of_file);
        }
        let damaged = part.clone();
        on_disk(move || remove_file(damaged)).await.map_err(of_file)?;
    }
    Err(TransferError::Damaged)
}

/// A download of one checkpoint, into a file that holds the bytes that have arrived so far.
struct Download<'a> {
    blobs: &'a Blobs,
    checkpoint: &'a Checkpoint,
    part: &'a Path,
}

impl Download<'_> {
    /// Tries until the file has as many bytes as the checkpoint, each time from where the last try broke off.
    async fn complete(&self) -> Result<(), TransferError> {
        let (mut backoff, mut is_said) = (Backoff::default(), false);
        loop {
            match self.once().await {
                Ok(()) => return Ok(()),
                Err(TryError::File(cause)) => {
                    return Err(TransferError::File { path: self.part.to_owned(), cause });
                }
                Err(TryError::Call(CallError::Rejected(rejection))) => return Err(rejection.into()),
                Err(TryError::Broken(reason)) => return Err(TransferError::Broken(reason)),
                Err(
                    TryError::Call(CallError::Unavailable(reason) | CallError::Denied(reason))
                    | TryError::Unwanted(reason),
                ) => {
                    if !std::mem::replace(&mut is_said, true) {
                        let step = self.checkpoint.step;
                        tracing::warn!(step, "cannot download ({reason}); trying again");
                    }
                    backoff.pause().await;
                }
            }
        }
    }

    async fn once(&self) -> Result<(), TryError> {
        let part = self.part.to_owned();
        let (file, offset) = on_disk(move || {
            let file = OpenOptions::new().create(true).append(true).open(part)?;
            let offset = file.metadata()?.len();
            Ok((Arc::new(file), offset))
        })
        .await?;
        let bytes = self.checkpoint.bytes;
        let (client, connection) = self.blobs.client();
        let arrived = if offset < bytes {
            offset + self.receive(client, connection, offset, &file).await?
        } else {
            offset
        };
        // Also what an earlier try received, which broke off before the bytes were on the disk.
        on_disk(move || file.sync_all()).await?;
        if arrived < bytes {
            self.blobs.connection.leave(connection);
            let reason = format!("it ended after {arrived} of {bytes} bytes");
            return Err(CallError::Unavailable(reason).into());
        }
        Ok(())
    }

    /// Appends what comes from `offset` on to `file`; returns how many bytes that were.
    async fn receive(
        &self,
        mut client: BlobServiceClient<Reconnecting>,
        connection: u64,
        offset: u64,
        file: &Arc<File>,
    ) -> Result<u64, TryError> {
        let request = DownloadRequest { sha256: self.checkpoint.sha256.clone(), offset };
        let answer = self.blobs.in_time(connection, client.download(request)).await?;
        let answer = answer.map_err(|status| self.blobs.peer.vouch(status))?;
        let is_signed = answer.metadata().contains_key(SIGNATURE) || self.blobs.peer.is_first_release();
        let mut chunks = answer.into_inner();
        let mut received = 0;
        loop {
            match self.blobs.in_time(connection, chunks.message()).await? {
                Ok(Some(chunk)) => {
                    received += chunk.data.len() as u64;
                    let file = Arc::clone(file);
                    on_disk(move || (&*file).write_all(&chunk.data)).await?;
                }
                Ok(None) => return Ok(received),
                // An error after the first chunks has no headers of its own, so the signature of the answer counts.
                Err(status) if status.code() == Code::DataLoss && is_signed => {
                    return Err(TryError::Broken(status.message().to_owned()));
                }
                Err(status) => {
                    self.blobs.connection.leave(connection);
                    return Err(self.blobs.peer.vouch(status).into());
                }
            }
        }
    }
}
