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
use crate::blobs::arrival::{self, ArrivalError, Present};
use crate::blobs::staging::{Staged, staged};
use crate::blobs::{BLOB_BYTES, BlobError, Blobs, CHUNK_BYTES, Chunks, Digest};
use crate::garbage::find;
use crate::store::{AttemptRef, BlobFile, Store};

/// As a rule the other side has this long to send or take the next chunk.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// What carries no data is answered within this.
const STAT_DEADLINE: Duration = Duration::from_secs(10);
/// Chunks of a download that are read ahead of its client.
const AHEAD: usize = 2;

#[derive(Clone)]
pub(crate) struct BlobTransfers {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) blobs: Arc<dyn Blobs>,
    /// The other side has this long to send or take the next chunk.
    pub(crate) patience: Duration,
}

impl BlobTransfers {
    /// Complete is what the store knows of too: an upload that was cut off between the two is uploaded again. So is a blob
    /// whose file has another length.
    async fn progress(&self, digest: &Digest) -> Result<v1::StatResponse, Status> {
        if let Some((name, bytes)) = find(&*self.store, digest.as_str()).await.map_err(status)?
            && self.blobs.size(&name).await.map_err(refusal)? == Some(bytes)
        {
            return Ok(v1::StatResponse { complete: true, bytes });
        }
        let bytes = staged(self.blobs.staging(), digest).await.map_err(refusal)?;
        Ok(v1::StatResponse { complete: false, bytes })
    }

    /// Makes what is staged a blob, in place of a file that is gone or damaged, if there was one.
    async fn finish(&self, staged: Staged, header: Header, gone: Option<BlobFile>) -> Result<(), Status> {
        staged.verify(header.size).await.map_err(refusal)?;
        let blob = (header.digest, header.size);
        arrival::keep(&*self.store, &*self.blobs, blob, staged.path(), gone).await.map_err(unkept)
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
        let first = self.next(&mut messages).await?.ok_or(FieldError::new("header", "is missing"))?;
        let header = Header::try_from(first.header.ok_or(FieldError::new("header", "is missing"))?)?;
        let attempt = header.attempt;
        let taken = self.take(header, first.data, messages).await;
        if let Err(refusal) = &taken
            && refusal.code() == Code::DataLoss
            && let Err(error) = self.store.attempt_note(attempt, refusal.message().to_owned()).await
        {
            tracing::warn!(%error, run = attempt.run, "cannot note what became of a checkpoint");
        }
        taken
    }

    type DownloadStream = ReceiverStream<Result<v1::DownloadResponse, Status>>;

    async fn download(
        &self,
        request: Request<v1::DownloadRequest>,
    ) -> Result<Response<Self::DownloadStream>, Status> {
        let v1::DownloadRequest { sha256, offset } = request.into_inner();
        let digest = digest(&sha256)?;
        let missing = || refusal(BlobError::Missing(digest.clone()));
        let found = find(&*self.store, digest.as_str()).await.map_err(status)?;
        let (name, bytes) = found.ok_or_else(missing)?;
        let size = self.blobs.size(&name).await.map_err(refusal)?.ok_or_else(missing)?;
        // An interrupted restore or a repair of the file system leaves such a file: no reader may take its end for the
        // blob's, or wait for what is not there.
        if size != bytes {
            let cause = format!("the file of the blob {digest} has {size} bytes, not {bytes}");
            return Err(refusal(BlobError::Broken { doing: "read a checkpoint", cause }));
        }
        if offset > size {
            return Err(Status::out_of_range(format!("the blob has {size} bytes, none at {offset}")));
        }
        let (sender, receiver) = mpsc::channel(AHEAD + 1);
        // A bucket has no range that begins at the end.
        if offset < size {
            let chunks = self.blobs.read(&name, offset).await.map_err(refusal)?;
            tokio::spawn(send(chunks, sender, self.patience));
        }
        Ok(Response::new(ReceiverStream::new(receiver)))
    }
}

