use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

use rustix::process::Signal;

/// Why a trainer does not go on with its runs.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Breakdown {
    #[error("the trainer ended before the run did, with {0}")]
    Exited(ExitStatus),
    #[error("the trainer closed its output but did not exit")]
    OutputClosed,
    #[error("the trainer wrote a line that is no event ({reason}): `{line}`")]
    Garbled { line: String, reason: String },
    #[error("the trainer broke the protocol: {0}")]
    Protocol(String),
    #[error("the trainer reported nothing for {0:?} and was killed")]
    Silent(Duration),
    #[error("no progress for {0:?}: the trainer reported, but no new step, and was killed")]
    Stuck(Duration),
}

impl Breakdown {
    /// Whether a signal ended the process that came from outside: from the kernel, a person or another program of this
    /// machine.
    pub(crate) fn is_killed(&self) -> bool {
        let Self::Exited(status) = self else { return false };
        let from_outside = [Signal::KILL, Signal::TERM, Signal::INT, Signal::HUP];
        status.signal().is_some_and(|number| from_outside.iter().any(|signal| signal.as_raw() == number))
    }
}
