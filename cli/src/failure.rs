//! How a command can end badly, and with which exit code.

use std::io::ErrorKind;

use tonic::Code;

use crate::output::Unwritten;
use crate::signals::StopSignal;

/// The exit codes are part of the command line's contract; `acai --help` lists them.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Something is missing, unreachable or broken: exit code 1.
    Error(anyhow::Error),
    /// The sweep file has mistakes, one or more lines: exit code 3.
    SweepFile(String),
    /// Some runs diverged or failed: exit code 4.
    Runs(String),
    /// Ctrl-C, SIGTERM or SIGHUP, after everything was put in order: exit code 130, 143 or 129.
    Interrupted(StopSignal, String),
    /// Whoever read the output has gone, as `head` does: nothing to say, and exit code 141, that of `SIGPIPE`.
    ReaderGone,
}

/// Nobody answers, or not in time: who waits may ask again.
#[derive(Debug)]
pub(crate) struct NoAnswer(pub(crate) String);

impl std::fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NoAnswer {}

impl Failure {
    /// Whether the same question may be answered later.
    pub(crate) fn is_no_answer(&self) -> bool {
        matches!(self, Failure::Error(error) if error.is::<NoAnswer>())
    }

    /// What the person at the terminal is told; nothing if nobody reads any more.
    pub(crate) fn message(&self) -> Option<String> {
        match self {
            Failure::Error(error) => Some(format!("error: {error:#}")),
            Failure::SweepFile(mistakes) => Some(mistakes.clone()),
            Failure::Runs(summary) => Some(format!("error: {summary}")),
            Failure::Interrupted(_, summary) => Some(summary.clone()),
            Failure::ReaderGone => None,
        }
    }

    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Failure::Error(_) => 1,
            Failure::SweepFile(_) => 3,
            Failure::Runs(_) => 4,
            Failure::Interrupted(signal, _) => signal.exit_code(),
            Failure::ReaderGone => 141,
        }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        match error.downcast_ref::<Unwritten>() {
            Some(Unwritten(cause)) if cause.kind() == ErrorKind::BrokenPipe => Failure::ReaderGone,
            _ => Failure::Error(error),
        }
    }
}

impl From<Unwritten> for Failure {
    fn from(error: Unwritten) -> Self {
        anyhow::Error::from(error).into()
    }
}

impl From<tonic::Status> for Failure {
    fn from(status: tonic::Status) -> Self {
        let message = status.message();
        Failure::Error(match status.code() {
            // Ours, and written for people.
            Code::NotFound
            | Code::InvalidArgument
            | Code::FailedPrecondition
            | Code::ResourceExhausted
            | Code::DataLoss
            | Code::Aborted
            | Code::Unauthenticated
            | Code::PermissionDenied => anyhow::anyhow!("{message}"),
            _ if is_hung_up(&status) => {
                let words = "the connection was closed without an answer\nhint: is the coordinator still there? One that encrypts needs its access file: --access FILE";
                NoAnswer(words.to_owned()).into()
            }
            Code::Unavailable | Code::Unknown => {
                NoAnswer(format!("the coordinator does not answer: {message}")).into()
            }
            Code::Cancelled | Code::DeadlineExceeded => {
                let words = "the coordinator does not answer in time; it may be busy, try again";
                NoAnswer(words.to_owned()).into()
            }
            code => anyhow::anyhow!("the coordinator refused: {message} ({code:?})"),
        })
    }
}

/// Whether the other side hung up, or spoke another language, as one does that expects to be spoken to encrypted.
fn is_hung_up(status: &tonic::Status) -> bool {
    let message = status.message();
    ["transport error", "operation was canceled"].contains(&message)
        || message.starts_with("h2 protocol error")
}
