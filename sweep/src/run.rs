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
    /// Given up on because machines that had it kept disappearing, or could not train it.
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

    /// Whether a run stays in it unless a person says `retry`.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        !matches!(self, RunState::Queued | RunState::Running | RunState::Paused)
    }

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
#[error("`{0}` is no state of a run; states are {states}", states = RunState::ALL.map(RunState::as_str).join(", "))]
pub struct UnknownRunState(String);

impl FromStr for RunState {
    type Err = UnknownRunState;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let known = RunState::ALL.into_iter().find(|state| state.as_str() == word);
        known.ok_or_else(|| UnknownRunState(word.to_owned()))
    }
}

/// How an attempt ended without completing its run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interruption {
    /// A loss became NaN or infinite. Training is deterministic: it would diverge again.
    Diverged,
    /// By the run's own fault; this is its `failures`th, out of `max_restarts` that it may have.
    Failed {
        /// This one included.
        failures: u32,
        /// More end the run.
        max_restarts: u32,
    },
    /// Its worker fell silent, for the `losses`th time in a row without a new checkpoint between.
    Lost {
        /// This one included.
        losses: u32,
        /// As many end the run: it is likely to kill them.
        max_lost_workers: u32,
    },
    /// Its machine could not train it; in a row, without a new checkpoint between, these many different ones.
    MachineFault {
        /// This one included.
        machines: u32,
    },
    /// Given back by its worker, nobody's fault.
    Released,
}

/// As many machines in a row that could not train a run end it: more of them would not either.
pub const MOST_FAULTY_MACHINES: u32 = 3;

/// What becomes of a run whose attempt was interrupted, when a person may want it `desired`.
///
/// Failures of its own and lost machines have separate budgets, and being given back costs neither:
/// between the run's fault and the machine's nothing is guessed. What a machine cannot train is charged to nobody, and
/// tried on others.
#[must_use]
pub fn after(interruption: Interruption, desired: Option<Desired>) -> RunState {
    match (interruption, desired) {
        (Interruption::Diverged, _) => RunState::Diverged,
        (_, Some(Desired::Cancelled)) => RunState::Cancelled,
        (Interruption::Failed { failures, max_restarts }, _) if failures > max_restarts => RunState::Failed,
        (Interruption::Lost { losses, max_lost_workers }, _) if losses >= max_lost_workers => RunState::Lost,
        (Interruption::MachineFault { machines }, _) if machines >= MOST_FAULTY_MACHINES => RunState::Lost,
        (_, Some(Desired::Paused)) => RunState::Paused,
        (_, None) => RunState::Queued,
    }
}

/// What a person wants of a run that a worker holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Desired {
    /// Ended for good.
    Cancelled,
    /// Set aside.
    Paused,
}

impl Desired {
    /// The state that is wanted.
    #[must_use]
    pub fn state(self) -> RunState {
        match self {
            Desired::Cancelled => RunState::Cancelled,
            Desired::Paused => RunState::Paused,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_restarted_max_restarts_times_and_then_has_failed() {
        let fate = |failures, max_restarts| after(Interruption::Failed { failures, max_restarts }, None);
        assert_eq!(
            [1, 2, 3].map(|failures| fate(failures, 2)),
            [RunState::Queued, RunState::Queued, RunState::Failed]
        );
        assert_eq!(fate(1, 0), RunState::Failed);
    }

    #[test]
    fn a_run_that_loses_its_last_allowed_worker_is_given_up() {
        let fate = |losses| after(Interruption::Lost { losses, max_lost_workers: 3 }, None);
        assert_eq!([1, 2, 3].map(fate), [RunState::Queued, RunState::Queued, RunState::Lost]);
    }

    #[test]
    fn a_run_that_three_machines_cannot_train_is_given_up() {
        let fate = |machines| after(Interruption::MachineFault { machines }, None);
        assert_eq!([1, 2, 3].map(fate), [RunState::Queued, RunState::Queued, RunState::Lost]);
    }

    #[test]
    fn what_a_person_wants_is_done_when_the_attempt_ends_and_never_revives_a_run() {
        let failed = |failures| Interruption::Failed { failures, max_restarts: 2 };
        for (interruption, desired, fate) in [
            (Interruption::Released, None, RunState::Queued),
            (Interruption::Released, Some(Desired::Paused), RunState::Paused),
            (Interruption::Released, Some(Desired::Cancelled), RunState::Cancelled),
            (failed(1), Some(Desired::Paused), RunState::Paused),
            (failed(3), Some(Desired::Paused), RunState::Failed),
            (failed(3), Some(Desired::Cancelled), RunState::Cancelled),
            (Interruption::Diverged, Some(Desired::Cancelled), RunState::Diverged),
        ] {
            assert_eq!(after(interruption, desired), fate, "{interruption:?}, {desired:?}");
        }
    }

    #[test]
    fn every_state_reads_back_from_its_word() {
        for state in RunState::ALL {
            assert_eq!(state.as_str().parse(), Ok(state));
        }
        assert!("done".parse::<RunState>().is_err());
    }
}
