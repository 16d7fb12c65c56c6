//! `ArchiveService`: sweeps that come from elsewhere. A stream has no deadline as long as its next message comes in time.

use std::time::Duration;

use acai_proto::convert::{FieldError, run_state};
use acai_proto::v1::import_sweep_request::Part;
use acai_proto::v1::{self, archive_service_server::ArchiveService};
use tokio::time::timeout;
use tonic::{Request, Response, Status, Streaming};

use super::fields::{cut, file_name, name, sha256, step};
use crate::guard::submitter;
use crate::store::{Artifact, ImportedRun};
use crate::use_cases::UseCases;

/// Runs and points that a sweep may come with, since all of them are in memory before they are stored, and are stored in one
/// transaction, which other writers wait for: some ten seconds.
const RUNS: usize = 100_000;
const POINTS: usize = 2_000_000;
/// And files, of which only what they are is in memory.
const ARTIFACTS: usize = 100_000;

pub(crate) struct Archives {
    pub(crate) use_cases: UseCases,
    /// The other side has this long to send the next message.
    pub(crate) patience: Duration,
}

/// What has come of a sweep.
#[derive(Default)]
struct Arriving {
    source: Option<String>,
    runs: Vec<ImportedRun>,
    points: usize,
    artifacts: usize,
}

#[tonic::async_trait]
impl ArchiveService for Archives {
    async fn import_sweep(
        &self,
        request: Request<Streaming<v1::ImportSweepRequest>>,
    ) -> Result<Response<v1::ImportSweepResponse>, Status> {
        let use_cases = self.use_cases.on_behalf_of(submitter(&request));
        let mut messages = request.into_inner();
        let mut arriving = Arriving::default();
        let late = |_| Status::deadline_exceeded("the next part of the sweep did not come");
        while let Some(message) = timeout(self.patience, messages.message()).await.map_err(late)?? {
            arriving.take(message.part.ok_or(FieldError::new("part", "is missing"))?)?;
        }
        let Arriving { source, runs, points, artifacts } = arriving;
        let source = source.ok_or(FieldError::new("source", "is missing"))?;
        let ended = runs.len();
        let imported = use_cases.import(source, runs).await?;
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        tracing::info!(sweep = imported.sweep, runs = ended, points, "sweep imported");
        Ok(Response::new(v1::ImportSweepResponse {
            sweep: imported.sweep,
            runs: count(imported.runs),
            ended: count(ended),
            points: points as u64,
            artifacts: count(artifacts),
        }))
    }
}

impl Arriving {
    fn take(&mut self, part: Part) -> Result<(), FieldError> {
        match part {
            Part::Source(source) => self.source = Some(source),
            Part::Run(_) if self.runs.len() == RUNS => {
                return Err(FieldError::new(
                    "run",
                    format!("is one too many: a sweep comes with {RUNS} at most"),
                ));
            }
            Part::Run(run) => self.runs.push(ended(run)?),
            Part::Curve(curve) => {
                self.points += curve.steps.len();
                if self.points > POINTS {
                    let problem = format!("has points too many: a sweep comes with {POINTS} at most");
                    return Err(FieldError::new("curve", problem));
                }
                let run = self.runs.last_mut().ok_or(FieldError::new("curve", "comes before a run"))?;
                run.curves.push(points(curve)?);
            }
            Part::Artifact(artifact) => {
                self.artifacts += 1;
                if self.artifacts > ARTIFACTS {
                    let problem = format!("is one too many: a sweep comes with {ARTIFACTS} at most");
                    return Err(FieldError::new("artifact", problem));
                }
                let run = self.runs.last_mut().ok_or(FieldError::new("artifact", "comes before a run"))?;
                run.artifacts.push(file(artifact)?);
            }
        }
        Ok(())
    }
}

