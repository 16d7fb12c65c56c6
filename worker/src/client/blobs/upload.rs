//! The way of a checkpoint or an artifact to the blob store.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;

use acai_proto::v1::{Attempt, Checkpoint, StatRequest, UploadHeader, UploadRequest};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status};

use super::Blobs;
use super::error::{TransferError, TryError};
use crate::backoff::Backoff;
use crate::client::call_error::{CallError, is_signed};
use crate::machine::disk::on_disk;

/// Bytes in a message.
pub(super) const CHUNK: usize = 1 << 20;
/// How many times in a row an upload is tried that is refused for want of room, or because it arrived damaged: a
/// checkpoint is not worth more tries, since the next one comes.
const TRIES_UNWANTED: u32 = 4;

/// An upload of one file.
pub(super) struct Upload<'a> {
    pub(super) blobs: &'a Blobs,
    pub(super) attempt: Attempt,
    pub(super) file: &'a Path,
    pub(super) checkpoint: &'a Checkpoint,
    pub(super) is_artifact: bool,
}

impl Upload<'_> {
    /// Tries until the store has the file, or will not take it.
    pub(super) async fn run(&self) -> Result<(), TransferError> {
        let (run, step) = (self.attempt.run, self.checkpoint.step);
        let mut backoff = Backoff::default();
        let (mut unwanted, mut is_said) = (0, false);
        loop {
            match self.once().await {
                Ok(()) => return Ok(()),
                Err(TryError::File(cause)) => {
                    return Err(TransferError::File { path: self.file.to_owned(), cause });
                }
                Err(TryError::Call(CallError::Rejected(rejection))) => return Err(rejection.into()),
                Err(TryError::Unwanted(reason)) if unwanted + 1 == TRIES_UNWANTED => {
                    return Err(TransferError::Unwanted(reason));
                }
                Err(TryError::Unwanted(reason)) => {
                    unwanted += 1;
                    tracing::warn!(run, step, "cannot upload: {reason}");
                    backoff.pause().await;
                }
                Err(TryError::Broken(reason)) => return Err(TransferError::Broken(reason)),
                Err(TryError::Call(CallError::Unavailable(reason) | CallError::Denied(reason))) => {
                    if !std::mem::replace(&mut is_said, true) {
                        tracing::warn!(run, step, "cannot upload ({reason}); trying again");
                    }
                    // Refusals from before an outage say nothing of the room that there is after the outage.
                    unwanted = 0;
                    backoff.pause().await;
                }
            }
        }
    }

    async fn once(&self) -> Result<(), TryError> {
        let Some(offset) = self.missing_from().await? else { return Ok(()) };
        let path = self.file.to_owned();
        let file = Arc::new(on_disk(move || File::open(path)).await?);
        let header = UploadHeader {
            attempt: Some(self.attempt),
            sha256: self.checkpoint.sha256.clone(),
            size: self.checkpoint.bytes,
            offset,
            artifact: self.is_artifact,
        };
        let (messages, outgoing) = mpsc::channel(2);
        let (mut client, connection) = self.blobs.client();
        let mut call = pin!(client.upload(ReceiverStream::new(outgoing)));
        let answer = tokio::select! {
            // It may be refused before all is sent.
            answer = &mut call => answer,
            sent = self.send(connection, file, header, messages) => {
                sent?;
                let answer = self.blobs.in_time_for(self.checkpoint.bytes, connection, call).await;
                answer.inspect_err(|_| self.blobs.failing.fails())?
            }
        };
        answer.map_err(|status| refusal(self.heard(status)))?;
        self.blobs.failing.is_over();
        Ok(())
    }

    /// Notes whether the coordinator says that it cannot serve the call, as when the place of checkpoints fails.
    fn heard(&self, status: Status) -> Status {
        let status = self.blobs.peer.vouch(status);
        if is_signed(&status) && matches!(status.code(), Code::Unavailable | Code::DeadlineExceeded) {
            self.blobs.failing.fails();
        }
        status
    }

    /// Sends the rest of `file`, the first chunk with `header`.
    async fn send(
        &self,
        connection: u64,
        file: Arc<File>,
        header: UploadHeader,
        messages: mpsc::Sender<UploadRequest>,
    ) -> Result<(), TryError> {
        let mut offset = header.offset;
        let mut header = Some(header);
        loop {
            let file = Arc::clone(&file);
            let data = on_disk(move || chunk(&file, offset)).await?;
            offset += data.len() as u64;
            let is_last = header.is_none() && data.is_empty();
            let message = UploadRequest { header: header.take(), data };
            // When nobody takes the message any more, the call's own answer says why.
            if is_last || self.blobs.in_time(connection, messages.send(message)).await?.is_err() {
                return Ok(());
            }
        }
    }

    /// How many of the file's first bytes the store has; none when it has all.
    async fn missing_from(&self) -> Result<Option<u64>, TryError> {
        let request = StatRequest { sha256: self.checkpoint.sha256.clone() };
        let (mut client, connection) = self.blobs.client();
        let answer = self.blobs.in_time(connection, client.stat(request)).await?;
        let there = answer.map_err(|status| self.heard(status))?.into_inner();
        Ok((!there.complete).then_some(there.bytes))
    }
}

/// A message's worth of bytes from `offset` on; fewer at the end of the file.
fn chunk(file: &File, offset: u64) -> io::Result<Vec<u8>> {
    let (mut data, mut filled) = (vec![0; CHUNK], 0);
    while filled < data.len() {
        match file.read_at(&mut data[filled..], offset + filled as u64)? {
            0 => break,
            length => filled += length,
        }
    }
    data.truncate(filled);
    Ok(data)
}

/// What the refusal of an upload means.
fn refusal(status: Status) -> TryError {
    match status.code() {
        Code::ResourceExhausted | Code::InvalidArgument if is_signed(&status) => {
            TryError::Unwanted(status.message().to_owned())
        }
        // Another upload of the file was faster, or what was staged is gone: the next try asks where to go on.
        Code::OutOfRange => CallError::Unavailable(status.message().to_owned()).into(),
        _ => status.into(),
    }
}
