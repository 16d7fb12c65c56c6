//! Pictures, logs and weights of a sweep's runs.

use std::path::{Path, PathBuf};

use acai_proto::v1::{Artifact, ListArtifactsRequest, Run};
use anyhow::Context;

use super::super::artifacts::path;
use super::super::fetch::{WEIGHTS, weights};
use super::super::logs::attempt_of;
use super::{ArtifactLine, run_folder};
use crate::args::Coordinator;
use crate::client::{Client, connect_blobs};
use crate::download::{digest, fetch};
use crate::failure::Failure;
use crate::output::Output;

/// Brings all of them; answers what is in which file. What is missing with the coordinator is noted, and left out.
pub(super) async fn export(
    client: &mut Client,
    at: &Coordinator,
    runs: &[Run],
    folder: &Path,
    output: Output,
) -> Result<Vec<ArtifactLine>, Failure> {
    let mut blobs = connect_blobs(at).await?;
    let mut lines: Vec<ArtifactLine> = Vec::new();
    let Some(sweep) = runs.first().map(|run| run.sweep.clone()) else { return Ok(lines) };
    let request = ListArtifactsRequest { sweep, numbers: Vec::new() };
    let mut artifacts = client.list_artifacts(request).await?.into_inner();
    while let Some(artifact) = artifacts.message().await? {
        let Some(run) = runs.iter().find(|run| run.number == artifact.number) else { continue };
        let inside = match attempt_of(&artifact.name) {
            Some(_) => run_folder(Path::new("logs"), run).join(&artifact.name),
            None => path(&run_folder(Path::new("pictures"), run), &artifact),
        };
        let file = folder.join(&inside);
        make_parent(&file)?;
        // Of an attempt's log only the newest part is whole.
        if attempt_of(&artifact.name).is_some() && file.exists() {
            std::fs::remove_file(&file).with_context(|| format!("cannot replace `{}`", file.display()))?;
            lines.retain(|line| line.file != inside);
        }
        let fetched = fetch(&mut blobs, (&artifact.sha256, artifact.bytes), &file).await;
        if note(fetched, output)?.is_some() {
            lines.push(ArtifactLine::new(&artifact, inside));
        }
    }
    for run in runs.iter().filter(|run| run.step > 0) {
        let inside = run_folder(Path::new("weights"), run).with_added_extension("safetensors");
        make_parent(&folder.join(&inside))?;
        let written = weights(client, &mut blobs, run, &folder.join(&inside)).await;
        if let Some(Some((step, attempt))) = note(written, output)? {
            let line = of_weights(run.number, (step, attempt), folder, inside)?;
            // The run may have left them itself.
            if lines.iter().all(|known| (known.run, known.step, &known.name) != (line.run, step, &line.name))
            {
                lines.push(line);
            }
        }
    }
    Ok(lines)
}

/// What is in a file of weights that an attempt had after a number of steps.
fn of_weights(
    number: u32,
    (step, attempt): (u64, u32),
    folder: &Path,
    inside: PathBuf,
) -> anyhow::Result<ArtifactLine> {
    let file = folder.join(&inside);
    let cannot_read = || format!("cannot read `{}`", file.display());
    let sha256 = digest(&file).with_context(cannot_read)?;
    let bytes = std::fs::metadata(&file).with_context(cannot_read)?.len();
    let name = WEIGHTS.to_owned();
    Ok(ArtifactLine::new(&Artifact { number, name, step, attempt, sha256, bytes, added_unix_ms: 0 }, inside))
}

fn make_parent(file: &Path) -> anyhow::Result<()> {
    let Some(parent) = file.parent() else { return Ok(()) };
    std::fs::create_dir_all(parent).with_context(|| format!("cannot make `{}`", parent.display()))
}

/// Notes that a file could not be had; that nobody answers is an error.
fn note<T>(fetched: Result<T, Failure>, output: Output) -> Result<Option<T>, Failure> {
    match fetched {
        Err(failure) if failure.is_no_answer() => Err(failure),
        Err(failure) => {
            let message = failure.message().unwrap_or_default();
            output.note(&format!("left out: {}", message.trim_start_matches("error: ")));
            Ok(None)
        }
        Ok(fetched) => Ok(Some(fetched)),
    }
}
