//! Pictures, logs and weights of a sweep's runs.

use std::path::Path;

use acai_proto::v1::{ListArtifactsRequest, Run};
use anyhow::Context;

use super::super::artifacts::path;
use super::super::fetch::weights;
use super::super::logs::attempt_of;
use super::run_folder;
use crate::args::Coordinator;
use crate::client::{Client, connect_blobs};
use crate::download::fetch;
use crate::failure::Failure;
use crate::output::Output;

/// Brings all of them. What is missing with the coordinator is noted, and left out.
pub(super) async fn export(
    client: &mut Client,
    at: &Coordinator,
    runs: &[Run],
    folder: &Path,
    output: Output,
) -> Result<(), Failure> {
    let mut blobs = connect_blobs(at).await?;
    let Some(sweep) = runs.first().map(|run| run.sweep.clone()) else { return Ok(()) };
    let request = ListArtifactsRequest { sweep, numbers: Vec::new() };
    let mut artifacts = client.list_artifacts(request).await?.into_inner();
    while let Some(artifact) = artifacts.message().await? {
        let Some(run) = runs.iter().find(|run| run.number == artifact.number) else { continue };
        let file = match attempt_of(&artifact.name) {
            Some(_) => run_folder(&folder.join("logs"), run).join(&artifact.name),
            None => path(&run_folder(&folder.join("pictures"), run), &artifact),
        };
        make_parent(&file)?;
        // Of an attempt's log only the newest part is whole.
        if attempt_of(&artifact.name).is_some() && file.exists() {
            std::fs::remove_file(&file).with_context(|| format!("cannot replace `{}`", file.display()))?;
        }
        note(fetch(&mut blobs, (&artifact.sha256, artifact.bytes), &file).await.map(drop), output)?;
    }
    for run in runs.iter().filter(|run| run.step > 0) {
        let file = run_folder(&folder.join("weights"), run).with_added_extension("safetensors");
        make_parent(&file)?;
        note(weights(client, &mut blobs, run, &file).await, output)?;
    }
    Ok(())
}

fn make_parent(file: &Path) -> anyhow::Result<()> {
    let Some(parent) = file.parent() else { return Ok(()) };
    std::fs::create_dir_all(parent).with_context(|| format!("cannot make `{}`", parent.display()))
}

/// Notes that a file could not be had; that nobody answers is an error.
fn note(fetched: Result<(), Failure>, output: Output) -> Result<(), Failure> {
    match fetched {
        Err(failure) if failure.is_no_answer() => Err(failure),
        Err(failure) => {
            let message = failure.message().unwrap_or_default();
            output.note(&format!("left out: {}", message.trim_start_matches("error: ")));
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}
