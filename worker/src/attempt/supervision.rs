//! Follows a trainer until no run of its group is open.

use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;
use std::ops::ControlFlow;

use acai_proto::v1::Attempt;
use acai_sweep::trainer_protocol::{Command, Event};
use tokio::time::{Instant, sleep_until, timeout};

use super::context::Context;
use super::ending::Ending;
use super::group_size::Pace;
use super::machine_fault::MachineFault;
use super::member::Member;
use super::newcomers::{Arrival, Newcomers};
use super::progress_watch::ProgressWatch;
use super::session::Session;
use crate::reporting::ReportError;
use crate::spool::OwnFault;
use crate::trainer::{Breakdown, TrainerProcess};

/// Follows `trainer` until no run is open, or until it breaks down although it had stayed since another group and has not
/// said anything about this one. Returns it if it stays for another group, or else ends it.
///
/// Only a trainer that has brought each of its runs to an ordinary end stays: after anything else nobody knows in what
/// state it is.
pub(super) async fn supervise(
    context: &Context,
    session: &mut Session,
    newcomers: &mut Newcomers,
    (trainer, gpu): (TrainerProcess, Option<usize>),
) -> Option<TrainerProcess> {
    session.is_trained_by(&trainer);
    if let Some(identity) = trainer.identity() {
        session.members().for_each(|member| member.reporter.trainer(identity.clone()));
    }
    let started = |member: &Member| {
        (member.attempt.run, member.resume.as_ref().map_or(0, |checkpoint| checkpoint.step))
    };
    let watch = ProgressWatch::new(context.trainer_progress, session.members().map(started), Instant::now());
    let working = session.members().map(|member| member.attempt.run).collect();
    let (may_stay, is_untried) = (trainer.can_stay && trainer.is_kept, trainer.has_stayed);
    let mut supervision = Supervision {
        context,
        session,
        newcomers,
        trainer,
        watch,
        working,
        trained: BTreeSet::new(),
        gpu,
        pace: Pace::default(),
        lacks_memory: false,
        may_stay,
        is_untried,
        stop_by: None,
        yield_by: BTreeMap::new(),
    };
    while !supervision.session.is_empty() {
        let happening = supervision.next().await;
        supervision.may_stay &=
            matches!(happening, Happening::Event(_) | Happening::WantedBack(_) | Happening::Arrival(_));
        if let ControlFlow::Break(lost) = supervision.act_on(happening).await {
            supervision.trainer.stop().await;
            // The spools are kept until the trainer has ended: without them no later agent would know of the trainer.
            discard(lost).await;
            return None;
        }
    }
    if supervision.may_stay && supervision.working.is_empty() {
        return Some(supervision.trainer);
    }
    supervision.trainer.finish().await;
    None
}

pub(super) struct Supervision<'a> {
    pub(super) context: &'a Context,
    pub(super) session: &'a mut Session,
    pub(super) newcomers: &'a mut Newcomers,
    pub(super) trainer: TrainerProcess,
    pub(super) watch: ProgressWatch,
    /// Runs that the trainer has not ended, whether or not they are open.
    pub(super) working: BTreeSet<u64>,
    /// Those of these that have a checkpoint of their last step: what is left is their end.
    pub(super) trained: BTreeSet<u64>,
    /// The number of the trainer's GPU, if it is on one.
    pub(super) gpu: Option<usize>,
    pub(super) pace: Pace,
    /// Whether the trainer has said that it cannot train all runs at once.
    pub(super) lacks_memory: bool,
    /// Whether nothing has happened yet after which the trainer does not stay.
    may_stay: bool,
    /// Whether the trainer has trained another group before this one, and has not said anything about this one.
    is_untried: bool,
    /// Until when the trainer has to be done, once the worker is told to stop.
    pub(super) stop_by: Option<Instant>,
    /// Runs that the coordinator wants back, and until when the trainer has to be done with each.
    yield_by: BTreeMap<u64, Instant>,
}

/// What happens next to a trainer and its runs.
enum Happening {
    Event(Event),
    /// Runs come that are to join.
    Arrival(Arrival),
    Breakdown(Breakdown),
    /// The coordinator will not take what this run reports.
    Unreportable(u64),
    /// What this run reports cannot be written down here, for this reason.
    Unspoolable(u64, String),
    /// These attempts no longer hold their runs.
    Lost(Vec<Attempt>),
    /// The coordinator wants the runs of these attempts back.
    WantedBack(Vec<Attempt>),
    /// The worker was told to stop, at this time.
    Stop(Instant),
    /// The trainer was asked to stop and did not do so in time.
    Overdue,
}

