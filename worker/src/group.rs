//! One group of runs in one trainer process.

use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;
use std::panic::resume_unwind;
use std::sync::Arc;

use acai_proto::convert::configuration;
use acai_proto::v1::{Assignment, Attempt, Group};
use acai_sweep::trainer_protocol::{self as protocol, Command, Event};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use crate::checkpoints::RunFolder;
use crate::closing::{Closed, close, hand_back};
use crate::context::Context;
use crate::devices::Slot;
use crate::launch::launch;
use crate::machine_fault::MachineFault;
use crate::member::{Ending, Member, run_of};
use crate::outbox::Outbox;
use crate::progress_watch::ProgressWatch;
use crate::reporter::{ReportError, Reporter, on_disk};
use crate::resume::resume;
use crate::spool::{OwnFault, Spool};
use crate::summary::{Outcome, Summary};
use crate::trainer_process::{Breakdown, TrainerProcess};

/// Trains a group to the end of each of its runs; with the last fault of this machine, if it met any: then some of them
/// have been handed back.
pub(crate) async fn train(
    context: Arc<Context>,
    slot: &Slot,
    group: Group,
) -> (Summary, Option<MachineFault>) {
    let mut session = Session {
        context,
        open: BTreeMap::new(),
        given: BTreeSet::new(),
        closing: JoinSet::new(),
        summary: Summary::default(),
        fault: None,
    };
    session.train(slot, group).await;
    while let Some(closed) = session.closing.join_next().await {
        let Closed { outcome, fault } = closed.unwrap_or_else(|error| resume_unwind(error.into_panic()));
        session.summary += outcome;
        session.fault = fault.or(session.fault.take());
    }
    (session.summary, session.fault)
}

struct Session {
    context: Arc<Context>,
    /// Runs that are being trained.
    open: BTreeMap<u64, Member>,
    /// All runs that the trainer was given; it may still speak of those that are not open any more.
    given: BTreeSet<u64>,
    closing: JoinSet<Closed>,
    summary: Summary,
    fault: Option<MachineFault>,
}

/// What happens next to a trainer's members.
enum Incoming {
    Event(Event),
    Breakdown(Breakdown),
    /// The coordinator will not take what this run reports.
    Unreportable(u64),
    /// What this run reports cannot be written down here, for this reason.
    Unspoolable(u64, String),
}

impl Session {
    async fn train(&mut self, slot: &Slot, group: Group) {
        let mut members = Vec::new();
        for assignment in group.runs {
            let Some(attempt) = assignment.attempt else { continue };
            let fault = if self.context.stop.is_asked() {
                None
            } else {
                match self.admit(attempt, &assignment).await {
                    Ok(member) => {
                        members.extend(member);
                        continue;
                    }
                    // The rest of the group may do without what this run's folder lacks.
                    Err(fault) => Some(fault),
                }
            };
            let (context, message) = (Arc::clone(&self.context), fault.as_ref().map(ToString::to_string));
            self.closing.spawn(async move { hand_back(&context, attempt, message).await.into() });
            self.fault = fault.or(self.fault.take());
        }
        if !members.is_empty() {
            match launch(&self.context, slot, members).await {
                Ok(Some(trainer)) => self.drive(trainer).await,
                Ok(None) => {}
                Err(fault) => return self.close_all_for(fault),
            }
        }
        self.close_all(|| Ending::Released);
    }

    /// Makes a run ready for the trainer; none if its configuration makes no sense, or it is wanted back by now.
    async fn admit(
        &mut self,
        attempt: Attempt,
        assignment: &Assignment,
    ) -> Result<Option<protocol::Member>, MachineFault> {
        let run = format!("{}/{}", assignment.sweep, assignment.number);
        tracing::info!(%run, id = attempt.run, attempt = attempt.number, "attempt begins");
        let context = &self.context;
        let (runs, spools, wanted) = (context.state.runs(), context.state.spools(), assignment.clone());
        let opened = on_disk(move || {
            let folder = RunFolder::open(&runs, &wanted, attempt)?;
            let spool = Spool::new(&spools, attempt, folder.name())?;
            Ok((folder, spool))
        });
        let cannot_use = |error: std::io::Error| MachineFault::State {
            path: context.state.path().to_owned(),
            reason: error.to_string(),
        };
        let (folder, spool) = opened.await.map_err(cannot_use)?;
        let resume = resume(context, &folder, attempt, assignment).await.map_err(cannot_use)?;
        let reporter = Reporter::start(
            attempt,
            folder.clone(),
            (spool, Outbox::default()),
            context.capacity,
            context.coordinator.clone(),
            Arc::clone(&context.leases),
        );
        // An earlier attempt was cut off before it had handed this one over, and if it is of the last step, no other comes.
        let newest = assignment.checkpoints.first().map_or(0, |checkpoint| checkpoint.step);
        if let Some(own) = resume.as_ref().filter(|own| own.step > newest) {
            reporter.checkpoint(own.clone());
        }
        let member = Member { attempt, folder, reporter, resume };
        if context.leases.is_yielding(attempt) {
            tracing::info!(
                run = attempt.run,
                attempt = attempt.number,
                "asked to give the run back before it began"
            );
            self.spawn_close(member, Ending::Released);
            return Ok(None);
        }
        match configuration(&assignment.configuration) {
            Ok(configuration) => {
                let given = protocol::Member {
                    run: attempt.run,
                    seed: assignment.seed,
                    config: configuration.training_config(),
                    folder: member.folder.attempt().to_owned(),
                    resume: member.resume.as_ref().map(|checkpoint| checkpoint.file.clone()),
                    checkpoint_kimg: assignment.checkpoint_kimg,
                };
                self.given.insert(attempt.run);
                self.open.insert(attempt.run, member);
                Ok(Some(given))
            }
            Err(error) => {
                let message = error.to_string();
                self.spawn_close(member, Ending::Failed { kind: OwnFault::Error, message });
                Ok(None)
            }
        }
    }

