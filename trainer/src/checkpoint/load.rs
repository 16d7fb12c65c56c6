//! Reading a checkpoint.

use std::fs;
use std::path::Path;

use safetensors::SafeTensors;
use safetensors::tensor::TensorView;
use serde::Deserialize;
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
/// The file cannot be read, is damaged, is no checkpoint, has another format or belongs to another run.
pub fn load(model: &mut dyn Model, identity: &Identity, path: &Path) -> Result<Progress, CheckpointError> {
    let bytes = read(path)?;
    let damaged = |what: String| CheckpointError::Damaged { path: path.into(), what };
    let (header, file) = verified(&bytes, path)?;
    if let Some(difference) = identity.difference(&header.identity) {
        return Err(CheckpointError::OtherRun { path: path.into(), difference });
    }
    let mut copies = Vec::new();
    for (name, ours) in contents(model) {
        let view = file.tensor(&name).map_err(|_| damaged(format!("`{name}` is missing")))?;
        let theirs = tensor(&view, &ours)
            .ok_or_else(|| damaged(format!("`{name}` has another shape or type than this run's")))?;
        copies.push((ours, theirs));
    }
    for (mut ours, theirs) in copies {
        ours.copy_(&theirs);
    }
    Ok(header.progress)
}

/// What the checkpoint at `path` says of itself; its tensors are not looked at.
///
/// # Errors
/// The file cannot be read, is cut short, is no checkpoint or has another format.
pub fn read_header(path: &Path) -> Result<Header, CheckpointError> {
    Ok(header(&read(path)?, path)?.0)
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>, CheckpointError> {
    fs::read(path).map_err(|source| CheckpointError::Read { path: path.into(), source })
}

/// Header and tensors, which are what was written.
pub(super) fn verified<'a>(
    bytes: &'a [u8],
    path: &Path,
) -> Result<(Header, SafeTensors<'a>), CheckpointError> {
    let (header, text) = header(bytes, path)?;
    let damaged = |what: String| CheckpointError::Damaged { path: path.into(), what };
    let file = SafeTensors::deserialize(bytes).map_err(|error| damaged(error.to_string()))?;
    let mut stored = file.tensors();
    stored.sort_by(|(a, _), (b, _)| a.cmp(b));
    let unsigned = text.replacen(&header.sha256, "", 1);
    if digest(&unsigned, stored.into_iter().map(|(name, view)| (name, view.data()))) != header.sha256 {
        return Err(damaged("it is not what was written".into()));
    }
    Ok((header, file))
}

/// The header and its JSON, read before the tensors: what is wrong with them should not hide that the file is foreign.
fn header(bytes: &[u8], path: &Path) -> Result<(Header, String), CheckpointError> {
    /// The only part of a header that every format shares.
    #[derive(Deserialize)]
    struct Versioned {
        format: u64,
    }

    let foreign = |what: String| CheckpointError::Foreign { path: path.into(), what };
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|error| CheckpointError::Damaged {
        path: path.into(),
        what: format!("not a whole safetensors file ({error})"),
    })?;
    let text = metadata
        .metadata()
        .as_ref()
        .and_then(|entries| entries.get(METADATA_KEY))
        .ok_or_else(|| foreign(format!("its metadata has no `{METADATA_KEY}`")))?;
    let Versioned { format } = serde_json::from_str(text).map_err(|error| foreign(error.to_string()))?;
    if format != FORMAT {
        return Err(CheckpointError::OtherFormat { path: path.into(), found: format });
    }
    let header = serde_json::from_str(text).map_err(|error| foreign(error.to_string()))?;
    Ok((header, text.clone()))
}

/// The stored tensor, if it is of the shape and kind of `like`.
fn tensor(view: &TensorView<'_>, like: &Tensor) -> Option<Tensor> {
    let shape: Vec<i64> = view.shape().iter().map(|size| *size as i64).collect();
    (shape == like.size() && view.dtype() == dtype(like.kind()))
        .then(|| Tensor::from_data_size(view.data(), &shape, like.kind()))
}
