//! `acai import`

use std::collections::HashMap;
use std::path::Path;

use acai_proto::v1::archive_service_client::ArchiveServiceClient;
use acai_proto::v1::import_sweep_request::Part;
use acai_proto::v1::{ImportSweepRequest, ImportedCurve, ImportedRun, RunState};
use acai_sweep::spelling::counted;
use anyhow::Context;
use tonic::Code;

use super::export::{FILE, POINTS, RUNS, RunLine};
use crate::args::ImportArguments;
use crate::client::{answering, connection};
use crate::failure::Failure;
use crate::output::Output;
use crate::points_file::read;

/// Points in a message: they take 16 bytes each at the most, and a message 2 MiB.
const POINTS_A_MESSAGE: usize = 50_000;

/// The curves of a run, by metric: steps and values.
type Curves = HashMap<String, (Vec<u64>, Vec<f64>)>;

pub(super) async fn import(arguments: ImportArguments, output: Output) -> Result<(), Failure> {
    let parts = parts(&arguments.folder)?;
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
    output.data(&format!("{}: {runs} with {} points{queued}", imported.sweep, imported.points))?;
    Ok(())
}

/// What a folder has, as it is sent.
fn parts(folder: &Path) -> anyhow::Result<Vec<Part>> {
    let text = |name: &str| {
        let path = folder.join(name);
        std::fs::read_to_string(&path).with_context(|| {
            format!("cannot read `{}`\nhint: name a folder that `acai export` has made", path.display())
        })
    };
    let mut parts = vec![Part::Source(text(FILE)?)];
    let mut curves: HashMap<u32, Curves> = HashMap::new();
    for row in read(&folder.join(POINTS))? {
        let curve = curves.entry(row.run).or_default().entry(row.metric).or_default();
        curve.0.push(row.step);
        curve.1.push(row.value);
    }
    for (number, line) in text(RUNS)?.lines().enumerate() {
        let run = RunLine::parse(line).with_context(|| format!("{RUNS}, line {}", number + 1))?;
        let state: acai_sweep::run::RunState =
            run.state.parse().with_context(|| format!("{RUNS}, line {}", number + 1))?;
        if state.is_terminal() {
            let of_run = curves.remove(&run.number).unwrap_or_default();
            parts.push(Part::Run(message(run, state.into())));
            parts.extend(of_run.into_iter().flat_map(|(metric, curve)| curve_parts(&metric, &curve)));
        }
    }
    Ok(parts)
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
