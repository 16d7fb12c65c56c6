//! What people may change in a run's life.

use crate::run::{Desired, RunState};

/// What a person asks of runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Intent {
    /// End them for good.
    Cancel,
    /// Set aside those that wait.
    Pause,
    /// Set aside those that wait, and have those that are held checkpoint and yield.
    PauseNow,
    /// Take a pause back.
    Resume,
    /// Queue again those that ended in one of these states, with fresh budgets.
    Retry {
        /// Which ends.
        states: Vec<RunState>,
        /// Forget their checkpoints.
        from_scratch: bool,
    },
}

/// What an [`Intent`] does to one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Its state becomes this, at once.
    Become(RunState),
    /// A worker holds it and is asked; the run follows when its attempt ends.
    Ask(Desired),
    /// What its worker was asked is taken back.
    Withdraw,
    /// Does not apply.
    Nothing,
}

/// The states that `retry` takes when none are named: all that ended badly by themselves.
pub const RETRIED: [RunState; 3] = [RunState::Failed, RunState::Lost, RunState::Diverged];

/// What `intent` does to a run in `state` of whose worker `desired` has been asked.
///
/// What ends a run first stands: no intent changes a completed run, and only `retry` an ended one.
#[must_use]
pub fn change(intent: &Intent, state: RunState, desired: Option<Desired>) -> Change {
    use RunState::{Cancelled, Paused, Queued, Running};
    match (intent, state) {
        (Intent::Cancel, Queued | Paused) => Change::Become(Cancelled),
        (Intent::Cancel, Running) if desired != Some(Desired::Cancelled) => Change::Ask(Desired::Cancelled),
        (Intent::Pause | Intent::PauseNow, Queued) => Change::Become(Paused),
        (Intent::PauseNow, Running) if desired.is_none() => Change::Ask(Desired::Paused),
        (Intent::Resume, Paused) => Change::Become(Queued),
        (Intent::Resume, Running) if desired == Some(Desired::Paused) => Change::Withdraw,
        (Intent::Retry { states, .. }, _)
            if state.is_terminal() && state != RunState::Completed && states.contains(&state) =>
        {
            Change::Become(Queued)
        }
        _ => Change::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_changes_at_once_and_what_is_held_is_asked() {
        assert_eq!(change(&Intent::Cancel, RunState::Queued, None), Change::Become(RunState::Cancelled));
        assert_eq!(change(&Intent::Cancel, RunState::Paused, None), Change::Become(RunState::Cancelled));
        assert_eq!(change(&Intent::Cancel, RunState::Running, None), Change::Ask(Desired::Cancelled));
        assert_eq!(change(&Intent::Pause, RunState::Queued, None), Change::Become(RunState::Paused));
        assert_eq!(change(&Intent::Pause, RunState::Running, None), Change::Nothing, "it may finish");
        assert_eq!(change(&Intent::PauseNow, RunState::Running, None), Change::Ask(Desired::Paused));
    }

    #[test]
    fn a_cancelled_run_is_not_paused_and_a_paused_one_can_be_cancelled() {
        let (cancelled, paused) = (Some(Desired::Cancelled), Some(Desired::Paused));
        assert_eq!(change(&Intent::PauseNow, RunState::Running, cancelled), Change::Nothing);
        assert_eq!(change(&Intent::Resume, RunState::Running, cancelled), Change::Nothing);
        assert_eq!(change(&Intent::Cancel, RunState::Running, paused), Change::Ask(Desired::Cancelled));
        assert_eq!(change(&Intent::Resume, RunState::Running, paused), Change::Withdraw);
    }

    #[test]
    fn only_retry_changes_what_has_ended_and_nothing_what_is_completed() {
        let retry = Intent::Retry { states: RunState::ALL.to_vec(), from_scratch: false };
        for state in RunState::ALL.into_iter().filter(|state| state.is_terminal()) {
            for intent in [Intent::Cancel, Intent::Pause, Intent::PauseNow, Intent::Resume] {
                assert_eq!(change(&intent, state, None), Change::Nothing, "{intent:?} on {state}");
            }
            let expected =
                if state == RunState::Completed { Change::Nothing } else { Change::Become(RunState::Queued) };
            assert_eq!(change(&retry, state, None), expected, "retry of {state}");
        }
        for state in [RunState::Queued, RunState::Running, RunState::Paused] {
            assert_eq!(change(&retry, state, None), Change::Nothing, "retry of {state}");
        }
    }
}
