//! How runs join a group that trains.

use acai_proto::v1::Group;
use acai_sweep::trainer_protocol::Command;
use tokio::time::Instant;

use super::admission::Admitted;
use super::ending::Ending;
use super::newcomers::{Arrival, Newcomers};
use super::session::Session;
use super::supervision::Supervision;

impl Supervision<'_> {
    /// How many runs could join now.
    ///
    /// A run whose training is over, but not its end, takes no place: what remains to be done for it is done beside the
    /// training of the others. So that such ends do not pile up, nor what is still to be reported of runs that have ended, there
    /// are not more than twice as many runs as the group may have.
    pub(super) fn free_places(&self) -> usize {
        let is_well = self.stop_by.is_none() && !self.session.has_fault();
        let size = self.context.sizing.of(self.newcomers.shape()) as usize;
        // Beside a run that is to be trained alone there are no places, also when only its end is left.
        if !self.trainer.can_join || !is_well || size < 2 {
            return 0;
        }
        let arriving = self.newcomers.arriving();
        let is_closed = |run: &&u64| !self.session.is_open(**run);
        let stopping = self.working.iter().filter(is_closed).count();
        let training = self.training().count() + stopping + arriving;
        let all = self.session.members().len() + stopping + arriving + self.session.closing();
        size.saturating_sub(training).min((2 * size).saturating_sub(all))
    }

    pub(super) fn on_arrival(&mut self, arrival: Arrival) {
        match arrival {
            Arrival::Granted(groups) => {
                // The trainer would take them for the attempts before.
                let is_busy = |run: u64| self.working.contains(&run);
                begin_to_admit(self.session, self.newcomers, groups, is_busy);
            }
            Arrival::Admitted(admitted) => self.join(admitted),
        }
    }

    fn join(&mut self, admitted: Vec<Admitted>) {
        let is_well = self.stop_by.is_none() && !self.session.has_fault();
        let mut group = Vec::new();
        for run in take_in(self.session, admitted, is_well) {
            let Some((member, task)) = self.session.open_run(run) else { continue };
            if let Some(identity) = self.trainer.identity() {
                member.reporter.trainer(identity);
            }
            let step = member.resume.as_ref().map_or(0, |checkpoint| checkpoint.step);
            self.watch.follow(run, step, Instant::now());
            self.working.insert(run);
            group.push(task.clone());
        }
        if !group.is_empty() {
            tracing::info!(runs = group.len(), "runs join a group");
            self.trainer.send(&Command::Join { group });
        }
    }
}

/// Begins to admit the runs of `groups`. Those are given back that are of another shape, of which a coordinator should not give
/// any, and those that the session still has.
pub(super) fn begin_to_admit(
    session: &mut Session,
    newcomers: &mut Newcomers,
    groups: Vec<Group>,
    is_busy: impl Fn(u64) -> bool,
) {
    let mut runs = Vec::new();
    for group in groups {
        let fits = newcomers.may_be(&group.shape);
        if !fits {
            tracing::warn!("the coordinator granted runs of another shape to a group; they are given back");
        }
        for assignment in group.runs {
            let Some(attempt) = assignment.attempt else { continue };
            let run = attempt.run;
            if fits && !session.is_open(run) && !newcomers.is_arriving(run) && !is_busy(run) {
                runs.push(assignment);
            } else {
                session.hand_back(attempt, None);
            }
        }
    }
    if !runs.is_empty() {
        newcomers.admit(runs);
    }
}

/// Opens those that were admitted; answers which runs these are. If all is not well, they are given back.
pub(super) fn take_in(session: &mut Session, admitted: Vec<Admitted>, is_well: bool) -> Vec<u64> {
    let mut opened = Vec::new();
    for admitted in admitted {
        let run = admitted.run();
        session.take_in(admitted);
        if session.is_open(run) && !is_well {
            session.close(run, Ending::Released);
        }
        opened.extend(session.is_open(run).then_some(run));
    }
    opened
}
