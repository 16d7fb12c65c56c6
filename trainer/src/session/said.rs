//! What a group has to report, kept until it is: libtorch may fail in the middle of a step.

use acai_sweep::trainer_protocol::Event;

use super::SessionError;
use super::run::Run;

/// A run that cannot go on: its number, the steps it has, and why.
pub type Refusal = (u64, u64, SessionError);

/// What runs have come to.
#[derive(Debug, Default)]
pub struct Said {
    /// In their order.
    pub events: Vec<Event>,
    /// The runs that have left the group without an event.
    pub refusals: Vec<Refusal>,
}

impl Said {
    /// Has a run work. What it reports stands, also where libtorch fails later; a run that fails is over.
    pub(super) fn take_in(
        &mut self,
        run: &mut Run,
        work: impl FnOnce(&mut Run, &mut Vec<Event>) -> Result<(), SessionError>,
    ) {
        if let Err(error) = work(run, &mut self.events) {
            run.is_over = true;
            self.refusals.push((run.member.run, run.step(), error));
        }
    }
}
