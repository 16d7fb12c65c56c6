//! One run of a group that is being trained.

use std::path::Path;

use acai_proto::v1::{Attempt, Point};
use acai_sweep::trainer_protocol::{Event, FailureKind};

use crate::attempt::machine_fault::MachineFault;
use crate::reporting::Reporter;
use crate::run_folder::Checkpoint;
use crate::run_folder::RunFolder;
use crate::spool::{FinalWord, OwnFault};
use crate::trainer::process::Breakdown;

/// An attempt whose trainer works on it.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) attempt: Attempt,
    pub(crate) folder: RunFolder,
    pub(crate) reporter: Reporter,
    /// What training continues from.
    pub(crate) resume: Option<Checkpoint>,
}

/// How an attempt ends, for the coordinator.
#[derive(Debug)]
pub(crate) enum Ending {
    /// All steps are trained.
    Completed { step: u64 },
    /// By the run's own fault.
    Failed { kind: OwnFault, message: String },
    /// The checkpoint to continue from is damaged, or of something else. Not the run's fault, as long as
    /// that checkpoint is not used again.
    CheckpointRefused { message: String },
    /// Not the run's fault: this machine cannot train it.
    MachineFault(MachineFault),
    /// The trainer broke down with several runs, by the fault of nobody knows which.
    GroupFault { message: String },
    /// Handed back, blameless.
    Released,
}

impl Ending {
    /// What the spool keeps of it. Without a final word the attempt is handed back by whoever finds it.
    pub(crate) fn final_word(&self) -> Option<FinalWord> {
        match self {
            Self::Completed { step } => Some(FinalWord::Finished { step: *step }),
            Self::Failed { kind, message } => {
                Some(FinalWord::Failed { kind: *kind, message: message.clone() })
            }
            Self::CheckpointRefused { .. }
            | Self::MachineFault(_)
            | Self::GroupFault { .. }
            | Self::Released => None,
        }
    }
}

impl From<Option<FinalWord>> for Ending {
    fn from(word: Option<FinalWord>) -> Self {
        match word {
            Some(FinalWord::Finished { step }) => Self::Completed { step },
            Some(FinalWord::Failed { kind, message }) => Self::Failed { kind, message },
            None => Self::Released,
        }
    }
}

/// The run an event is about; none for `ready`.
pub(crate) fn run_of(event: &Event) -> Option<u64> {
    match event {
        Event::Ready { .. } => None,
        Event::Metric { run, .. }
        | Event::Evaluated { run, .. }
        | Event::Progress { run, .. }
        | Event::Working { run, .. }
        | Event::Checkpoint { run, .. }
        | Event::Artifact { run, .. }
        | Event::Finished { run, .. }
        | Event::Stopped { run, .. }
        | Event::Failed { run, .. } => Some(*run),
    }
}

impl Member {
    /// Takes in an event about this run, and says how the attempt ends if it was the last.
    pub(crate) fn on_event(&self, event: Event) -> Result<Option<Ending>, Breakdown> {
        match event {
            Event::Ready { .. } => {}
            Event::Metric { step, values, .. } | Event::Evaluated { step, values, .. } => {
                self.reporter.progress(step);
                let point = |(name, value)| Point { name, step, value };
                self.reporter.points(values.into_iter().map(point));
            }
            Event::Progress { step, .. } | Event::Working { step, .. } => self.reporter.progress(step),
            Event::Checkpoint { step, path, .. } => match self.holds("checkpoint", &path)? {
                Ok(()) => self.reporter.checkpoint(Checkpoint { step, file: path }),
                Err(fault) => return Ok(Some(Ending::MachineFault(fault))),
            },
            Event::Artifact { path, .. } => match self.holds("artifact", &path)? {
                // A picture less is no reason to lose the run.
                Ok(()) => {
                    if let Err(error) = self.folder.keep_artifact(&path) {
                        tracing::warn!("cannot keep `{}`: {error}", path.display());
                    }
                }
                Err(fault) => return Ok(Some(Ending::MachineFault(fault))),
            },
            Event::Finished { step, .. } => return Ok(Some(Ending::Completed { step })),
            Event::Stopped { .. } => return Ok(Some(Ending::Released)),
            Event::Failed { kind, message, .. } => return Ok(Some(self.failed(kind, message))),
        }
        Ok(None)
    }

    /// Whose fault it is.
    fn failed(&self, kind: FailureKind, message: String) -> Ending {
        match kind {
            FailureKind::Checkpoint if self.resume.is_some() => Ending::CheckpointRefused { message },
            FailureKind::Machine => Ending::MachineFault(MachineFault::Trainer(message)),
            FailureKind::Diverged => Ending::Failed { kind: OwnFault::Diverged, message },
            FailureKind::Checkpoint | FailureKind::Error => Ending::Failed { kind: OwnFault::Error, message },
        }
    }

    /// A trainer that names a file elsewhere breaks the protocol; that this machine cannot look is not the trainer's fault.
    fn holds(&self, what: &str, path: &Path) -> Result<Result<(), MachineFault>, Breakdown> {
        match self.folder.holds(path) {
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
