//! What other programs can use of a checkpoint.

use std::path::Path;

use safetensors::tensor::View;

use super::load::{read, verified};
use super::save::write;
use super::{CheckpointError, Header, MOMENTS, Snapshot};

/// Key of the header's JSON in an exported file, which no run resumes from.
const RUN_KEY: &str = "acai-run";

/// Copies what a model has learnt from the checkpoint at `from` to a plain safetensors file at `to`: weights and
/// running averages under their names, and metadata that says which run they are of.
///
/// # Errors
/// The checkpoint cannot be read, is damaged, is no checkpoint or is of another version; the file cannot be written.
pub fn export(from: &Path, to: &Path) -> Result<(), CheckpointError> {
    let bytes = read(from)?;
    let (header, file) = verified(&bytes, from)?;
    write_learnt(&header, file.tensors(), to)
}

/// Writes to `to` what [`export`] would write from the checkpoint of this state.
///
/// # Errors
/// [`CheckpointError::Write`].
pub fn export_model(snapshot: Snapshot, to: &Path) -> Result<(), CheckpointError> {
    let (header, tensors) = snapshot.described();
    write_learnt(&header, tensors, to)
}

fn write_learnt(
    header: &Header,
    tensors: Vec<(String, impl View)>,
    to: &Path,
) -> Result<(), CheckpointError> {
    let of_training = |name: &str| MOMENTS.iter().any(|moment| name.starts_with(moment));
    let learnt = tensors.into_iter().filter(|(name, _)| !of_training(name)).collect();
    // Readers of PyTorch's files look for `format`.
    let metadata = [("format", "pt".to_owned()), (RUN_KEY, header.to_json())];
    write(learnt, metadata, to).map_err(|source| CheckpointError::Write { path: to.into(), source })
}
