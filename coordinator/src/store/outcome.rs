//! The ways in which an attempt ends without completing its run, and what is said of them.

use acai_sweep::run::{Interruption, RunState};

/// How an attempt ended without completing its run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// A loss of the training became NaN or infinite.
    Diverged,
    /// The run itself failed.
    Failed,
    /// The attempt's worker fell silent.
    Lost,
    /// The worker gave the run back, without a fault.
    Released,
    /// The worker's machine could not train the run.
    MachineFault,
    /// The trainer of the run's group broke down, and nobody knows by which of the group's runs.
    GroupFault,
}

impl Outcome {
    /// The word that is stored with the attempt.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Outcome::Diverged => "diverged",
            Outcome::Failed => "failed",
            Outcome::Lost => "lost",
            Outcome::Released | Outcome::MachineFault | Outcome::GroupFault => "released",
        }
    }

    /// The remark in the run's event, with what the worker has `said`.
    pub(super) fn remark(self, said: &str) -> Option<String> {
        match self {
            Outcome::Lost => Some("its worker fell silent".to_owned()),
            Outcome::Released => Some("given back".to_owned()),
            Outcome::MachineFault => Some(format!("given back, its machine could not train it: {said}")),
            Outcome::GroupFault => {
                Some(format!("given back to be trained alone, the trainer of its group broke down: {said}"))
            }
            Outcome::Diverged | Outcome::Failed => None,
        }
    }
}

/// What is kept with the run for people, after what its worker has `said`; `None` leaves what was kept before.
pub(super) fn lasting_message(
    next: RunState,
    interruption: Interruption,
    said: Option<&str>,
) -> Option<String> {
    match (next, interruption) {
        (RunState::Lost, Interruption::MachineFault { machines }) => Some(format!(
            "{machines} machines could not train it, with no checkpoint between; the last one: {}",
            said.unwrap_or_default()
        )),
        (RunState::Lost, Interruption::Lost { losses, .. }) => {
            Some(format!("{losses} workers fell silent while they trained it, with no checkpoint between"))
        }
        (_, Interruption::Failed { .. } | Interruption::Diverged) => said.map(str::to_owned),
        _ => None,
    }
}