    /// Follows the trainer until no run is open.
    async fn drive(&mut self, mut trainer: TrainerProcess) {
        let context = Arc::clone(&self.context);
        if let Some(identity) = trainer.identity() {
            self.open.values().for_each(|member| member.reporter.trainer(identity.clone()));
        }
        let started = |member: &Member| {
            (member.attempt.run, member.resume.as_ref().map_or(0, |checkpoint| checkpoint.step))
        };
        let mut watch =
            ProgressWatch::new(context.trainer_progress, self.open.values().map(started), Instant::now());
        let mut stop_by = None;
        // Runs that the coordinator wants back, and until when.
        let mut yield_by: BTreeMap<u64, Instant> = BTreeMap::new();
        while !self.open.is_empty() {
            let attempts: Vec<Attempt> = self.open.values().map(|member| member.attempt).collect();
            let unasked: Vec<Attempt> =
                attempts.iter().filter(|attempt| !yield_by.contains_key(&attempt.run)).copied().collect();
            yield_by.retain(|run, _| self.open.contains_key(run));
            let deadline = yield_by.values().copied().chain(stop_by).min();
            tokio::select! {
                lost = context.leases.any_lost(&attempts) => {
                    let lost = self.take_lost(&lost);
                    if self.open.is_empty() {
                        trainer.stop().await;
                        return discard(lost).await;
                    }
                    for member in &lost {
                        trainer.send(&Command::Stop { run: member.attempt.run });
                    }
                    discard(lost).await;
                }
                yielding = context.leases.any_yielding(&unasked) => {
                    for attempt in yielding {
                        tracing::info!(run = attempt.run, attempt = attempt.number, "asked to give the run back");
                        yield_by.insert(attempt.run, Instant::now() + context.grace);
                        trainer.send(&Command::Stop { run: attempt.run });
                    }
                }
                asked = context.stop.asked(), if stop_by.is_none() => {
                    stop_by = Some(asked + context.grace);
                    trainer.send(&Command::Shutdown);
                }
                () = async { if let Some(at) = deadline { sleep_until(at).await } else { pending().await } } => {
                    // The rest of its group loses no more than what it did since their last checkpoints.
                    tracing::warn!("the trainer did not stop in time; killing it");
                    self.close_all(|| Ending::Released);
                    return trainer.stop().await;
                }
                incoming = self.next(&mut trainer, &mut watch) => {
                    if let Err(breakdown) = self.on_incoming(incoming, &mut trainer, &mut watch).await {
                        let is_stopping = deadline.is_some();
                        let message = trainer.post_mortem(&breakdown).await;
                        if is_stopping {
                            tracing::warn!("while stopping: {message}");
                            self.close_all(|| Ending::Released);
                        } else if breakdown.is_killed() {
                            self.close_all_for(MachineFault::Trainer(message));
                        } else if self.open.len() > 1 {
                            self.close_all(|| Ending::GroupFault { message: message.clone() });
                        } else {
                            let kind = OwnFault::Error;
                            self.close_all(|| Ending::Failed { kind, message: message.clone() });
                        }
                        return trainer.stop().await;
                    }
                }
            }
        }
        trainer.finish().await;
    }

