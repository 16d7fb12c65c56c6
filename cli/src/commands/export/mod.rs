//! `acai export`: everything of a sweep, in a folder that needs no server.

mod artifact_line;
mod files;
mod readme;
mod run_line;

use std::fs;
use std::path::Path;

use acai_proto::v1::{Curve, GetSweepRequest, ListPointsRequest, ListRunsRequest, Run};
use acai_sweep::spelling::counted;
use anyhow::{Context, ensure};

use super::metrics::{Curves, names};
use super::results::table;
use super::runs::list;
use crate::args::{ExportArguments, TableArguments, TableFormat};
use crate::client::{Client, connect};
use crate::failure::Failure;
use crate::format::state;
use crate::output::Output;
use crate::points_file::{PointsWriter, Row};

pub(super) use artifact_line::ArtifactLine;
pub(super) use run_line::RunLine;

/// The sweep file.
pub(super) const FILE: &str = "sweep.yaml";
/// Its runs, one a line.
pub(super) const RUNS: &str = "runs.jsonl";
/// Every point of every metric.
pub(super) const POINTS: &str = "points.parquet";
/// What is in the files that runs have left, one a line.
pub(super) const ARTIFACTS: &str = "artifacts.jsonl";
/// The tables of results, by format.
const TABLES: [(&str, TableFormat); 4] = [
    ("results.txt", TableFormat::Table),
    ("results.csv", TableFormat::Csv),
    ("results.md", TableFormat::Markdown),
    ("results.tex", TableFormat::Latex),
];

pub(super) async fn export(arguments: ExportArguments, output: Output) -> Result<(), Failure> {
    let ExportArguments { sweep, output: folder, no_files, at } = arguments;
    let mut client = connect(&at).await?;
    let request = GetSweepRequest { sweep: sweep.clone() };
    let source = client.get_sweep(request).await?.into_inner().source;
    make(&folder)?;
    write(&folder, FILE, &source)?;
    let request = ListRunsRequest { sweep: sweep.clone(), ..ListRunsRequest::default() };
    let runs = list(&mut client, request).await?;
    let lines = runs.iter().map(RunLine::text).collect::<anyhow::Result<Vec<_>>>()?;
    write(&folder, RUNS, &(lines.join("\n") + "\n"))?;
    let points = points(&mut client, &sweep, &folder.join(POINTS)).await?;
    for (name, format) in TABLES {
        let sweeps = [sweep.clone()];
        let (text, _) = table(&mut client, &sweeps, &TableArguments::in_format(format), output).await?;
        write(&folder, name, &format!("{}\n", text.trim_end()))?;
    }
    if !no_files {
        let files = files::export(&mut client, &at, &runs, &folder, output).await?;
        let lines = files.iter().map(|file| Ok(file.text()? + "\n")).collect::<anyhow::Result<String>>()?;
        write(&folder, ARTIFACTS, &lines)?;
    }
    // What is complete has this file.
    write(&folder, "README.md", &readme::text(&sweep, &runs, points, no_files))?;
    let runs = counted(runs.len() as u64, "run");
    output.note(&format!("{sweep}: {runs} and {points} points in {}", folder.display()));
    Ok(())
}

/// Makes a folder that is not there, or takes one that is empty.
fn make(folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
    let is_empty = fs::read_dir(folder).map(|mut entries| entries.next().is_none());
    ensure!(
        is_empty.with_context(|| format!("cannot read `{}`", folder.display()))?,
        "`{}` is not empty\nhint: name a folder that is not there with -o",
        folder.display()
    );
    Ok(())
}

fn write(folder: &Path, name: &str, text: &str) -> anyhow::Result<()> {
    let path = folder.join(name);
    fs::write(&path, text).with_context(|| format!("cannot write `{}`", path.display()))
}

/// Writes every point of the sweep's runs; answers how many there are.
async fn points(client: &mut Client, sweep: &str, path: &Path) -> Result<u64, Failure> {
    let mut writer = PointsWriter::create(path)?;
    let mut points = 0;
    for metric in names(client, sweep).await? {
        let request = ListPointsRequest {
            sweep: sweep.to_owned(),
            metric: metric.clone(),
            ..ListPointsRequest::default()
        };
        let mut curves = Curves(client.list_points(request).await?.into_inner());
        while let Some(curve) = curves.next().await? {
            points += curve.steps.len() as u64;
            add_curve(&mut writer, (sweep, &metric), &curve)?;
        }
    }
    writer.finish()?;
    Ok(points)
}

/// Adds a run's curve to a file of points.
pub(super) fn add_curve(
    writer: &mut PointsWriter,
    (sweep, metric): (&str, &str),
    curve: &Curve,
) -> anyhow::Result<()> {
    for (&step, &value) in curve.steps.iter().zip(&curve.values) {
        writer.add(Row {
            sweep: sweep.to_owned(),
            run: curve.number,
            seed: curve.seed,
            state: state(curve.state),
            metric: metric.to_owned(),
            step,
            value,
        })?;
    }
    Ok(())
}

/// A run's folder among the files of a sweep.
fn run_folder(folder: &Path, run: &Run) -> std::path::PathBuf {
    folder.join(format!("{}-{}", run.sweep, run.number))
}
