use std::fmt;
use std::ops::AddAssign;

/// How the attempts of a worker ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// All steps trained.
    pub completed: u64,
    /// Ended by the run's own fault, diverged ones included.
    pub failed: u64,
    /// Given back, and charged with nothing.
    pub released: u64,
    /// Taken away: the lease was lost, or the coordinator no longer knew the attempt.
    pub lost: u64,
    /// Whether the worker had to stop with attempts that were not ended. Their reports are in the state folder, and the
    /// next worker with that folder delivers them.
    pub cut_short: bool,
}

/// How one attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Completed,
    Failed,
    Released,
    Lost,
}

impl Outcome {
    pub(crate) const ALL: [Self; 4] = [Self::Completed, Self::Failed, Self::Released, Self::Lost];

    /// In a word, for metrics.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Released => "released",
            Self::Lost => "lost",
        }
    }
}

impl AddAssign<Outcome> for Summary {
    fn add_assign(&mut self, outcome: Outcome) {
        *match outcome {
            Outcome::Completed => &mut self.completed,
            Outcome::Failed => &mut self.failed,
            Outcome::Released => &mut self.released,
            Outcome::Lost => &mut self.lost,
        } += 1;
    }
}

impl AddAssign for Summary {
    fn add_assign(&mut self, other: Self) {
        self.completed += other.completed;
        self.failed += other.failed;
        self.released += other.released;
        self.lost += other.lost;
        self.cut_short |= other.cut_short;
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { completed, failed, released, lost, .. } = self;
        write!(f, "{completed} completed, {failed} failed, {released} released, {lost} lost")
    }
}
