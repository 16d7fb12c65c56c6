//! What a machine lacks to train what it was given.

use std::io::{self, ErrorKind};
use std::path::PathBuf;

/// Why this machine could not train a run: nobody is charged for it, the run is given back, and the slot rests.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum MachineFault {
    /// The trainer program does not get as far as `ready`.
    #[error("the trainer `{program}` cannot be started: {reason}")]
    TrainerStart {
        /// The program.
        program: PathBuf,
        /// What happened, with its last words.
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
    /// The trainer said so, or was ended from outside by a signal, as the kernel does when memory is short.
    #[error("{0}")]
    Trainer(String),
}

/// Whether an I/O error is about the path that was asked for, which leads to nothing. Any other error is about this machine,
/// and says nothing of what is there.
pub(crate) fn leads_nowhere(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::InvalidInput | ErrorKind::InvalidFilename
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_there_is_told_apart_from_one_that_this_machine_cannot_look_at() {
        const EIO: i32 = 5;
        const ESTALE: i32 = 116;
        assert!(leads_nowhere(&std::fs::metadata("/dev/null/file").unwrap_err()));
        assert!(leads_nowhere(&std::fs::metadata("/no/such/file").unwrap_err()));
        assert!(leads_nowhere(&std::fs::metadata("/nul\0/file").unwrap_err()));
        for code in [EIO, ESTALE] {
            assert!(!leads_nowhere(&io::Error::from_raw_os_error(code)));
        }
    }
}
