//! The ways in which an attempt ends without completing its run.

/// How an attempt ended without completing its run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Outcome {
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
