//! Pictures that runs have left, by the digest of their bytes.

use acai_coordinator::blobs::{BlobError, Chunks, Digest};
use acai_coordinator::use_cases::UseCaseError;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

use crate::problem::{Problem, Result};
use crate::site::Site;

/// The largest file that is shown: pictures have less than a tenth of that.
pub(crate) const LARGEST: usize = 4 << 20;
/// What a PNG file begins with.
const PNG: [u8; 8] = *b"\x89PNG\r\n\x1a\n";

/// The path of a picture.
pub(crate) fn path(sha256: &str) -> String {
    format!("pictures/{sha256}")
}

pub(crate) async fn picture(State(site): State<Site>, Path(sha256): Path<String>) -> Result<Response> {
    let bytes = read(&site, &sha256).await?;
    if !bytes.starts_with(&PNG) {
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "this file is no picture"));
    }
    let headers = [(CONTENT_TYPE, "image/png"), (CACHE_CONTROL, "private, max-age=31536000, immutable")];
    Ok((headers, bytes).into_response())
}

/// The bytes of a file that a run has left.
pub(crate) async fn read(site: &Site, sha256: &str) -> Result<Vec<u8>> {
    let digest: Digest = sha256.parse().map_err(|_| Problem::not_found("there is no file of this digest"))?;
    let mut bytes = Vec::new();
    let Some(mut chunks) = site.transfers.open(&digest, 0).await.map_err(gone)? else { return Ok(bytes) };
    while let Some(chunk) = next(&mut chunks).await? {
        bytes.extend(chunk);
        if bytes.len() > LARGEST {
            let words = "this file is too large for a page\nhint: `acai artifacts get SWEEP` fetches files";
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, words));
        }
    }
    Ok(bytes)
}

async fn next(chunks: &mut Box<dyn Chunks>) -> Result<Option<Vec<u8>>> {
    chunks.next().await.map_err(|error| Problem::from(UseCaseError::from(error)))
}

/// What is no longer kept is told from what cannot be read.
fn gone(error: UseCaseError) -> Problem {
    match error {
        UseCaseError::Blob(BlobError::Missing(_)) => Problem::not_found(
            "this file is not kept any more\nhint: a later attempt of its run, or who forgot its sweep, replaced it; reload the page that led here",
        ),
        error => error.into(),
    }
}
