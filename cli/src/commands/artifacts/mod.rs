//! `acai artifacts`: the files that runs leave for people.

mod get;
mod ls;

use std::collections::BTreeMap;

use acai_proto::v1::{Artifact, ListArtifactsRequest, Selection};

pub(super) use get::path;

use super::control::selections;
use crate::args::{ArtifactsCommand, ChosenArtifacts, Step};
use crate::client::{Client, connect};
use crate::failure::Failure;
use crate::output::Output;

pub(super) async fn artifacts(command: ArtifactsCommand, output: Output) -> Result<(), Failure> {
    match command {
        ArtifactsCommand::Ls { chosen, step, json } => {
            let artifacts = list(&chosen, step).await?;
            ls::ls(&artifacts, json, output)
        }
        ArtifactsCommand::Get { chosen, step, output: folder, json } => {
            let artifacts = list(&chosen, step).await?;
            get::get(&chosen.at, &artifacts, &folder, json, output).await
        }
    }
}

/// An artifact of a run of a sweep.
struct Found {
    sweep: String,
    artifact: Artifact,
}

/// The artifacts that are meant, sweep by sweep in the order of runs, steps and names.
async fn list(chosen: &ChosenArtifacts, step: Step) -> Result<Vec<Found>, Failure> {
    let mut client = connect(&chosen.at).await?;
    let mut found = Vec::new();
    for Selection { sweep, numbers } in selections(chosen.targets.clone()) {
        let request = ListArtifactsRequest { sweep: sweep.clone(), numbers };
        let mut artifacts = client.list_artifacts(request).await?.into_inner();
        while let Some(artifact) = artifacts.message().await? {
            let is_named = chosen.names.is_empty() || chosen.names.contains(&artifact.name);
            if is_named && !matches!(step, Step::At(step) if artifact.step != step) {
                found.push(Found { sweep: sweep.clone(), artifact });
            }
        }
    }
    Ok(if step == Step::Last { last(found) } else { found })
}

/// All artifacts of a run, in the order of steps and names.
pub(super) async fn of_run(client: &mut Client, sweep: &str, number: u32) -> Result<Vec<Artifact>, Failure> {
    let request = ListArtifactsRequest { sweep: sweep.to_owned(), numbers: vec![number] };
    let mut stream = client.list_artifacts(request).await?.into_inner();
    let mut artifacts = Vec::new();
    while let Some(artifact) = stream.message().await? {
        artifacts.push(artifact);
    }
    Ok(artifacts)
}

/// Of each run and name the artifact of the last step.
fn last(found: Vec<Found>) -> Vec<Found> {
    let mut last = BTreeMap::new();
    for Found { sweep, artifact } in found {
        // They come in the order of their steps.
        last.insert((sweep, artifact.number, artifact.name.clone()), artifact);
    }
    last.into_iter().map(|((sweep, ..), artifact)| Found { sweep, artifact }).collect()
}