impl BlobTransfers {
    async fn take(
        &self,
        header: Header,
        mut data: Vec<u8>,
        mut messages: Streaming<v1::UploadRequest>,
    ) -> Result<Response<v1::UploadResponse>, Status> {
        match header.is_artifact {
            true => self.store.attempt_check_latest(header.attempt).await,
            false => self.store.attempt_check(header.attempt).await,
        }
        .map_err(status)?;
        let gone = match arrival::look(&*self.store, &*self.blobs, &header.digest).await.map_err(unkept)? {
            Present::Whole(bytes) if bytes == header.size => {
                return Ok(Response::new(v1::UploadResponse {}));
            }
            Present::Whole(bytes) => {
                let problem = format!("is {}, but the blob has {bytes} bytes", header.size);
                return Err(FieldError::new("header.size", problem).into());
            }
            Present::Gone(file) => Some(file),
            Present::Nothing => None,
        };
        let opened = Staged::open(self.blobs.staging(), header.digest.clone(), header.offset).await;
        let mut staged = opened.map_err(refusal)?;
        loop {
            append(&mut staged, data, header.size).await?;
            match self.next(&mut messages).await? {
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
        let finished = tokio::spawn(async move { transfers.finish(staged, header, gone).await });
        finished.await.map_err(|error| Status::internal(error.to_string()))??;
        Ok(Response::new(v1::UploadResponse {}))
    }

    /// The client's next message, in time; none when it has sent all.
    async fn next(
        &self,
        messages: &mut Streaming<v1::UploadRequest>,
    ) -> Result<Option<v1::UploadRequest>, Status> {
        let late = |_| {
            let patience = self.patience;
            Status::deadline_exceeded(format!(
                "nothing came for {patience:?}: what came before stays, go on from there"
            ))
        };
        timeout(self.patience, messages.message()).await.map_err(late)?
    }
}

/// The first message of an upload, as far as it makes sense.
struct Header {
    attempt: AttemptRef,
    digest: Digest,
    size: u64,
    offset: u64,
    is_artifact: bool,
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
        Ok(Header { attempt, digest, size: header.size, offset: header.offset, is_artifact: header.artifact })
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

/// Hands chunks to a client until it has all, or takes none for too long. What ends early ends with an error, for which
/// a place is kept: a client that saw an end would take what it has for the whole.
async fn send(
    mut chunks: Box<dyn Chunks>,
    to: mpsc::Sender<Result<v1::DownloadResponse, Status>>,
    patience: Duration,
) {
    let Ok(last_word) = to.clone().reserve_owned().await else { return };
    let error = loop {
        let data = match chunks.next().await {
            Ok(None) => return,
            Ok(Some(data)) => data,
            Err(error) => break refusal(error),
        };
        match timeout(patience, to.send(Ok(v1::DownloadResponse { data }))).await {
            Ok(Ok(())) => {}
            // Nobody listens any more.
            Ok(Err(_)) => return,
            Err(_) => {
                break Status::deadline_exceeded(format!(
                    "nothing was taken for {patience:?}: go on from what has arrived"
                ));
            }
        }
    };
    last_word.send(Err(error));
}

fn digest(sha256: &str) -> Result<Digest, FieldError> {
    Digest::from_str(sha256).map_err(|error| FieldError::new("sha256", error.to_string()))
}

fn unkept(error: ArrivalError) -> Status {
    match error {
        ArrivalError::Blobs(error) => refusal(error),
        ArrivalError::Store(error) => status(error),
        ArrivalError::Forgotten => Status::unavailable(ArrivalError::Forgotten.to_string()),
    }
}

/// Each error of blobs is one gRPC status.
#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err takes")]
fn refusal(error: BlobError) -> Status {
    let code = match &error {
        BlobError::Missing(_) => Code::NotFound,
        BlobError::Offset { .. } => Code::OutOfRange,
        BlobError::Mismatch(_) => Code::InvalidArgument,
        BlobError::Full => Code::ResourceExhausted,
        BlobError::Broken { .. } => Code::DataLoss,
        BlobError::Busy | BlobError::Failed { .. } => Code::Unavailable,
    };
    if matches!(error, BlobError::Full | BlobError::Broken { .. } | BlobError::Failed { .. }) {
        tracing::error!(%error, "a transfer failed");
    }
    Status::new(code, error.to_string())
}
