//! `ArchiveService`: sweeps that come from elsewhere. A stream has no deadline as long as its next message comes in time.

use std::time::Duration;

use acai_proto::convert::{FieldError, run_state};
use acai_proto::v1::import_sweep_request::Part;
use acai_proto::v1::{self, archive_service_server::ArchiveService};
use tokio::time::timeout;
use tonic::{Request, Response, Status, Streaming};

use crate::store::ImportedRun;
use crate::use_cases::UseCases;

/// Points that a sweep may come with, since all of them are in memory before they are stored.
const POINTS: u64 = 50_000_000;

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
    points: u64,
}

#[tonic::async_trait]
impl ArchiveService for Archives {
    async fn import_sweep(
        &self,
        request: Request<Streaming<v1::ImportSweepRequest>>,
    ) -> Result<Response<v1::ImportSweepResponse>, Status> {
        let mut messages = request.into_inner();
        let mut arriving = Arriving::default();
        let late = |_| Status::deadline_exceeded("the next part of the sweep did not come");
        while let Some(message) = timeout(self.patience, messages.message()).await.map_err(late)?? {
            arriving.take(message.part.ok_or(FieldError::new("part", "is missing"))?)?;
        }
        let Arriving { source, runs, points } = arriving;
        let source = source.ok_or(FieldError::new("source", "is missing"))?;
        let ended = runs.len();
        let imported = self.use_cases.import(source, runs).await?;
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        tracing::info!(sweep = imported.sweep, runs = ended, points, "sweep imported");
        Ok(Response::new(v1::ImportSweepResponse {
            sweep: imported.sweep,
            runs: count(imported.runs),
            ended: count(ended),
            points,
        }))
    }
}

impl Arriving {
    fn take(&mut self, part: Part) -> Result<(), FieldError> {
        match part {
            Part::Source(source) => self.source = Some(source),
            Part::Run(run) => {
                let v1::ImportedRun { config_hash, seed, state, step, failures, message } = run;
                let (state, message) =
                    (run_state("run.state", state)?, Some(message).filter(|it| !it.is_empty()));
                let curves = Vec::new();
                self.runs.push(ImportedRun { config_hash, seed, state, step, failures, message, curves });
            }
            Part::Curve(v1::ImportedCurve { metric, steps, values }) => {
                let run = self.runs.last_mut().ok_or(FieldError::new("curve", "comes before a run"))?;
                if steps.len() != values.len() {
                    return Err(FieldError::new("curve.values", "are not as many as its steps"));
                }
                self.points += steps.len() as u64;
                if self.points > POINTS {
                    return Err(FieldError::new(
                        "curve",
                        format!("is one too many: a sweep comes with {POINTS} points at most"),
                    ));
                }
                run.curves.push((metric, steps.into_iter().zip(values).collect()));
            }
        }
        Ok(())
    }
}