/// What a run has come to.
fn ended(run: v1::ImportedRun) -> Result<ImportedRun, FieldError> {
    Ok(ImportedRun {
        config_hash: sha256("run.config_hash", run.config_hash)?,
        seed: run.seed,
        state: run_state("run.state", run.state)?,
        step: step("run.step", run.step)?,
        failures: run.failures,
        message: Some(cut(run.message)).filter(|message| !message.is_empty()),
        curves: Vec::new(),
        artifacts: Vec::new(),
    })
}

/// A file, and the attempt that brought it.
fn file(artifact: v1::ImportedArtifact) -> Result<(Artifact, u32), FieldError> {
    let v1::ImportedArtifact { name, step: at, sha256: digest, bytes, attempt } = artifact;
    let name = file_name("artifact.name", name)?;
    let artifact = Artifact {
        name,
        step: step("artifact.step", at)?,
        sha256: sha256("artifact.sha256", digest)?,
        bytes,
    };
    Ok((artifact, attempt))
}

/// The points of a metric.
fn points(curve: v1::ImportedCurve) -> Result<(String, Vec<(u64, f64)>), FieldError> {
    let v1::ImportedCurve { metric, steps, values } = curve;
    if steps.len() != values.len() {
        return Err(FieldError::new("curve.values", "are not as many as its steps"));
    }
    let steps = steps.into_iter().map(|at| step("curve.steps", at)).collect::<Result<Vec<_>, _>>()?;
    Ok((name("curve.metric", metric)?, steps.into_iter().zip(values).collect()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn run() -> v1::ImportedRun {
        let state = v1::RunState::Completed.into();
        v1::ImportedRun { config_hash: "0".repeat(64), state, step: 1, ..v1::ImportedRun::default() }
    }

    fn picture() -> v1::ImportedArtifact {
        let (name, sha256) = ("a.png".to_owned(), "0".repeat(64));
        v1::ImportedArtifact { name, sha256, step: 1, ..v1::ImportedArtifact::default() }
    }

    fn curve(metric: &str, steps: Vec<u64>) -> v1::ImportedCurve {
        let values = vec![0.5; steps.len()];
        v1::ImportedCurve { metric: metric.to_owned(), steps, values }
    }

    #[test]
    fn what_the_store_could_not_read_back_is_refused_with_the_field() {
        let mut arriving = Arriving::default();
        let refused = |part, arriving: &mut Arriving| arriving.take(part).unwrap_err().to_string();
        let early = refused(Part::Curve(curve("a", vec![1])), &mut arriving);
        assert!(early.contains("before a run"), "{early}");
        arriving.take(Part::Run(run())).unwrap();
        arriving.take(Part::Curve(curve("a", vec![1, 2]))).unwrap();
        let short = v1::ImportedCurve { values: Vec::new(), ..curve("a", vec![1]) };
        for (part, field) in [
            (Part::Curve(curve("", vec![1])), "curve.metric"),
            (Part::Curve(curve("a\0", vec![1])), "curve.metric"),
            (Part::Curve(curve("a", vec![u64::MAX])), "curve.steps"),
            (Part::Curve(short), "curve.values"),
            (Part::Curve(curve("a", vec![1; POINTS])), "curve"),
            (Part::Run(v1::ImportedRun { step: u64::MAX, ..run() }), "run.step"),
            (Part::Run(v1::ImportedRun { config_hash: "x".to_owned(), ..run() }), "run.config_hash"),
            (Part::Run(v1::ImportedRun { state: 0, ..run() }), "run.state"),
            (Part::Artifact(v1::ImportedArtifact { name: "../a".to_owned(), ..picture() }), "artifact.name"),
            (Part::Artifact(v1::ImportedArtifact { sha256: "x".to_owned(), ..picture() }), "artifact.sha256"),
            (Part::Artifact(v1::ImportedArtifact { step: u64::MAX, ..picture() }), "artifact.step"),
        ] {
            let refusal = refused(part, &mut arriving);
            assert!(refusal.contains(&format!("`{field}`")), "{refusal}");
        }
        assert_eq!((arriving.runs.len(), arriving.runs[0].curves.len()), (1, 1));
    }
}
