//! `acai artifacts get`

use std::path::{Path, PathBuf};

use acai_proto::v1::Artifact;
use anyhow::Context;
use serde_json::{Value, json};

use super::Found;
use super::ls::document;
use crate::args::Coordinator;
use crate::client::connect_blobs;
use crate::download::{Fetched, fetch};
use crate::failure::Failure;
use crate::output::Output;

pub(super) async fn get(
    at: &Coordinator,
    artifacts: &[Found],
    folder: &Path,
    as_json: bool,
    output: Output,
) -> Result<(), Failure> {
    let mut blobs = connect_blobs(at).await?;
    let (mut documents, mut new, mut bytes) = (Vec::new(), 0, 0);
    for found in artifacts {
        let path = path(&folder.join(format!("{}-{}", found.sweep, found.artifact.number)), &found.artifact);
        let parent = path.parent().unwrap_or(folder);
        std::fs::create_dir_all(parent).with_context(|| format!("cannot make `{}`", parent.display()))?;
        let artifact = &found.artifact;
        if fetch(&mut blobs, (&artifact.sha256, artifact.bytes), &path).await? == Fetched::New {
            new += 1;
            bytes += artifact.bytes;
        }
        if as_json {
            let mut document = document(found);
            document["path"] = Value::from(path.display().to_string());
            documents.push(document);
        }
    }
    if as_json {
        output.data(&json!({"version": 1, "artifacts": documents}).to_string())?;
    } else {
        let there = artifacts.len() - new;
        let text = format!("{new} files in {}: {bytes} bytes ({there} were there)", folder.display());
        output.note(&text);
    }
    Ok(())
}

/// `FOLDER/interpolations-000000100.png`, with the step so that files of several steps have their order.
pub(in crate::commands) fn path(folder: &Path, artifact: &Artifact) -> PathBuf {
    let name = Path::new(&artifact.name);
    let stem = name.file_stem().unwrap_or_default().to_string_lossy();
    let mut file = PathBuf::from(format!("{stem}-{:09}", artifact.step));
    if let Some(extension) = name.extension() {
        file.add_extension(extension);
    }
    folder.join(file)
}
