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
