//! The life of a run.

use std::fmt;
use std::str::FromStr;

/// Where a run is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RunState {
    /// Waits for a worker.
    Queued,
    /// Held by a worker's attempt.
    Running,
    /// Set aside by a person, to be resumed.
    Paused,
    /// Has all its steps and its last evaluation.
    Completed,
    /// Ended early by a rule of its sweep.
    Stopped,
    /// A loss became NaN or infinite.
    Diverged,
    /// Ended by its own fault, more often than its sweep allows.
    Failed,
    /// Given up on because machines that had it kept disappearing.
    Lost,
    /// Ended by a person.
    Cancelled,
}

impl RunState {
    /// All of them, in the order they are listed to people.
    pub const ALL: [RunState; 9] = [
        RunState::Queued,
        RunState::Running,
        RunState::Paused,
        RunState::Completed,
        RunState::Stopped,
        RunState::Diverged,
        RunState::Failed,
        RunState::Lost,
        RunState::Cancelled,
    ];

    /// The word in databases, tables and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            RunState::Queued => "queued",
            RunState::Running => "running",
            RunState::Paused => "paused",
            RunState::Completed => "completed",
            RunState::Stopped => "stopped",
            RunState::Diverged => "diverged",
            RunState::Failed => "failed",
            RunState::Lost => "lost",
            RunState::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for RunState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A word that is no [`RunState`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no state of a run")]
pub struct UnknownRunState(String);

impl FromStr for RunState {
    type Err = UnknownRunState;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let known = RunState::ALL.into_iter().find(|state| state.as_str() == word);
        known.ok_or_else(|| UnknownRunState(word.to_owned()))
    }
}

/// What becomes of a run that has failed `failures` times by its own fault, the last one included.
///
/// Lost machines and preemption are not counted: they are never the run's fault.
#[must_use]
pub fn after_failure(failures: u32, max_restarts: u32) -> RunState {
    if failures <= max_restarts { RunState::Queued } else { RunState::Failed }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_restarted_max_restarts_times_and_then_has_failed() {
        let fates: Vec<_> = (1..=4).map(|failures| after_failure(failures, 2)).collect();
        assert_eq!(fates, [RunState::Queued, RunState::Queued, RunState::Failed, RunState::Failed]);
        assert_eq!(after_failure(1, 0), RunState::Failed);
    }

    #[test]
    fn every_state_reads_back_from_its_word() {
        for state in RunState::ALL {
            assert_eq!(state.as_str().parse(), Ok(state));
        }
        assert!("done".parse::<RunState>().is_err());
    }
}
