//! What is due after which step.

use acai_sweep::trainer_protocol::Member;
use acai_sweep::training::LOSS_STEPS;

/// When a run reports, is evaluated and is written to disk, in optimizer steps.
///
/// Reports and evaluations depend on the configuration alone, so a run repeated or resumed reports the
/// same steps.
#[derive(Debug, Clone, Copy)]
pub struct Schedule {
    total: u64,
    evaluation: u64,
    checkpoint: u64,
}

/// What to do, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// Report the losses.
    pub losses: bool,
    /// Evaluate.
    pub evaluation: bool,
    /// Draw pictures: at evaluations 1, 2, 4, 8 and so on, and the last.
    pub pictures: bool,
    /// Write a checkpoint.
    pub checkpoint: bool,
}

impl Due {
    /// Go on.
    pub const NOTHING: Due = Due { losses: false, evaluation: false, pictures: false, checkpoint: false };
}

impl Schedule {
    /// The schedule of a run.
    #[must_use]
    pub fn new(member: &Member) -> Schedule {
        Schedule {
            total: member.config.total_steps(),
            evaluation: member.config.eval_steps(),
            checkpoint: member.config.steps_in(member.checkpoint_kimg),
        }
    }

    /// Steps of the whole run.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }

    /// What is due when `step` steps are done; everything when they are all.
    #[must_use]
    pub fn due(&self, step: u64) -> Due {
        let last = step >= self.total;
        let evaluation = last || step.is_multiple_of(self.evaluation);
        Due {
            losses: evaluation || step.is_multiple_of(LOSS_STEPS),
            evaluation,
            pictures: evaluation && (last || (step / self.evaluation).is_power_of_two()),
            checkpoint: last || step.is_multiple_of(self.checkpoint),
        }
    }
}
