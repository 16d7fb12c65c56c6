//! `BlobService`: checkpoints come and go in chunks.
//!
//! A transfer may take as long as it needs while it makes progress: what is bounded is the wait for
//! the other side's next move.

use std::str::FromStr;
use std::time::Duration;

use acai_proto::convert::FieldError;
use acai_proto::v1::{self, blob_service_server::BlobService};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use super::fields::attempt_ref;
use super::status::blob_status;
use crate::blobs::{BLOB_BYTES, CHUNK_BYTES, Chunks, Digest};
use crate::guard::submitter;
use crate::store::Submitter;
use crate::use_cases::{Announced, Progress, Transfers, UseCaseError};

/// As a rule the other side has this long to send or take the next chunk.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// What carries no data is answered within this.
const STAT_DEADLINE: Duration = Duration::from_secs(10);
/// Chunks of a download that are read ahead of its client.
const AHEAD: usize = 2;

pub(crate) struct BlobTransfers {
    pub(crate) transfers: Transfers,
    /// The other side has this long to send or take the next chunk.
    pub(crate) patience: Duration,
}

#[tonic::async_trait]
impl BlobService for BlobTransfers {
    async fn stat(&self, request: Request<v1::StatRequest>) -> Result<Response<v1::StatResponse>, Status> {
        let digest = digest(&request.into_inner().sha256)?;
        let late = |_| Status::deadline_exceeded("where checkpoints are kept does not answer");
        let progress = timeout(STAT_DEADLINE, self.transfers.progress(&digest)).await.map_err(late)??;
        Ok(Response::new(match progress {
            Progress::Whole(bytes) => v1::StatResponse { complete: true, bytes },
            Progress::Staged(bytes) => v1::StatResponse { complete: false, bytes },
        }))
    }

    async fn upload(
        &self,
        request: Request<Streaming<v1::UploadRequest>>,
    ) -> Result<Response<v1::UploadResponse>, Status> {
        let submitter = submitter(&request);
        let mut messages = request.into_inner();
        let first = self.next(&mut messages).await?.ok_or(FieldError::new("header", "is missing"))?;
        let header = first.header.ok_or(FieldError::new("header", "is missing"))?;
        let announced = announced(header, submitter)?;
        let attempt = announced.attempt;
        match self.take(announced, first.data, messages).await {
            Ok(()) => Ok(Response::new(v1::UploadResponse {})),
            Err(Refusal::Transport(status)) => Err(status),
            Err(Refusal::UseCase(error)) => {
                if let Some(attempt) = attempt {
                    self.transfers.note(attempt, &error).await;
                }
                Err(error.into())
            }
        }
    }

    type DownloadStream = ReceiverStream<Result<v1::DownloadResponse, Status>>;

    async fn download(
        &self,
        request: Request<v1::DownloadRequest>,
    ) -> Result<Response<Self::DownloadStream>, Status> {
        let v1::DownloadRequest { sha256, offset } = request.into_inner();
        let chunks = self.transfers.open(&digest(&sha256)?, offset).await?;
        let (sender, receiver) = mpsc::channel(AHEAD + 1);
        if let Some(chunks) = chunks {
            tokio::spawn(send(chunks, sender, self.patience));
        }
        Ok(Response::new(ReceiverStream::new(receiver)))
    }
}

/// Why an upload was not taken.
enum Refusal {
    /// The messages make no sense, or stay away.
    Transport(Status),
    UseCase(UseCaseError),
}

impl From<UseCaseError> for Refusal {
    fn from(error: UseCaseError) -> Refusal {
        Refusal::UseCase(error)
    }
}

impl From<Status> for Refusal {
    fn from(status: Status) -> Refusal {
        Refusal::Transport(status)
    }
}

impl BlobTransfers {
    async fn take(
        &self,
        announced: Announced,
        mut data: Vec<u8>,
        mut messages: Streaming<v1::UploadRequest>,
    ) -> Result<(), Refusal> {
        let Some(mut upload) = self.transfers.begin(announced).await? else { return Ok(()) };
        loop {
            upload.append(chunk(data)?).await?;
            match self.next(&mut messages).await? {
                None => break,
                Some(message) if message.header.is_some() => {
                    let problem = FieldError::new("header", "belongs in the first message only");
                    return Err(Status::from(problem).into());
                }
                Some(message) => data = message.data,
            }
        }
        Ok(upload.finish().await?)
    }

    /// The client's next message, in time; none when it has sent all.
    async fn next(
        &self,
        messages: &mut Streaming<v1::UploadRequest>,
    ) -> Result<Option<v1::UploadRequest>, Status> {
        let late = |_| {
            let patience = self.patience;
            // Not a deadline that was exceeded, after which a worker would go to another coordinator, which does not have the bytes.
            Status::aborted(format!(
                "nothing came for {patience:?}: what came before stays, go on from there"
            ))
        };
        timeout(self.patience, messages.message()).await.map_err(late)?
    }
}

/// The first message of an upload, as far as it makes sense.
fn announced(header: v1::UploadHeader, submitter: Option<Submitter>) -> Result<Announced, FieldError> {
    let v1::UploadHeader { attempt: given, sha256, size, offset, artifact: is_artifact } = header;
    let attempt = given.as_ref().map(attempt_ref);
    let digest = digest(&sha256)?;
    if size > BLOB_BYTES {
        return Err(FieldError::new("header.size", format!("is {size}, more than {BLOB_BYTES} bytes")));
    }
    if offset > size {
        return Err(FieldError::new("header.offset", "is beyond the size"));
    }
    Ok(Announced { attempt, submitter, digest, size, offset, is_artifact })
}

/// The bytes of one message.
fn chunk(data: Vec<u8>) -> Result<Vec<u8>, Status> {
    if data.len() > CHUNK_BYTES {
        let problem = format!("has {} bytes, more than {CHUNK_BYTES}", data.len());
        return Err(FieldError::new("data", problem).into());
    }
    Ok(data)
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
            Err(error) => break blob_status(error),
        };
        match timeout(patience, to.send(Ok(v1::DownloadResponse { data }))).await {
            Ok(Ok(())) => {}
            // Nobody listens any more.
            Ok(Err(_)) => return,
            Err(_) => {
                break Status::aborted(format!(
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
