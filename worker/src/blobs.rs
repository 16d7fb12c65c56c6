//! Checkpoints on their way to the coordinator's blob store and back, under the SHA-256 of their bytes.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use acai_proto::SIGNATURE;
use acai_proto::v1::blob_service_client::BlobServiceClient;
use acai_proto::v1::{Attempt, Checkpoint, DownloadRequest, StatRequest, UploadHeader, UploadRequest};
use sha2::{Digest, Sha256};
use tokio::fs::{File, OpenOptions};
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt, SeekFrom};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;
use tonic::{Code, Status};

use crate::backoff::Backoff;
use crate::coordinator::{CallError, Rejection, is_signed};
use crate::peer::Peer;

/// Bytes in a message.
const CHUNK: usize = 1 << 20;
/// A transfer in which nothing moves for this long is begun again.
const PATIENCE: Duration = Duration::from_secs(60);
/// Times in a row that an upload is tried which is refused for want of room, or because it arrived damaged: a checkpoint
/// is not worth more than that, the next one comes.
const TRIES_UNWANTED: u32 = 4;

/// Why a checkpoint did not get to the other side.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TransferError {
    /// The attempt no longer holds its run, or the coordinator does not want the blob.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The file on this machine.
    #[error("`{}`: {cause}", path.display())]
    File { path: PathBuf, cause: io::Error },
    /// The coordinator has no room for it, or will not have it.
    #[error("{0}")]
    Unwanted(String),
    /// The coordinator cannot read or keep it until somebody repairs the place where it keeps checkpoints.
    #[error("the coordinator's store of checkpoints needs repair: {0}")]
    Broken(String),
    /// What arrived, twice, are other bytes than what was asked for.
    #[error("it arrived damaged")]
    Damaged,
}

/// The coordinator's blob store.
#[derive(Debug, Clone)]
pub(crate) struct Blobs {
    client: BlobServiceClient<Channel>,
    peer: Peer,
}

impl Blobs {
    pub(crate) fn new(channel: Channel, peer: Peer) -> Self {
        // A message holds a chunk and a few bytes of framing.
        Self { client: BlobServiceClient::new(channel).max_decoding_message_size(CHUNK + CHUNK / 4), peer }
    }

    /// Brings a file to the store, through outages and from where the last try broke off. What is there already is
    /// not sent again.
    pub(crate) async fn upload(
        &self,
        attempt: Attempt,
        step: u64,
        file: &Path,
    ) -> Result<Checkpoint, TransferError> {
        let of_file = |cause| TransferError::File { path: file.to_owned(), cause };
        let (sha256, bytes) = digest(file).await.map_err(of_file)?;
        let mut backoff = Backoff::default();
        let (mut unwanted, mut is_said) = (0, false);
        loop {
            match self.upload_once(attempt, file, &sha256, bytes).await {
                Ok(()) => return Ok(Checkpoint { step, sha256, bytes }),
                Err(TryError::File(cause)) => return Err(of_file(cause)),
                Err(TryError::Call(CallError::Rejected(rejection))) => return Err(rejection.into()),
                Err(TryError::Unwanted(reason)) if unwanted + 1 == TRIES_UNWANTED => {
                    return Err(TransferError::Unwanted(reason));
                }
                Err(TryError::Unwanted(reason)) => {
                    unwanted += 1;
                    tracing::warn!(run = attempt.run, step, "cannot upload: {reason}");
                    backoff.pause().await;
                }
                Err(TryError::Broken(reason)) => return Err(TransferError::Broken(reason)),
                Err(TryError::Call(CallError::Unavailable(reason))) => {
                    if !std::mem::replace(&mut is_said, true) {
                        tracing::warn!(run = attempt.run, step, "cannot upload ({reason}); trying again");
                    }
                    // Refusals from before an outage say nothing of the room that there is after it.
                    unwanted = 0;
                    backoff.pause().await;
                }
            }
        }
    }

    async fn upload_once(
        &self,
        attempt: Attempt,
        path: &Path,
        sha256: &str,
        size: u64,
    ) -> Result<(), TryError> {
        let mut client = self.client.clone();
        let stat = timeout(PATIENCE, client.stat(StatRequest { sha256: sha256.to_owned() })).await;
        let there = stat.map_err(|_| silent())?.map_err(|status| self.peer.vouch(status))?.into_inner();
        if there.complete {
            return Ok(());
        }
        let mut file = File::open(path).await?;
        file.seek(SeekFrom::Start(there.bytes)).await?;
        let (messages, outgoing) = mpsc::channel(2);
        let header =
            UploadHeader { attempt: Some(attempt), sha256: sha256.to_owned(), size, offset: there.bytes };
        let send = async {
            let mut header = Some(header);
            loop {
                let mut data = vec![0; CHUNK];
                let length = fill(&mut file, &mut data).await?;
                data.truncate(length);
                let is_last = header.is_none() && length == 0;
                let message = UploadRequest { header: header.take(), data };
                // Nobody takes it any more: the call's own answer says why.
                if is_last || messages.send(message).await.is_err() {
                    drop(messages);
                    return io::Result::Ok(());
                }
            }
        };
        let call = client.upload(ReceiverStream::new(outgoing));
        let transfer = timeout(Self::deadline(size), async { tokio::join!(call, send) });
        let (answer, sent) = transfer.await.map_err(|_| silent())?;
        sent?;
        match answer.map_err(|status| self.peer.vouch(status)) {
            Ok(_) => Ok(()),
            Err(status)
                if is_signed(&status)
                    && matches!(status.code(), Code::ResourceExhausted | Code::InvalidArgument) =>
            {
                Err(TryError::Unwanted(status.message().to_owned()))
            }
            // Somebody else was faster, or what was staged is gone: the next try asks where to go on.
            Err(status) if status.code() == Code::OutOfRange => {
                Err(CallError::Unavailable(status.message().to_owned()).into())
            }
            Err(status) => Err(status.into()),
        }
    }