/// Whether the supervision goes on. If not, the trainer is killed, and then the reports of these members are discarded.
type Flow = ControlFlow<Vec<Member>>;

impl Supervision<'_> {
    async fn next(&mut self) -> Happening {
        let context = self.context;
        self.session.note_closed();
        self.newcomers.tell(self.free_places());
        self.measure();
        self.yield_by.retain(|run, _| self.session.is_open(*run));
        let attempts: Vec<Attempt> = self.session.members().map(|member| member.attempt).collect();
        let is_asked = |attempt: &Attempt| self.yield_by.contains_key(&attempt.run);
        let unasked: Vec<Attempt> = attempts.iter().filter(|attempt| !is_asked(attempt)).copied().collect();
        let is_stopping = self.stop_by.is_some();
        let deadline = self.deadline();
        tokio::select! {
            lost = context.leases.any_lost(&attempts) => Happening::Lost(lost),
            wanted = context.leases.any_yielding(&unasked) => Happening::WantedBack(wanted),
            asked = context.stop.asked(), if !is_stopping => Happening::Stop(asked),
            () = reached(deadline) => Happening::Overdue,
            happening = self.next_of_runs() => happening,
        }
    }

    /// Who comes to join, or what the trainer says. Cancel safe.
    async fn next_of_runs(&mut self) -> Happening {
        let Self { context, session, newcomers, trainer, watch, .. } = self;
        tokio::select! {
            biased;
            arrival = newcomers.next() => Happening::Arrival(arrival),
            happening = next_of_trainer(context, session, trainer, watch) => happening,
        }
    }

    /// Until when the trainer has to be done with what it was asked to stop; none when nothing was asked.
    fn deadline(&self) -> Option<Instant> {
        self.yield_by.values().copied().chain(self.stop_by).min()
    }

    async fn act_on(&mut self, happening: Happening) -> Flow {
        match happening {
            Happening::Event(event) => match self.on_event(event).await {
                Ok(()) => Flow::Continue(()),
                Err(breakdown) => self.on_breakdown(&breakdown).await,
            },
            Happening::Arrival(arrival) => {
                self.on_arrival(arrival);
                Flow::Continue(())
            }
            Happening::Breakdown(breakdown) => self.on_breakdown(&breakdown).await,
            Happening::Unreportable(run) => {
                // Closing finds out from the reporter why, and reports a failure.
                self.stop_run(run, Ending::Released);
                Flow::Continue(())
            }
            Happening::Unspoolable(run, reason) => {
                let fault = MachineFault::State { path: self.context.state.path().to_owned(), reason };
                self.stop_run(run, Ending::MachineFault(fault));
                Flow::Continue(())
            }
            Happening::Lost(attempts) => self.on_lost(&attempts).await,
            Happening::WantedBack(attempts) => {
                self.ask_back(attempts);
                Flow::Continue(())
            }
            Happening::Stop(asked) => {
                self.stop_by = Some(asked + self.context.grace);
                self.trainer.send(&Command::Shutdown);
                Flow::Continue(())
            }
            Happening::Overdue => {
                // The other runs of the group lose no more than what was trained since their last checkpoints.
                tracing::warn!("the trainer did not stop in time; killing it");
                self.session.close_all(|| Ending::Released);
                Flow::Break(Vec::new())
            }
        }
    }

    async fn on_event(&mut self, event: Event) -> Result<(), Breakdown> {
        let now = Instant::now();
        self.watch.observe(&event, now);
        self.pass_on(event).await?;
        // This is judged when the trainer speaks; a trainer that is silent, as in a long evaluation, has until
        // `trainer_silence`.
        self.watch.stuck(now).map_or(Ok(()), |idle| Err(Breakdown::Stuck(idle)))
    }

    /// Passes an event on to the run that it is about, and closes the run if the event was its last.
    async fn pass_on(&mut self, event: Event) -> Result<(), Breakdown> {
        let Some(run) = run_of(&event) else {
            return Err(Breakdown::Protocol("it said `ready` again".to_owned()));
        };
        if !self.session.was_given(run) {
            return Err(Breakdown::Protocol(format!("it reported on run {run}, which it was not given")));
        }
        self.is_untried = false;
        self.heed_memory(&event);
        match event {
            Event::Finished { .. } | Event::Stopped { .. } => {
                self.working.remove(&run);
                self.trained.remove(&run);
            }
            Event::Failed { .. } => {
                self.working.remove(&run);
                self.trained.remove(&run);
                self.may_stay = false;
            }
            Event::Checkpoint { step, .. } => self.notes_checkpoint(run, step),
            _ => {}
        }
        let Some(member) = self.session.member(run) else { return Ok(()) };
        match member.on_event(event).await? {
            None => {}
            // The trainer does not know of this fault, and would go on.
            Some(ending @ Ending::MachineFault(MachineFault::State { .. })) => self.stop_run(run, ending),
            Some(ending) => self.session.close(run, ending),
        }
        Ok(())
    }

    /// The open runs that are not at their ends.
    pub(super) fn training(&self) -> impl Iterator<Item = &Member> {
        self.session.members().filter(|member| !self.trained.contains(&member.attempt.run))
    }

    /// A checkpoint of a run's last step is the trained model.
    fn notes_checkpoint(&mut self, run: u64, step: u64) {
        if self.session.open_run(run).is_some_and(|(_, task)| step >= task.config.total_steps()) {
            self.trained.insert(run);
        }
    }

    /// Has the trainer stop a run, and closes that.
    fn stop_run(&mut self, run: u64, ending: Ending) {
        self.trainer.send(&Command::Stop { run });
        self.session.close(run, ending);
    }

    async fn on_lost(&mut self, attempts: &[Attempt]) -> Flow {
        let lost = self.session.take_lost(attempts);
        if self.session.is_empty() {
            return Flow::Break(lost);
        }
        for member in &lost {
            self.trainer.send(&Command::Stop { run: member.attempt.run });
        }
        discard(lost).await;
        Flow::Continue(())
    }

    fn ask_back(&mut self, attempts: Vec<Attempt>) {
        for attempt in attempts {
            tracing::info!(id = attempt.run, attempt = attempt.number, "asked to give the run back");
            self.yield_by.insert(attempt.run, Instant::now() + self.context.grace);
            self.trainer.send(&Command::Stop { run: attempt.run });
        }
    }

    async fn on_breakdown(&mut self, breakdown: &Breakdown) -> Flow {
        let message = self.trainer.post_mortem(breakdown).await;
        if self.deadline().is_some() {
            tracing::warn!("while stopping: {message}");
            self.session.close_all(|| Ending::Released);
        } else if self.is_untried {
            // Nobody knows whether this group or what was before has broken the trainer: a new one shows.
            tracing::warn!("before it said anything about these runs, {message}; starting another");
        } else if breakdown.is_killed() {
            self.session.close_all_for(MachineFault::Trainer(message));
        } else if self.session.members().len() > 1 {
            self.session.close_all(|| Ending::GroupFault { message: message.clone() });
        } else {
            let kind = OwnFault::Error;
            self.session.close_all(|| Ending::Failed { kind, message: message.clone() });
        }
        Flow::Break(Vec::new())
    }
}

