//! How the workers of a fleet reach the coordinator: by an access file, whose path they are given.

use std::path::{Path, PathBuf};

use acai_access::AccessFile;
use anyhow::Context as _;

use crate::args::Coordinator;
use crate::client::access_file;

/// The access file of the workers: the one that the fleet's file names, or else that by which this command finds the
/// coordinator. Its path is absolute.
pub(super) fn of_workers(at: &Coordinator, named: Option<&Path>) -> anyhow::Result<(PathBuf, AccessFile)> {
    let path = named.map(Path::to_owned).or_else(|| access_file(at.coordinator.as_ref()));
    let path = path.context(
        "nothing says which access file the workers have\nhint: name it as `access` in the fleet's file",
    )?;
    let path = std::path::absolute(&path)?;
    let access = AccessFile::read(&path)?;
    Ok((path, access))
}