    /// The trainer's next event, taken only when every open run has room for what it may bring: this
    /// is how a full queue makes the trainer wait. Cancel safe.
    async fn next(&self, trainer: &mut TrainerProcess, watch: &mut ProgressWatch) -> Incoming {
        watch.hold(Instant::now());
        for (run, member) in &self.open {
            match member.reporter.room().await {
                Ok(()) => {}
                Err(ReportError::Refused(_) | ReportError::MovedBack(_) | ReportError::Damaged(_)) => {
                    return Incoming::Unreportable(*run);
                }
                // The lease is gone as well, and whoever waits for that acts on it.
                Err(ReportError::Lost) => return pending().await,
            }
            if let Some(reason) = member.reporter.spool_fault() {
                return Incoming::Unspoolable(*run, reason);
            }
        }
        watch.go_on(Instant::now());
        match timeout(self.context.trainer_silence, trainer.next()).await {
            Ok(Ok(event)) => Incoming::Event(event),
            Ok(Err(breakdown)) => Incoming::Breakdown(breakdown),
            Err(_) => Incoming::Breakdown(Breakdown::Silent(self.context.trainer_silence)),
        }
    }

    async fn on_incoming(
        &mut self,
        incoming: Incoming,
        trainer: &mut TrainerProcess,
        watch: &mut ProgressWatch,
    ) -> Result<(), Breakdown> {
        match incoming {
            Incoming::Event(event) => {
                let now = Instant::now();
                observe(watch, &event, now);
                self.on_event(event, trainer)?;
                // Judged when the trainer speaks; one that is silent, as in a long evaluation, has
                // until `trainer_silence`.
                watch.stuck(now).map_or(Ok(()), |idle| Err(Breakdown::Stuck(idle)))
            }
            Incoming::Breakdown(breakdown) => Err(breakdown),
            Incoming::Unreportable(run) => {
                trainer.send(&Command::Stop { run });
                // Closing finds out from the reporter why, and reports a failure.
                self.close(run, Ending::Released);
                Ok(())
            }
            Incoming::Unspoolable(run, reason) => {
                trainer.send(&Command::Stop { run });
                let fault = MachineFault::State { path: self.context.state.path().to_owned(), reason };
                self.close(run, Ending::MachineFault(fault));
                Ok(())
            }
        }
    }

    fn take_lost(&mut self, lost: &[Attempt]) -> Vec<Member> {
        let lost: Vec<Member> = self
            .open
            .extract_if(.., |_, member| lost.contains(&member.attempt))
            .map(|(_, lost)| lost)
            .collect();
        for Member { attempt, .. } in &lost {
            tracing::warn!(run = attempt.run, attempt = attempt.number, "attempt lost");
            self.summary += Outcome::Lost;
        }
        lost
    }

    fn on_event(&mut self, event: Event, trainer: &TrainerProcess) -> Result<(), Breakdown> {
        let Some(run) = run_of(&event) else {
            return Err(Breakdown::Protocol("it said `ready` again".to_owned()));
        };
        if !self.given.contains(&run) {
            return Err(Breakdown::Protocol(format!("it reported on run {run}, which it was not given")));
        }
        if let Some(member) = self.open.get(&run)
            && let Some(ending) = member.on_event(event)?
        {
            if let Ending::MachineFault(MachineFault::State { .. }) = &ending {
                // It was not the trainer that found it.
                trainer.send(&Command::Stop { run });
            }
            self.close(run, ending);
        }
        Ok(())
    }

    fn close(&mut self, run: u64, ending: Ending) {
        if let Some(member) = self.open.remove(&run) {
            self.spawn_close(member, ending);
        }
    }

    fn close_all(&mut self, ending: impl Fn() -> Ending) {
        for member in std::mem::take(&mut self.open).into_values() {
            self.spawn_close(member, ending());
        }
    }

    /// Hands back what cannot be trained on this machine.
    fn close_all_for(&mut self, fault: MachineFault) {
        self.close_all(|| Ending::MachineFault(fault.clone()));
        self.fault = Some(fault);
    }

    /// In the background: the rest of the group goes on meanwhile.
    fn spawn_close(&mut self, member: Member, ending: Ending) {
        if let Ending::MachineFault(fault) = &ending {
            self.fault = Some(fault.clone());
        }
        let context = Arc::clone(&self.context);
        self.closing.spawn(async move { close(&context, member, ending).await });
    }
}

async fn discard(lost: Vec<Member>) {
    for member in lost {
        member.reporter.discard().await;
    }
}

/// What an event says of the trainer's progress.
fn observe(watch: &mut ProgressWatch, event: &Event, now: Instant) {
    match event {
        Event::Metric { run, step, .. } | Event::Progress { run, step } => watch.step(*run, *step, now),
        Event::Working { run, step }
        | Event::Evaluated { run, step, .. }
        | Event::Checkpoint { run, step, .. }
        | Event::Artifact { run, step, .. }
        | Event::Finished { run, step }
        | Event::Stopped { run, step }
        | Event::Failed { run, step, .. } => {
            watch.step(*run, *step, now);
            watch.work(now);
        }
        Event::Ready { .. } => {}
    }
}
