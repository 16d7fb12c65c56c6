//! `BlobService`: checkpoints come and go in chunks.
//!
//! A transfer may take as long as it needs while it makes progress: what is bounded is the wait for
//! the other side's next move.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use acai_proto::convert::FieldError;
use acai_proto::v1::{self, blob_service_server::BlobService};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Request, Response, Status, Streaming};

use super::status::status;
use crate::blobs::staging::{Staged, staged};
use crate::blobs::{BLOB_BYTES, BlobError, Blobs, CHUNK_BYTES, Chunks, Digest};
use crate::store::{AttemptRef, Store};

/// The other side has this long to send or take the next chunk.
const PATIENCE: Duration = Duration::from_secs(30);
/// What carries no data is answered within this.
const STAT_DEADLINE: Duration = Duration::from_secs(10);
/// Chunks of a download that are read ahead of its client.
const AHEAD: usize = 2;

#[derive(Clone)]
pub(crate) struct BlobTransfers {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) blobs: Arc<dyn Blobs>,
}

impl BlobTransfers {
    /// Complete is what the store knows of too: an upload that was cut off between the two is uploaded again, which
    /// then takes no bytes.
    async fn progress(&self, digest: &Digest) -> Result<v1::StatResponse, Status> {
        let bytes = match self.blobs.size(digest).await.map_err(refusal)? {
            Some(bytes) if self.store.blob_exists(&digest.to_string()).await.map_err(status)? => {
                return Ok(v1::StatResponse { complete: true, bytes });
            }
            Some(_) => 0,
            None => staged(self.blobs.staging(), digest).await.map_err(refusal)?,
        };
        Ok(v1::StatResponse { complete: false, bytes })
    }

    async fn finish(&self, staged: Staged, header: Header) -> Result<(), Status> {
        staged.verify(header.size).await.map_err(refusal)?;
        self.blobs.put(&header.digest, staged.path()).await.map_err(refusal)?;
        self.recorded(&header.digest, header.size).await
    }

    /// Called for each upload when its blob is durable and before that is acknowledged, for one that
    /// was there already too. What the store must know of a blob, it is told here.
    async fn recorded(&self, digest: &Digest, bytes: u64) -> Result<(), Status> {
        // False while its file is being deleted as garbage, which takes a moment.
        // And it may have been deleted since it was seen.
        if self.store.blob_add(&digest.to_string(), bytes).await.map_err(status)?
            && self.blobs.size(digest).await.map_err(refusal)?.is_some()
        {
            return Ok(());
        }
        Err(Status::unavailable("the blob is being deleted: send it again"))
    }
}

#[tonic::async_trait]
impl BlobService for BlobTransfers {
    async fn stat(&self, request: Request<v1::StatRequest>) -> Result<Response<v1::StatResponse>, Status> {
        let digest = digest(&request.into_inner().sha256)?;
        let late = |_| Status::deadline_exceeded("where checkpoints are kept does not answer");
        Ok(Response::new(timeout(STAT_DEADLINE, self.progress(&digest)).await.map_err(late)??))
    }

    async fn upload(
        &self,
        request: Request<Streaming<v1::UploadRequest>>,
    ) -> Result<Response<v1::UploadResponse>, Status> {
        let mut messages = request.into_inner();
        let first = next(&mut messages).await?.ok_or(FieldError::new("header", "is missing"))?;
        let header = Header::try_from(first.header.ok_or(FieldError::new("header", "is missing"))?)?;
        self.store.attempt_check(header.attempt).await.map_err(status)?;
        if let Some(bytes) = self.blobs.size(&header.digest).await.map_err(refusal)? {
            if bytes != header.size {
                let problem = format!("is {}, but the blob has {bytes} bytes", header.size);
                return Err(FieldError::new("header.size", problem).into());
            }
            self.recorded(&header.digest, bytes).await?;
            return Ok(Response::new(v1::UploadResponse {}));
        }
        let opened = Staged::open(self.blobs.staging(), header.digest.clone(), header.offset).await;
        let mut staged = opened.map_err(refusal)?;
        let mut data = first.data;
        loop {
            append(&mut staged, data, header.size).await?;
            match next(&mut messages).await? {
                None => break,
                Some(message) if message.header.is_some() => {
                    return Err(FieldError::new("header", "belongs in the first message only").into());
                }
                Some(message) => data = message.data,
            }
        }
        // In a task of its own: a client that hangs up now leaves neither half an object in a
        // bucket nor a blob that nobody was told of.
        let transfers = self.clone();
        let finished = tokio::spawn(async move { transfers.finish(staged, header).await });
        finished.await.map_err(|error| Status::internal(error.to_string()))??;
        Ok(Response::new(v1::UploadResponse {}))
    }

