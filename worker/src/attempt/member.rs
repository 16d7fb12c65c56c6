//! One run of a group that is being trained.

use std::path::{Path, PathBuf};

use acai_proto::v1::{Attempt, Point};
use acai_sweep::trainer_protocol::{Event, FailureKind};
use tracing::Span;

use super::ending::Ending;
use super::machine_fault::MachineFault;
use crate::artifacts::Artifacts;
use crate::machine::disk::on_disk;
use crate::machine::durable::flush;
use crate::metrics::TrainedImages;
use crate::reporting::Reporter;
use crate::run_folder::Checkpoint;
use crate::run_folder::RunFolder;
use crate::spool::OwnFault;
use crate::trainer::Breakdown;

/// An attempt that a trainer works on.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) attempt: Attempt,
    pub(crate) folder: RunFolder,
    pub(crate) reporter: Reporter,
    pub(crate) artifacts: Artifacts,
    /// What training continues from.
    pub(crate) resume: Option<Checkpoint>,
    pub(crate) images: TrainedImages,
    /// What is logged of the run belongs to this.
    pub(crate) span: Span,
}

impl Member {
    /// Takes in an event about this run; returns how the attempt ends if the event was the run's last.
    pub(crate) async fn on_event(&self, event: Event) -> Result<Option<Ending>, Breakdown> {
        match event {
            Event::Ready { .. } => {}
            Event::Metric { step, values, .. } | Event::Evaluated { step, values, .. } => {
                self.progress(step);
                let point = |(name, value)| Point { name, step, value };
                self.reporter.points(values.into_iter().map(point));
            }
            Event::Progress { step, .. } | Event::Working { step, .. } => self.progress(step),
            Event::Checkpoint { step, path, .. } => {
                let is_kept = match self.holds("checkpoint", &path).await? {
                    Ok(()) => self.flush(&path).await,
                    Err(fault) => Err(fault),
                };
                match is_kept {
                    Ok(()) => self.reporter.checkpoint(Checkpoint { step, file: path }),
                    Err(fault) => return Ok(Some(Ending::MachineFault(fault))),
                }
            }
            Event::Artifact { step, path, .. } => match self.holds("artifact", &path).await? {
                Ok(()) => self.keep_artifact(path, step).await,
                Err(fault) => return Ok(Some(Ending::MachineFault(fault))),
            },
            Event::Finished { step, .. } => {
                self.images.reached(step);
                return Ok(Some(Ending::Completed { step }));
            }
            Event::Stopped { .. } => return Ok(Some(Ending::Released)),
            Event::Failed { kind, message, .. } => return Ok(Some(self.failed(kind, message))),
        }
        Ok(None)
    }

    /// Brings a checkpoint to the disk before anything names it: not every trainer does that, and after a power cut this machine would
    /// go on from half a file, and hand it over.
    async fn flush(&self, path: &Path) -> Result<(), MachineFault> {
        let file = path.to_owned();
        on_disk(move || flush(&file)).await.map_err(|error| MachineFault::State {
            path: self.folder.attempt().to_owned(),
            reason: format!("cannot flush the checkpoint `{}`: {error}", path.display()),
        })
    }

    /// Has an artifact uploaded. A lost picture is no reason to lose the run.
    async fn keep_artifact(&self, path: PathBuf, step: u64) {
        let (folder, attempt, file) = (self.folder.clone(), self.attempt, path.clone());
        match on_disk(move || folder.keep_artifact(&file, attempt, step)).await {
            Ok(artifact) => self.artifacts.upload(artifact),
            Err(error) => tracing::warn!("cannot keep `{}`: {error}", path.display()),
        }
    }

    fn progress(&self, step: u64) {
        self.images.reached(step);
        self.reporter.progress(step);
    }

    /// How the attempt ends after a failure of this kind: that depends on whose fault it is.
    fn failed(&self, kind: FailureKind, message: String) -> Ending {
        match kind {
            FailureKind::Checkpoint if self.resume.is_some() => Ending::CheckpointRefused { message },
            FailureKind::Machine => Ending::MachineFault(MachineFault::Trainer(message)),
            FailureKind::Diverged => Ending::Failed { kind: OwnFault::Diverged, message },
            FailureKind::Checkpoint | FailureKind::Error => Ending::Failed { kind: OwnFault::Error, message },
        }
    }

    /// Checks that a file which the trainer named is in the attempt's folder. A trainer that names a file elsewhere
    /// breaks the protocol; that this machine cannot look is not the trainer's fault.
    async fn holds(&self, what: &str, path: &Path) -> Result<Result<(), MachineFault>, Breakdown> {
        let (folder, file) = (self.folder.clone(), path.to_owned());
        match on_disk(move || folder.holds(&file)).await {
            Ok(true) => Ok(Ok(())),
            Ok(false) => {
                let path = path.display();
                Err(Breakdown::Protocol(format!("the {what} `{path}` is not in the folder of its run")))
            }
            Err(error) => Ok(Err(MachineFault::State {
                path: self.folder.attempt().to_owned(),
                reason: format!("cannot look at the {what} `{}`: {error}", path.display()),
            })),
        }
    }
}
