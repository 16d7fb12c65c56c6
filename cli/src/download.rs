//! Blobs into files.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use acai_proto::v1::DownloadRequest;
use anyhow::{Context, anyhow};
use sha2::{Digest, Sha256};

use crate::client::Blobs;
use crate::failure::Failure;

/// Whether a file had to be fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fetched {
    New,
    /// The file was there, with these very bytes.
    WasThere,
}

/// Brings a blob, known by its SHA-256 and its size, to `path`: whole and with its digest, or not at all. A file of other
/// bytes is left alone, and an error.
pub(crate) async fn fetch(
    blobs: &mut Blobs,
    (sha256, bytes): (&str, u64),
    path: &Path,
) -> Result<Fetched, Failure> {
    if path.try_exists().unwrap_or(true) {
        let there = digest(path).with_context(|| format!("cannot read `{}`", path.display()))?;
        if there == sha256 {
            return Ok(Fetched::WasThere);
        }
        let hint = "move it away, or name another folder with -o";
        return Err(anyhow!("`{}` is another file\nhint: {hint}", path.display()).into());
    }
    let request = DownloadRequest { sha256: sha256.to_owned(), offset: 0 };
    let mut chunks = blobs.download(request).await?.into_inner();
    let part = path.with_added_extension("part");
    let cannot_write = || format!("cannot write `{}`", part.display());
    let mut file = File::create(&part).with_context(cannot_write)?;
    let (mut hasher, mut arrived) = (Sha256::new(), 0);
    while let Some(chunk) = chunks.message().await? {
        file.write_all(&chunk.data).with_context(cannot_write)?;
        hasher.update(&chunk.data);
        arrived += chunk.data.len() as u64;
    }
    if arrived != bytes || hex(hasher) != sha256 {
        // Of no use, as the error says.
        let _ = fs::remove_file(&part);
        return Err(anyhow!("`{}` arrived damaged\nhint: try again", path.display()).into());
    }
    fs::rename(&part, path).with_context(|| format!("cannot write `{}`", path.display()))?;
    Ok(Fetched::New)
}

/// Brings a blob, known by its SHA-256 and its size, into memory.
pub(crate) async fn bytes(blobs: &mut Blobs, (sha256, bytes): (&str, u64)) -> Result<Vec<u8>, Failure> {
    let request = DownloadRequest { sha256: sha256.to_owned(), offset: 0 };
    let mut chunks = blobs.download(request).await?.into_inner();
    let (mut arrived, mut hasher) = (Vec::new(), Sha256::new());
    while let Some(chunk) = chunks.message().await? {
        hasher.update(&chunk.data);
        arrived.extend(chunk.data);
    }
    if arrived.len() as u64 != bytes || hex(hasher) != sha256 {
        return Err(anyhow!("what arrived is damaged\nhint: try again").into());
    }
    Ok(arrived)
}

/// The SHA-256 of a file.
pub(crate) fn digest(path: &Path) -> io::Result<String> {
    let (mut file, mut hasher, mut buffer) = (File::open(path)?, Sha256::new(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex(hasher)),
            length => hasher.update(&buffer[..length]),
        }
    }
}

fn hex(hasher: Sha256) -> String {
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