    type DownloadStream = ReceiverStream<Result<v1::DownloadResponse, Status>>;

    async fn download(
        &self,
        request: Request<v1::DownloadRequest>,
    ) -> Result<Response<Self::DownloadStream>, Status> {
        let v1::DownloadRequest { sha256, offset } = request.into_inner();
        let digest = digest(&sha256)?;
        let size = self.blobs.size(&digest).await.map_err(refusal)?;
        let size = size.ok_or_else(|| refusal(BlobError::Missing(digest.clone())))?;
        if offset > size {
            return Err(Status::out_of_range(format!("the blob has {size} bytes, none at {offset}")));
        }
        let (sender, receiver) = mpsc::channel(AHEAD);
        // A bucket has no range that begins at the end.
        if offset < size {
            let chunks = self.blobs.read(&digest, offset).await.map_err(refusal)?;
            tokio::spawn(send(chunks, sender));
        }
        Ok(Response::new(ReceiverStream::new(receiver)))
    }
}

/// The first message of an upload, as far as it makes sense.
struct Header {
    attempt: AttemptRef,
    digest: Digest,
    size: u64,
    offset: u64,
}

impl TryFrom<v1::UploadHeader> for Header {
    type Error = FieldError;

    fn try_from(header: v1::UploadHeader) -> Result<Self, FieldError> {
        let attempt = header.attempt.ok_or(FieldError::new("header.attempt", "is missing"))?;
        let attempt = AttemptRef { run: attempt.run, number: attempt.number, token: attempt.token };
        let digest = digest(&header.sha256)?;
        if header.size > BLOB_BYTES {
            let problem = format!("is {}, more than {BLOB_BYTES} bytes", header.size);
            return Err(FieldError::new("header.size", problem));
        }
        if header.offset > header.size {
            return Err(FieldError::new("header.offset", "is beyond the size"));
        }
        Ok(Header { attempt, digest, size: header.size, offset: header.offset })
    }
}

async fn append(staged: &mut Staged, data: Vec<u8>, size: u64) -> Result<(), Status> {
    if data.len() > CHUNK_BYTES {
        let problem = format!("has {} bytes, more than {CHUNK_BYTES}", data.len());
        return Err(FieldError::new("data", problem).into());
    }
    if staged.length() + data.len() as u64 > size {
        return staged.forget(format!("more than {size} bytes were sent")).await.map_err(refusal);
    }
    staged.append(data).await.map_err(refusal)
}

/// The client's next message, in time; none when it has sent all.
async fn next(messages: &mut Streaming<v1::UploadRequest>) -> Result<Option<v1::UploadRequest>, Status> {
    let late = |_| {
        let seconds = PATIENCE.as_secs();
        Status::deadline_exceeded(format!(
            "nothing came for {seconds} s: what came before stays, go on from there"
        ))
    };
    timeout(PATIENCE, messages.message()).await.map_err(late)?
}

/// Hands chunks to a client until it has all, or takes none for too long.
async fn send(mut chunks: Box<dyn Chunks>, to: mpsc::Sender<Result<v1::DownloadResponse, Status>>) {
    loop {
        let message = match chunks.next().await {
            Ok(None) => return,
            Ok(Some(data)) => Ok(v1::DownloadResponse { data }),
            Err(error) => Err(refusal(error)),
        };
        let last = message.is_err();
        if !matches!(timeout(PATIENCE, to.send(message)).await, Ok(Ok(()))) || last {
            return;
        }
    }
}

fn digest(sha256: &str) -> Result<Digest, FieldError> {
    Digest::from_str(sha256).map_err(|error| FieldError::new("sha256", error.to_string()))
}

/// Each error of blobs is one gRPC status.
#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err takes")]
fn refusal(error: BlobError) -> Status {
    let code = match &error {
        BlobError::Missing(_) => Code::NotFound,
        BlobError::Offset { .. } => Code::OutOfRange,
        BlobError::Mismatch(_) => Code::InvalidArgument,
        BlobError::Full => Code::ResourceExhausted,
        BlobError::Busy | BlobError::Failed { .. } => Code::Unavailable,
    };
    if matches!(error, BlobError::Full | BlobError::Failed { .. }) {
        tracing::error!(%error, "a transfer failed");
    }
    Status::new(code, error.to_string())
}