    /// Brings a checkpoint's file to `path`, through outages; whole and with its digest, or not at all.
    pub(crate) async fn download(&self, checkpoint: &Checkpoint, path: &Path) -> Result<(), TransferError> {
        let of_file = |cause| TransferError::File { path: path.to_owned(), cause };
        let part = path.with_added_extension("part");
        // What an earlier try left may have been damaged on this disk; a whole new one is not.
        for _ in 0..2 {
            self.download_part(checkpoint, &part).await?;
            let arrived = digest(&part).await.map_err(of_file)?;
            if arrived == (checkpoint.sha256.clone(), checkpoint.bytes) {
                return tokio::fs::rename(&part, path).await.map_err(of_file);
            }
            tokio::fs::remove_file(&part).await.map_err(of_file)?;
        }
        Err(TransferError::Damaged)
    }

    /// Brings as many bytes as the checkpoint has to `part`, from where the last try broke off.
    async fn download_part(&self, checkpoint: &Checkpoint, part: &Path) -> Result<(), TransferError> {
        let (mut backoff, mut is_said) = (Backoff::default(), false);
        loop {
            match self.download_once(checkpoint, part).await {
                Ok(()) => return Ok(()),
                Err(TryError::File(cause)) => {
                    return Err(TransferError::File { path: part.to_owned(), cause });
                }
                Err(TryError::Call(CallError::Rejected(rejection))) => return Err(rejection.into()),
                Err(TryError::Broken(reason)) => return Err(TransferError::Broken(reason)),
                Err(TryError::Call(CallError::Unavailable(reason)) | TryError::Unwanted(reason)) => {
                    if !std::mem::replace(&mut is_said, true) {
                        tracing::warn!(step = checkpoint.step, "cannot download ({reason}); trying again");
                    }
                    backoff.pause().await;
                }
            }
        }
    }

    async fn download_once(&self, checkpoint: &Checkpoint, part: &Path) -> Result<(), TryError> {
        let mut file = OpenOptions::new().create(true).append(true).open(part).await?;
        let offset = file.metadata().await?.len();
        if offset >= checkpoint.bytes {
            return Ok(());
        }
        let request = DownloadRequest { sha256: checkpoint.sha256.clone(), offset };
        let mut client = self.client.clone();
        let answer = timeout(PATIENCE, client.download(request)).await.map_err(|_| silent())?;
        let answer = answer.map_err(|status| self.peer.vouch(status))?;
        let is_signed = answer.metadata().contains_key(SIGNATURE) || self.peer.is_first_release();
        let mut chunks = answer.into_inner();
        let mut arrived = offset;
        loop {
            match timeout(PATIENCE, chunks.message()).await.map_err(|_| silent())? {
                Ok(Some(chunk)) => {
                    file.write_all(&chunk.data).await?;
                    arrived += chunk.data.len() as u64;
                }
                Ok(None) => break,
                // What comes after the first chunks has no headers of its own.
                Err(status) if status.code() == Code::DataLoss && is_signed => {
                    return Err(TryError::Broken(status.message().to_owned()));
                }
                Err(status) => return Err(self.peer.vouch(status).into()),
            }
        }
        // Only this tells whether the last write came to an end.
        file.flush().await?;
        file.sync_all().await?;
        if arrived < checkpoint.bytes {
            let reason = format!("it ended after {arrived} of {} bytes", checkpoint.bytes);
            return Err(CallError::Unavailable(reason).into());
        }
        Ok(())
    }

    /// Time for a transfer of `size` bytes: at least 100 kB/s should get through.
    fn deadline(size: u64) -> Duration {
        PATIENCE + Duration::from_secs(size / 100_000)
    }
}

fn silent() -> CallError {
    CallError::Unavailable("nothing came for too long".to_owned())
}

/// Why one try failed.
#[derive(Debug, thiserror::Error)]
enum TryError {
    #[error(transparent)]
    File(#[from] io::Error),
    #[error(transparent)]
    Call(#[from] CallError),
    #[error("{0}")]
    Unwanted(String),
    #[error("{0}")]
    Broken(String),
}

impl From<Status> for TryError {
    fn from(status: Status) -> Self {
        match status.code() {
            Code::DataLoss if is_signed(&status) => Self::Broken(status.message().to_owned()),
            _ => Self::Call(status.into()),
        }
    }
}

/// Reads until the buffer is full or the file ends; answers how much.
async fn fill(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..]).await? {
            0 => break,
            length => filled += length,
        }
    }
    Ok(filled)
}

/// SHA-256 as 64 hexadecimal digits, and size.
pub(crate) async fn digest(path: &Path) -> io::Result<(String, u64)> {
    let path = path.to_owned();
    let hash = move || {
        let mut file = std::fs::File::open(path)?;
        let (mut hasher, mut bytes, mut buffer) = (Sha256::new(), 0, vec![0; CHUNK]);
        loop {
            let length = io::Read::read(&mut file, &mut buffer)?;
            if length == 0 {
                let hex = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
                return Ok((hex, bytes));
            }
            hasher.update(&buffer[..length]);
            bytes += length as u64;
        }
    };
    tokio::task::spawn_blocking(hash).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}
