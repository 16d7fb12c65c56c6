//! `acai fetch`

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use acai_proto::v1::{Artifact, GetRunRequest, Run, RunState};
use anyhow::{Context, anyhow};
use safetensors::SafeTensors;

use super::artifacts::{of_run, path};
use super::logs::{attempt_of, last_of_each};
use crate::args::{FetchArguments, What};
use crate::client::{Blobs, Client, connect, connect_blobs};
use crate::download::{Fetched, fetch as download};
use crate::failure::Failure;
use crate::output::Output;

/// The name of weights, also among the files that runs leave.
pub(super) const WEIGHTS: &str = "weights.safetensors";
/// What the names of the optimizer's tensors begin with, in a checkpoint.
const OPTIMIZER: [&str; 2] = ["first_moment.", "second_moment."];

pub(super) async fn fetch(arguments: FetchArguments, output: Output) -> Result<(), Failure> {
    let (sweep, number) = &arguments.run;
    let folder = arguments.output.join(format!("{sweep}-{number}"));
    let files = match arguments.what {
        What::Pictures => pictures(&arguments, &folder).await?,
        What::Log => logs(&arguments, &folder).await?,
        What::Checkpoint => vec![checkpoint(&arguments, &folder).await?.0],
        What::Weights => match left_weights(&arguments, &folder).await? {
            files if files.is_empty() => vec![learnt(&arguments, &folder).await?],
            files => files,
        },
    };
    for file in files {
        output.data(&file.display().to_string())?;
    }
    Ok(())
}

/// The weights that a run without checkpoints has left, as one that was imported; none of other runs.
async fn left_weights(arguments: &FetchArguments, folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let (sweep, number) = arguments.run.clone();
    let mut client = connect(&arguments.at).await?;
    let details = client.get_run(GetRunRequest { sweep: sweep.clone(), number }).await?.into_inner();
    if !details.checkpoints.is_empty() {
        return Ok(Vec::new());
    }
    let artifacts = of_run(&mut client, &sweep, number).await?;
    // They come in the order of their steps.
    match artifacts.into_iter().rfind(|artifact| artifact.name == WEIGHTS) {
        Some(weights) => download_all(arguments, folder, vec![(folder.join(WEIGHTS), weights)]).await,
        None => Ok(Vec::new()),
    }
}

/// What the newest checkpoint's model has learnt.
async fn learnt(arguments: &FetchArguments, folder: &Path) -> Result<PathBuf, Failure> {
    let (checkpoint, fetched) = checkpoint(arguments, folder).await?;
    let weights = folder.join(WEIGHTS);
    strip(&checkpoint, &weights)?;
    if fetched == Fetched::New {
        fs::remove_file(&checkpoint).with_context(|| format!("cannot remove `{}`", checkpoint.display()))?;
    }
    Ok(weights)
}

/// Writes what the newest checkpoint's model of a run has learnt to `file`; answers its step and the attempt that made it, none
/// and no file if there is no checkpoint.
pub(super) async fn weights(
    client: &mut Client,
    blobs: &mut Blobs,
    run: &Run,
    file: &Path,
) -> Result<Option<(u64, u32)>, Failure> {
    let request = GetRunRequest { sweep: run.sweep.clone(), number: run.number };
    let details = client.get_run(request).await?.into_inner();
    let Some(newest) = details.checkpoints.into_iter().find(|checkpoint| checkpoint.rejected.is_empty())
    else {
        return Ok(None);
    };
    let whole = file.with_added_extension("checkpoint");
    download(blobs, (&newest.sha256, newest.bytes), &whole).await?;
    let stripped = strip(&whole, file);
    fs::remove_file(&whole).with_context(|| format!("cannot remove `{}`", whole.display()))?;
    stripped?;
    Ok(Some((newest.step, newest.attempt)))
}

