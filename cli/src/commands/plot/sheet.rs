//! `acai plot sheet`

use std::collections::{BTreeMap, HashMap};

use acai_plot::{ContactSheet, Picture};
use acai_proto::convert::scalar;
use acai_proto::v1::{Artifact, ListArtifactsRequest, ListRunsRequest, Run};
use acai_sweep::parameters::Parameter;
use acai_sweep::scalar::Scalar;
use anyhow::{anyhow, bail};

use super::super::runs::{Listed, filter, list};
use super::{axes, file, open, parameter as named, too_few, varied, width};
use crate::args::FigureArguments;
use crate::client::{Client, connect_blobs};
use crate::download::bytes;
use crate::failure::Failure;
use crate::output::Output;

/// What becomes of a sweep that varies one parameter.
const ONE_ROW: &str = "one that is the same in all runs, like `--y model`, makes a sheet of one row";

/// Which pictures are laid out.
pub(super) struct Chosen {
    pub(super) x: Option<String>,
    pub(super) y: Option<String>,
    pub(super) seed: Option<u64>,
    pub(super) name: String,
}

pub(super) async fn draw(figure: &FigureArguments, chosen: Chosen, output: Output) -> Result<(), Failure> {
    let mut client = open(figure).await?;
    let (x, y) = match (chosen.x, chosen.y) {
        (Some(x), Some(y)) => (x, y),
        (x, y) => {
            let varied = varied(&mut client, figure).await?;
            axes(x, y, &varied).ok_or_else(|| too_few(&varied, "a sheet", ONE_ROW))?
        }
    };
    let mut blobs = connect_blobs(&figure.from).await?;
    let mut by_dataset: BTreeMap<String, Vec<Picture>> = BTreeMap::new();
    for sweep in &figure.sweeps {
        let runs = runs(&mut client, figure, sweep, chosen.seed).await?;
        let artifacts = last_artifacts(&mut client, sweep, &chosen.name).await?;
        let (across, down) = (values(&runs, &x), values(&runs, &y));
        for run in &runs {
            let Some(artifact) = artifacts.get(&run.number) else { continue };
            let png = bytes(&mut blobs, (&artifact.sha256, artifact.bytes)).await?;
            let pictures = by_dataset.entry(dataset(run)).or_default();
            for x in cells(run, &x, &across) {
                for y in cells(run, &y, &down) {
                    let label = format!("{}/{}, step {}", run.sweep, run.number, artifact.step);
                    pictures.push(Picture { x: x.clone(), y, png: png.clone(), label });
                }
            }
        }
    }
    if by_dataset.is_empty() {
        let sweeps = figure.sweeps.join(" ");
        return Err(anyhow!(
            "no run has a picture `{}`\nhint: `acai artifacts ls {sweeps}` lists what there is",
            chosen.name
        )
        .into());
    }
    let sheet = |pictures| ContactSheet {
        title: figure.title.clone(),
        x: named(&x),
        y: named(&y),
        pictures,
        width: width(figure),
    };
    let figures: Vec<(String, String)> =
        by_dataset.into_iter().map(|(dataset, pictures)| (dataset, sheet(pictures).to_svg())).collect();
    Ok(file::write(figure, &figures, output)?)
}

/// The runs of one seed, the smallest if none is asked for, that the figure is about.
async fn runs(
    client: &mut Client,
    figure: &FigureArguments,
    sweep: &str,
    seed: Option<u64>,
) -> Result<Vec<Run>, Failure> {
    let request = ListRunsRequest { sweep: sweep.to_owned(), ..ListRunsRequest::default() };
    let mut runs: Vec<Listed> = list(client, request).await?.into_iter().map(Listed::new).collect();
    if let Some(text) = &figure.filter {
        filter(&mut runs, text)?;
    }
    let mut runs: Vec<Run> = runs.into_iter().map(|listed| listed.run).collect();
    if let Some(wanted) = &figure.dataset {
        runs.retain(|run| dataset(run) == *wanted);
    }
    let seed = seed.or(runs.iter().map(|run| run.seed).min());
    runs.retain(|run| Some(run.seed) == seed);
    if runs.is_empty() {
        bail_no_runs(sweep, seed)?;
    }
    Ok(runs)
}

fn bail_no_runs(sweep: &str, seed: Option<u64>) -> anyhow::Result<()> {
    match seed {
        Some(seed) => bail!("{sweep} has no such run of seed {seed}\nhint: `acai runs {sweep}` lists them"),
        None => bail!("{sweep} has no such run\nhint: `acai runs {sweep}` lists them"),
    }
}

/// The picture of this name of each run, of its last step.
async fn last_artifacts(
    client: &mut Client,
    sweep: &str,
    name: &str,
) -> Result<HashMap<u32, Artifact>, Failure> {
    let request = ListArtifactsRequest { sweep: sweep.to_owned(), numbers: Vec::new() };
    let mut stream = client.list_artifacts(request).await?.into_inner();
    let mut last: HashMap<u32, Artifact> = HashMap::new();
    while let Some(artifact) = stream.message().await? {
        if artifact.name == name {
            // They come in the order of their steps.
            last.insert(artifact.number, artifact);
        }
    }
    Ok(last)
}

fn value(run: &Run, name: &str) -> Option<Scalar> {
    scalar(run.configuration.iter().find(|parameter| parameter.name == name)?).ok()
}

fn dataset(run: &Run) -> String {
    value(run, "dataset").map(|dataset| dataset.to_string()).unwrap_or_default()
}

/// The values that runs have of a parameter.
fn values(runs: &[Run], name: &str) -> Vec<Scalar> {
    let mut values: Vec<Scalar> = Vec::new();
    for value in runs.iter().filter_map(|run| value(run, name)) {
        if !values.contains(&value) {
            values.push(value);
        }
    }
    values
}

/// Where a run stands: at its value, or at all of them where the parameter has no effect on it.
fn cells(run: &Run, name: &str, all: &[Scalar]) -> Vec<Scalar> {
    let needed = Parameter::find(name).ok().and_then(|parameter| parameter.needs);
    let is_idle = needed
        .and_then(|needed| value(run, needed))
        .is_some_and(|value| matches!(value, Scalar::Int(0)) || value == Scalar::Float(0.0));
    if is_idle { all.to_vec() } else { value(run, name).into_iter().collect() }
}
