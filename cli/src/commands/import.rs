//! `acai import`

use std::collections::HashMap;
use std::path::Path;

use acai_proto::v1::archive_service_client::ArchiveServiceClient;
use acai_proto::v1::import_sweep_request::Part;
use acai_proto::v1::{ImportSweepRequest, ImportedArtifact, ImportedCurve, ImportedRun, RunState};
use acai_sweep::spelling::counted;
use anyhow::Context;
use tonic::Code;

use super::export::{ARTIFACTS, ArtifactLine, FILE, POINTS, RUNS, RunLine};
use crate::args::ImportArguments;
use crate::client::{answering, connect_blobs, connection};
use crate::failure::Failure;
use crate::output::Output;
use crate::points_file::read;
use crate::upload::upload;

/// Points in a message: they take 16 bytes each at the most, and a message 2 MiB.
const POINTS_A_MESSAGE: usize = 50_000;

/// The curves of a run, by metric: steps and values.
type Curves = HashMap<String, (Vec<u64>, Vec<f64>)>;

pub(super) async fn import(arguments: ImportArguments, output: Output) -> Result<(), Failure> {
    let artifacts = artifacts(&arguments.folder)?;
    let parts = parts(&arguments.folder, &artifacts)?;
    let mut blobs = connect_blobs(&arguments.at).await?;
    for line in &artifacts {
        upload(&mut blobs, (&line.sha256, line.bytes), &arguments.folder.join(&line.file)).await?;
    }
    let mut client = ArchiveServiceClient::new(connection(&answering(&arguments.at).await?).await?);
    let messages = parts.into_iter().map(|part| ImportSweepRequest { part: Some(part) });
    let imported =
        client.import_sweep(tokio_stream::iter(messages)).await.map_err(|status| match status.code() {
            Code::Unimplemented => Failure::from(anyhow::anyhow!(
                "the coordinator is of an earlier release, which cannot import sweeps"
            )),
            _ => Failure::from(status),
        })?;
    let imported = imported.into_inner();
    let queued = imported.runs - imported.ended.min(imported.runs);
    let queued = if queued == 0 { String::new() } else { format!(", and {} queued", counted(queued, "run")) };
    let runs = counted(imported.ended, "run");
    let files = match imported.artifacts {
        0 => String::new(),
        files => format!(" and {}", counted(files, "file")),
    };
    output.data(&format!("{}: {runs} with {} points{files}{queued}", imported.sweep, imported.points))?;
    Ok(())
}

/// The text of one of the folder's files.
fn text(folder: &Path, name: &str) -> anyhow::Result<String> {
    let path = folder.join(name);
    std::fs::read_to_string(&path).with_context(|| {
        format!("cannot read `{}`\nhint: name a folder that `acai export` has made", path.display())
    })
}

/// The files that the folder has of runs which have ended; none where they were left out, or an earlier release wrote it.
fn artifacts(folder: &Path) -> anyhow::Result<Vec<ArtifactLine>> {
    if !folder.join(ARTIFACTS).exists() {
        return Ok(Vec::new());
    }
    let text = text(folder, ARTIFACTS)?;
    let lines = text.lines().enumerate();
    let line = |(number, line)| {
        ArtifactLine::parse(line).with_context(|| format!("{ARTIFACTS}, line {}", number + 1))
    };
    lines.map(line).collect()
}

/// What a folder has, as it is sent.
fn parts(folder: &Path, artifacts: &[ArtifactLine]) -> anyhow::Result<Vec<Part>> {
    let mut parts = vec![Part::Source(text(folder, FILE)?)];
    let mut files: HashMap<u32, Vec<&ArtifactLine>> = HashMap::new();
    for line in artifacts {
        files.entry(line.run).or_default().push(line);
    }
    let mut curves: HashMap<u32, Curves> = HashMap::new();
    for row in read(&folder.join(POINTS))? {
        let curve = curves.entry(row.run).or_default().entry(row.metric).or_default();
        curve.0.push(row.step);
        curve.1.push(row.value);
    }
    for (number, line) in text(folder, RUNS)?.lines().enumerate() {
        let run = RunLine::parse(line).with_context(|| format!("{RUNS}, line {}", number + 1))?;
        let state: acai_sweep::run::RunState =
            run.state.parse().with_context(|| format!("{RUNS}, line {}", number + 1))?;
        if state.is_terminal() {
            let of_run = curves.remove(&run.number).unwrap_or_default();
            let files = files.remove(&run.number).unwrap_or_default();
            parts.push(Part::Run(message(run, state.into())));
            parts.extend(files.into_iter().map(artifact));
            parts.extend(of_run.into_iter().flat_map(|(metric, curve)| curve_parts(&metric, &curve)));
        }
    }
    Ok(parts)
}

fn artifact(line: &ArtifactLine) -> Part {
    Part::Artifact(ImportedArtifact {
        name: line.name.clone(),
        step: line.step,
        sha256: line.sha256.clone(),
        bytes: line.bytes,
        attempt: line.attempt,
    })
}

fn message(run: RunLine, state: RunState) -> ImportedRun {
    let RunLine { config_hash, seed, step, failures, message, .. } = run;
    ImportedRun { config_hash, seed, state: state.into(), step, failures, message }
}

/// A curve in as many messages as it takes.
fn curve_parts(metric: &str, (steps, values): &(Vec<u64>, Vec<f64>)) -> Vec<Part> {
    let chunks = steps.chunks(POINTS_A_MESSAGE).zip(values.chunks(POINTS_A_MESSAGE));
    let part = |(steps, values): (&[u64], &[f64])| {
        Part::Curve(ImportedCurve {
            metric: metric.to_owned(),
            steps: steps.to_vec(),
            values: values.to_vec(),
        })
    };
    chunks.map(part).collect()
}
