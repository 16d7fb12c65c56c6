//! What a machine lacks to train what it was given.

use std::path::PathBuf;

/// Why this machine could not train a run. No run is charged with that: it is given back, and the slot rests.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum MachineFault {
    /// The trainer program does not get as far as `ready`.
    #[error("the trainer `{program}` cannot be started: {reason}")]
    TrainerStart {
        /// The program.
        program: PathBuf,
        /// What happened, with the end of the trainer's standard error.
        reason: String,
    },
    /// A run's folder or spool cannot be made or written.
    #[error("cannot use the state folder `{path}`: {reason}")]
    State {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// The trainer reported a fault of the machine, or was ended by a signal from outside, which the kernel sends when
    /// memory is short.
    #[error("{0}")]
    Trainer(String),
}

impl MachineFault {
    /// All that [`kind`](Self::kind) may be.
    pub(crate) const KINDS: [&'static str; 3] = ["trainer_start", "state_folder", "trainer"];

    /// The kind of it in a word, for metrics.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::TrainerStart { .. } => "trainer_start",
            Self::State { .. } => "state_folder",
            Self::Trainer(_) => "trainer",
        }
    }
}