/// The newest checkpoint that the run can be resumed from.
async fn checkpoint(arguments: &FetchArguments, folder: &Path) -> Result<(PathBuf, Fetched), Failure> {
    let (sweep, number) = arguments.run.clone();
    let mut client = connect(&arguments.at).await?;
    let details = client.get_run(GetRunRequest { sweep: sweep.clone(), number }).await?.into_inner();
    let newest = details.checkpoints.into_iter().find(|checkpoint| checkpoint.rejected.is_empty());
    let newest = newest.ok_or_else(|| {
        // One that was imported has ended without any.
        let is_completed = details.run.as_ref().is_some_and(|run| run.state() == RunState::Completed);
        match is_completed {
            true => anyhow!(
                "{sweep}/{number} has no checkpoint\nhint: --what weights fetches what a run that was imported has learnt"
            ),
            false => anyhow!(
                "{sweep}/{number} has no checkpoint yet\nhint: `acai show {sweep}/{number}` says how far it is"
            ),
        }
    })?;
    make(folder)?;
    let path = folder.join(format!("checkpoint-{:09}.safetensors", newest.step));
    let mut blobs = connect_blobs(&arguments.at).await?;
    let fetched = download(&mut blobs, (&newest.sha256, newest.bytes), &path).await?;
    Ok((path, fetched))
}

/// The pictures of the last step that has any.
async fn pictures(arguments: &FetchArguments, folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let (sweep, number) = &arguments.run;
    let mut artifacts = of_run(&mut connect(&arguments.at).await?, sweep, *number).await?;
    artifacts.retain(|artifact| attempt_of(&artifact.name).is_none());
    let last = artifacts.iter().map(|artifact| artifact.step).max();
    let last = last.ok_or_else(|| anyhow!("{sweep}/{number} has left no pictures yet"))?;
    artifacts.retain(|artifact| artifact.step == last);
    let files = artifacts.into_iter().map(|artifact| (path(folder, &artifact), artifact)).collect();
    download_all(arguments, folder, files).await
}

/// The last log of each attempt.
async fn logs(arguments: &FetchArguments, folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let (sweep, number) = &arguments.run;
    let logs = last_of_each(of_run(&mut connect(&arguments.at).await?, sweep, *number).await?);
    if logs.is_empty() {
        return Err(anyhow!(
            "{sweep}/{number} has left no log yet\nhint: `acai logs {sweep}/{number}` says why"
        )
        .into());
    }
    let files = logs.into_iter().map(|log| (folder.join(&log.artifact.name), log.artifact)).collect();
    download_all(arguments, folder, files).await
}

async fn download_all(
    arguments: &FetchArguments,
    folder: &Path,
    files: Vec<(PathBuf, Artifact)>,
) -> Result<Vec<PathBuf>, Failure> {
    make(folder)?;
    let mut blobs = connect_blobs(&arguments.at).await?;
    let mut paths = Vec::new();
    for (path, artifact) in files {
        download(&mut blobs, (&artifact.sha256, artifact.bytes), &path).await?;
        paths.push(path);
    }
    Ok(paths)
}

fn make(folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make `{}`", folder.display()))
}

/// Writes what the checkpoint's model has learnt, without the optimizer's state.
fn strip(checkpoint: &Path, weights: &Path) -> anyhow::Result<()> {
    let bytes = fs::read(checkpoint).with_context(|| format!("cannot read `{}`", checkpoint.display()))?;
    let is_no_checkpoint = || format!("`{}` is no safetensors file", checkpoint.display());
    let file = SafeTensors::deserialize(&bytes).with_context(is_no_checkpoint)?;
    let of_optimizer = |name: &str| OPTIMIZER.iter().any(|moment| name.starts_with(moment));
    let learnt = file.tensors().into_iter().filter(|(name, _)| !of_optimizer(name));
    // Readers of PyTorch's files look for this.
    let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    let cannot_write = || format!("cannot write `{}`", weights.display());
    safetensors::serialize_to_file(learnt, Some(metadata), weights).with_context(cannot_write)
}
