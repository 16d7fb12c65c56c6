//! Files to the coordinator's blobs.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use acai_proto::v1::{StatRequest, UploadHeader, UploadRequest};
use anyhow::Context;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status};

use crate::client::Blobs;
use crate::failure::Failure;

/// Bytes in a message.
const CHUNK: u64 = 1 << 20;

/// Uploads a file, known by its SHA-256 and its size, that an import will name. A transfer that breaks off goes on as long as
/// each try brings the coordinator more of the file.
pub(crate) async fn upload(
    blobs: &mut Blobs,
    (sha256, bytes): (&str, u64),
    path: &Path,
) -> Result<(), Failure> {
    let mut broken: Option<(u64, Status)> = None;
    loop {
        let there = blobs.stat(StatRequest { sha256: sha256.to_owned() }).await?.into_inner();
        match broken {
            _ if there.complete => return Ok(()),
            Some((before, status)) if there.bytes <= before => return Err(status.into()),
            _ => {}
        }
        let header = UploadHeader {
            sha256: sha256.to_owned(),
            size: bytes,
            offset: there.bytes,
            ..Default::default()
        };
        match send(blobs, header, path).await? {
            Ok(()) => return Ok(()),
            Err(status)
                if matches!(
                    status.code(),
                    Code::DeadlineExceeded | Code::Unavailable | Code::Cancelled | Code::Aborted
                ) =>
            {
                broken = Some((there.bytes, status));
            }
            Err(status) => return Err(status.into()),
        }
    }
}

/// One try, from the header's offset on.
async fn send(blobs: &mut Blobs, header: UploadHeader, path: &Path) -> anyhow::Result<Result<(), Status>> {
    let (sender, messages) = mpsc::channel(2);
    let (from, file) = (header.offset, path.to_owned());
    let read = tokio::task::spawn_blocking(move || chunks(&file, from, Some(header), &sender));
    let answer = blobs.upload(ReceiverStream::new(messages)).await;
    read.await?.with_context(|| format!("cannot read `{}`", path.display()))?;
    Ok(answer.map(drop))
}

/// Reads the rest of a file into messages, until nobody takes any more.
fn chunks(
    path: &Path,
    from: u64,
    mut header: Option<UploadHeader>,
    to: &mpsc::Sender<UploadRequest>,
) -> io::Result<()> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(from))?;
    loop {
        let mut data = Vec::new();
        (&file).take(CHUNK).read_to_end(&mut data)?;
        let is_end = data.is_empty() && header.is_none();
        if is_end || to.blocking_send(UploadRequest { header: header.take(), data }).is_err() {
            return Ok(());
        }
    }
}