/// The trainer's next event, taken only when every open run has room for what the event may bring: so a full queue
/// makes the trainer wait. Cancel safe.
async fn next_of_trainer(
    context: &Context,
    session: &Session,
    trainer: &mut TrainerProcess,
    watch: &mut ProgressWatch,
) -> Happening {
    watch.hold(Instant::now());
    for member in session.members() {
        let run = member.attempt.run;
        match member.reporter.room().await {
            Ok(()) => {}
            Err(ReportError::Refused(_) | ReportError::MovedBack(_) | ReportError::Damaged(_)) => {
                return Happening::Unreportable(run);
            }
            // The lease is gone as well, which is a happening of its own.
            Err(ReportError::Lost) => return pending().await,
        }
        if let Some(reason) = member.reporter.spool_fault() {
            return Happening::Unspoolable(run, reason);
        }
    }
    watch.go_on(Instant::now());
    match timeout(context.trainer_silence, trainer.next()).await {
        Ok(Ok(event)) => Happening::Event(event),
        Ok(Err(breakdown)) => Happening::Breakdown(breakdown),
        Err(_) => Happening::Breakdown(Breakdown::Silent(context.trainer_silence)),
    }
}

async fn reached(deadline: Option<Instant>) {
    match deadline {
        Some(at) => sleep_until(at).await,
        None => pending().await,
    }
}

async fn discard(lost: Vec<Member>) {
    for member in lost {
        member.reporter.discard().await;
    }
}

/// The run an event is about; none for `ready`.
fn run_of(event: &Event) -> Option<u64> {
    match event {
        Event::Ready { .. } => None,
        Event::Metric { run, .. }
        | Event::Evaluated { run, .. }
        | Event::Progress { run, .. }
        | Event::Working { run, .. }
        | Event::Checkpoint { run, .. }
        | Event::Artifact { run, .. }
        | Event::Finished { run, .. }
        | Event::Stopped { run, .. }
        | Event::Failed { run, .. } => Some(*run),
    }
}
