use super::machine_fault::MachineFault;
use crate::spool::{FinalWord, OwnFault};

/// How an attempt ends, for the coordinator.
#[derive(Debug)]
pub(crate) enum Ending {
    /// All steps are trained.
    Completed { step: u64 },
    /// The run failed by its own fault.
    Failed { kind: OwnFault, message: String },
    /// The checkpoint to continue from is damaged, or of something else. That is not the run's fault, as long as that
    /// checkpoint is not used again.
    CheckpointRefused { message: String },
    /// This machine cannot train the run, which is not the run's fault.
    MachineFault(MachineFault),
    /// The trainer of several runs broke down, and nobody knows by the fault of which run.
    GroupFault { message: String },
    /// The run is given back, and charged with nothing.
    Released,
}

impl Ending {
    /// What the spool keeps of this ending. An agent that finds a spool without a final word gives the run back.
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
