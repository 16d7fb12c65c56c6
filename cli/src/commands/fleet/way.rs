//! How the workers of a fleet reach the coordinator: by an access file, whose path they are given.

use std::env;
use std::path::{Path, PathBuf};

use acai_access::AccessFile;
use anyhow::Context as _;

use crate::access;
use crate::args::{Answering, Coordinator};

/// The access file of the workers: the one that the fleet's file names, or else that by which this command finds the
/// coordinator. Its path is absolute.
pub(super) fn of_workers(at: &Coordinator, named: Option<&Path>) -> anyhow::Result<(PathBuf, AccessFile)> {
    let path = match (named, &at.coordinator) {
        (Some(named), _) => Some(named.to_owned()),
        (None, Some(Answering::Place(path))) if path.is_file() => Some(path.clone()),
        (None, Some(_)) => None,
        (None, None) => env::var_os("ACAI_ACCESS").map(PathBuf::from).or_else(access::default_path),
    };
    let path = path.context(
        "nothing says which access file the workers have\nhint: name it as `access` in the fleet's file",
    )?;
    let path = std::path::absolute(&path)?;
    let access = AccessFile::read(&path)?;
    Ok((path, access))
}
