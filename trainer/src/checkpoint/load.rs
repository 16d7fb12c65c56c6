//! Reading a checkpoint.

use std::fs;
use std::path::Path;

use safetensors::SafeTensors;
use safetensors::tensor::TensorView;
use serde::Deserialize;
use serde_json::Value;
use tch::Tensor;

use super::header::{FORMAT, METADATA_KEY};
use super::save::dtype;
use super::{CheckpointError, Header, Identity, Progress, contents, digest};
use crate::model::Model;

/// Gives `model`, of the run `identity`, the state in the checkpoint at `path`; returns how far
/// the run is.
/// The model is changed only when all of the checkpoint is as it should be.
///
/// # Errors
/// The file cannot be read, is damaged, is no checkpoint, is of another version or of another run.
pub fn load(model: &mut dyn Model, identity: &Identity, path: &Path) -> Result<Progress, CheckpointError> {
    let bytes = read(path)?;
    let (mut header, file) = verified(&bytes, path)?;
    if header.progress.step < identity.config.total_steps() {
        // Up to its last step a run is the same however long it is.
        header.identity.config.total_kimg = identity.config.total_kimg;
    }
    if let Some(difference) = identity.difference(&header.identity) {
        return Err(CheckpointError::OtherRun { path: path.into(), difference });
    }
    let contents = contents(model);
    // It is what was written, so what does not fit was written by a version with other networks.
    let other = |what: String| CheckpointError::OtherVersion { path: path.into(), what };
    if let Some(name) = file.names().into_iter().find(|name| contents.iter().all(|(ours, _)| ours != name)) {
        return Err(other(format!("it holds `{name}`")));
    }
    let mut copies = Vec::new();
    for (name, ours) in contents {
        let view = file.tensor(&name).map_err(|_| other(format!("it lacks `{name}`")))?;
        let theirs =
            tensor(&view, &ours).ok_or_else(|| other(format!("`{name}` has another shape or type")))?;
        copies.push((ours, theirs));
    }
    for (mut ours, theirs) in copies {
        ours.copy_(&theirs);
    }
    Ok(header.progress)
}

/// What the checkpoint at `path` says of itself.
///
/// # Errors
/// The file cannot be read, is damaged, is no checkpoint or is of another version.
pub fn read_header(path: &Path) -> Result<Header, CheckpointError> {
    Ok(verified(&read(path)?, path)?.0)
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>, CheckpointError> {
    fs::read(path).map_err(|source| CheckpointError::Read { path: path.into(), source })
}

/// Header and tensors, which are what was written.
///
/// In this order: the format, since how to read the rest depends on it; whether anything was changed; what the header
/// says. So a version that does not understand a file never calls it damaged.
pub(super) fn verified<'a>(
    bytes: &'a [u8],
    path: &Path,
) -> Result<(Header, SafeTensors<'a>), CheckpointError> {
    /// What is needed to tell damage.
    #[derive(Deserialize)]
    struct Signed {
        sha256: String,
    }

    let damaged = |what: String| CheckpointError::Damaged { path: path.into(), what };
    let other = |what: String| CheckpointError::OtherVersion { path: path.into(), what };
    let text = header_of_known_format(bytes, path)?;
    let Signed { sha256 } = serde_json::from_str(&text).map_err(|error| damaged(error.to_string()))?;
    let file = SafeTensors::deserialize(bytes).map_err(|error| damaged(error.to_string()))?;
    let mut stored = file.tensors();
    stored.sort_by(|(a, _), (b, _)| a.cmp(b));
    let unsigned = text.replacen(&sha256, "", 1);
    if digest(&unsigned, stored.into_iter().map(|(name, view)| (name, view.data()))) != sha256 {
        return Err(damaged("it is not what was written".into()));
    }
    let header = Header::from_json(&text).map_err(|error| other(error.to_string()))?;
    Ok((header, file))
}

/// The header's JSON. Found without the library's help, which looks at the tensors too: those of a later format may be
/// of kinds that it does not know.
fn header_of_known_format(bytes: &[u8], path: &Path) -> Result<String, CheckpointError> {
    /// The only part of a header that every format shares.
    #[derive(Deserialize)]
    struct Versioned {
        format: u64,
    }

    let damaged = |what: &str| CheckpointError::Damaged { path: path.into(), what: what.into() };
    let foreign = |what: String| CheckpointError::Foreign { path: path.into(), what };
    let file: Value = bytes
        .split_first_chunk()
        .and_then(|(length, rest)| rest.get(..usize::try_from(u64::from_le_bytes(*length)).ok()?))
        .and_then(|json| serde_json::from_slice(json).ok())
        .ok_or_else(|| damaged("not a whole safetensors file"))?;
    let text = file.get("__metadata__").and_then(|metadata| metadata.get(METADATA_KEY)?.as_str());
    let text = text.ok_or_else(|| foreign(format!("its metadata has no `{METADATA_KEY}`")))?;
    let Versioned { format } = serde_json::from_str(text).map_err(|error| foreign(error.to_string()))?;
    match format {
        FORMAT => Ok(text.to_owned()),
        ..FORMAT => Err(CheckpointError::Unreleased { path: path.into(), found: format }),
        _ => {
            let what = format!("it has format {format}, and the latest that is known here is {FORMAT}");
            Err(CheckpointError::OtherVersion { path: path.into(), what })
        }
    }
}

/// The stored tensor, if it is of the shape and kind of `like`.
fn tensor(view: &TensorView<'_>, like: &Tensor) -> Option<Tensor> {
    let shape: Vec<i64> = view.shape().iter().map(|size| *size as i64).collect();
    (shape == like.size() && view.dtype() == dtype(like.kind()))
        .then(|| Tensor::from_data_size(view.data(), &shape, like.kind()))
}
