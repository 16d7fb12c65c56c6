//! Which groups this worker trains, on which slots.

mod recovery;
mod registrar;
mod renewal;
mod slot_pool;

use std::convert::Infallible;
use std::future::Future;
use std::panic::resume_unwind;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use acai_proto::v1::{ClaimRequest, ClaimResponse, Group, RegisterRequest};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use uuid::Uuid;

use crate::attempt::{Context, FAREWELL, Limits, MachineFault, Stop, probe, train};
use crate::backoff::Backoff;
use crate::client::{CallError, Rejection};
use crate::config::WorkerConfig;
use crate::error::WorkerError;
use crate::leases::Leases;
use crate::machine::devices::slots;
use crate::machine::{datasets, hardware};
use crate::reporting::Capacity;
use crate::state_folder::StateFolder;
use crate::summary::Summary;
use crate::trainer::locate;
use registrar::{FIRST_CONTACT, Registrar};
use slot_pool::{Place, SlotPool};

/// How long a claim under way is waited for when the worker is told to stop, so that what it grants
/// can be handed back at once.
const LAST_CLAIM: Duration = Duration::from_secs(2);
/// Bounds on the pause after an empty claim, whatever the coordinator asks for.
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Works for a coordinator until `shutdown` resolves or there has been nothing to do for
/// `idle_timeout`. Then trainers get `grace` to checkpoint, and what they did not complete is handed
/// back; that takes at most 5 s longer than `grace`. Outages of the coordinator are waited out.
///
/// Needs a multi-threaded tokio runtime with time and I/O enabled. Dropping the future kills the trainers.
///
/// # Errors
///
/// What makes this machine unable to work: no coordinator (after 5 s; after `outage` with a state folder that has served
/// one before), one that refuses this worker, no trainer program or one that has failed to start on every slot and has
/// started on none, no slots, no state folder or one that another worker uses. What the machine lacks later, or on one
/// slot alone, has that slot rest.
pub async fn run(config: WorkerConfig, shutdown: impl Future<Output = ()>) -> Result<Summary, WorkerError> {
    let mut shutdown = pin!(shutdown);
    let mut agent = tokio::select! {
        agent = Agent::start(config) => agent?,
        () = &mut shutdown => return Ok(Summary::default()),
    };
    let context = Arc::clone(&agent.context);
    let registrar = Arc::clone(&agent.registrar);
    let stopping = async {
        shutdown.await;
        tracing::info!("stopping: no more claims, trainers get {:?} to checkpoint", context.grace);
        context.stop.ask();
        std::future::pending::<Infallible>().await
    };
    tokio::select! {
        result = agent.work() => result,
        never = renewal::keep(&context, &registrar) => match never {},
        never = stopping => match never {},
    }
}

struct Agent {
    context: Arc<Context>,
    registrar: Arc<Registrar>,
    group_size: u32,
    idle_timeout: Option<Duration>,
    slots: SlotPool,
    /// Claims so far; the last one's number.
    claims: u64,
    groups: JoinSet<GroupEnd>,
    /// When the last group ended; counts while there is none.
    idle_since: Instant,
    summary: Summary,
}

/// A slot that has no group any more, and what happened on it.
type GroupEnd = (Place, Summary, Option<MachineFault>);

impl Agent {
    async fn start(config: WorkerConfig) -> Result<Self, WorkerError> {
        let trainer = locate(config.trainer.as_deref())?;
        let state = StateFolder::open(&config.state, config.adopt)?;
        let hardware = hardware::detect().await;
        let free = slots(&hardware, config.device, config.slots, config.threads)?;
        let datasets = datasets::available(config.data.as_deref());
        let registration = RegisterRequest {
            worker_id: Uuid::new_v4().to_string(),
            name: config.name.unwrap_or_else(|| hardware.host.clone()),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            hardware: Some(hardware),
            slots: free.len() as u32,
            datasets: datasets.iter().map(|dataset| dataset.name().to_owned()).collect(),
        };
        let registrar = Registrar::new(config.coordinator, registration)?;
        // A coordinator that was started together with this worker may need a moment; a wrong address should not take
        // minutes to be noticed. One that was right before is another matter.
        let patience = if state.has_served() { config.outage.max(FIRST_CONTACT) } else { FIRST_CONTACT };
        let terms = registrar.first_contact(patience).await?;
        state.serve(registrar.database())?;
        let context = Context {
            coordinator: registrar.connection()?,
            leases: Arc::new(Leases::new(terms, config.outage)),
            trainer,
            data: config.data,
            state,
            grace: config.grace,
            last_uploads: config.last_uploads,
            trainer_silence: config.trainer_silence,
            trainer_progress: Limits { setup: config.trainer_setup, step: config.trainer_step },
            capacity: Capacity { points: config.queue_points, bytes: config.spool_bytes },
            stop: Stop::default(),
            has_started_trainers: AtomicBool::new(false),
        };
        Ok(Self {
            context: Arc::new(context),
            registrar: Arc::new(registrar),
            group_size: config.group_size.max(1),
            idle_timeout: config.idle_timeout,
            slots: SlotPool::new(free, config.slot_rest),
            claims: 0,
            groups: JoinSet::new(),
            idle_since: Instant::now(),
            summary: Summary::default(),
        })
    }

    async fn work(&mut self) -> Result<Summary, WorkerError> {
        let worked = self.claim_and_train().await;
        self.context.stop.ask();
        let drained = self.drain().await;
        self.registrar.leave().await;
        tracing::info!("the worker ends: {}", self.summary);
        worked.and(drained).map(|()| self.summary)
    }

    async fn claim_and_train(&mut self) -> Result<(), WorkerError> {
        let context = Arc::clone(&self.context);
        tokio::select! {
            recovered = recovery::recover(&context) => self.summary += recovered?,
            // What is not delivered stays for the next agent.
            _ = context.stop.asked() => self.summary.cut_short = true,
        }
        // The idle time counts from here: recovery waits out an outage.
        self.idle_since = Instant::now();
        while !context.stop.is_asked() && !self.is_idle_too_long() {
            self.slots.wake(Instant::now());
            self.context.leases.say_resting(self.slots.resting());
            if self.slots.free() == 0 {
                self.pause(None).await?;
                continue;
            }
            let Some((sent, ClaimResponse { groups, retry_after_ms, .. })) = self.next_grant().await? else {
                continue;
            };
            if groups.is_empty() {
                let pause = Duration::from_millis(retry_after_ms.into());
                self.pause(Some(pause.clamp(SHORTEST_PAUSE, LONGEST_PAUSE))).await?;
            }
            for group in groups {
                self.begin(group, sent);
            }
        }
        Ok(())
    }

    async fn next_grant(&mut self) -> Result<Option<(Instant, ClaimResponse)>, WorkerError> {
        self.claims += 1;
        let mut claiming = pin!(self.claim());
        tokio::select! {
            grant = &mut claiming => grant,
            _ = self.context.stop.asked() => timeout(LAST_CLAIM, claiming).await.unwrap_or(Ok(None)),
        }
    }

    /// Claims as many groups as there are free slots, through outages. A repeated call carries the
    /// same claim id, so that a grant whose answer got lost is not lost with it. None when the worker
    /// is idle and has tried for the term of a lease: by then a grant it never heard of has lapsed.
    async fn claim(&self) -> Result<Option<(Instant, ClaimResponse)>, WorkerError> {
        let request = ClaimRequest {
            worker_id: self.registrar.worker_id().to_owned(),
            claim_id: Uuid::new_v4().to_string(),
            number: self.claims,
            groups: self.slots.free(),
            group_size: self.group_size,
            rest: Some(self.context.leases.resting()),
        };
        let first_sent = Instant::now();
        let mut backoff = Backoff::default();
        // Whether the last answer was a refusal too. With a registration in between it will not have this worker; after an
        // outage it may be that it has forgotten the worker once more.
        let mut was_refused = false;
        loop {
            let sent = Instant::now();
            match self.context.coordinator.claim(request.clone()).await {
                Ok(answer) => {
                    self.context.leases.told_terms(answer.lease_ms, answer.renew_ms);
                    return Ok(Some((sent, answer)));
                }
                // Of a run that others may be given, or that people repair: no reason to end a worker that is well.
                Err(CallError::Rejected(damaged @ Rejection::Damaged(_))) => {
                    tracing::error!("the coordinator cannot grant a claim: {damaged}");
                    was_refused = false;
                    backoff.pause().await;
                }
                Err(CallError::Rejected(rejection)) if was_refused => {
                    return Err(self.registrar.refused(&rejection));
                }
                Err(CallError::Rejected(rejection)) => {
                    tracing::info!("registering again: {rejection}");
                    was_refused = true;
                }
                Err(CallError::Unavailable(reason)) => {
                    tracing::warn!("the coordinator does not answer ({reason}); waiting for it");
                    was_refused = false;
                    backoff.pause().await;
                }
            }
            // A coordinator that was away, or refused, may not know this worker any more.
            match self.registrar.register_again().await? {
                Some(terms) => self.context.leases.set_terms(terms),
                None => was_refused = false,
            }
            if self.is_idle_too_long() && first_sent.elapsed() >= self.context.leases.terms().term {
                return Ok(None);
            }
        }
    }

    fn begin(&mut self, group: Group, sent: Instant) {
        let Some(place) = self.slots.take() else {
            tracing::warn!(
                "the coordinator granted more groups than asked for; that one's leases will lapse"
            );
            return;
        };
        for attempt in group.runs.iter().filter_map(|run| run.attempt) {
            self.context.leases.grant(attempt, sent);
        }
        let context = Arc::clone(&self.context);
        self.groups.spawn(async move {
            let (summary, fault) = train(context, &place.slot, group).await;
            (place, summary, fault)
        });
    }

    /// Waits for `pause`, or until a group ends, a slot has rested, or the worker should end.
    async fn pause(&mut self, pause: Option<Duration>) -> Result<(), WorkerError> {
        let idle = self.idle_timeout.filter(|_| self.groups.is_empty());
        let rested = self.slots.next_wake().map(|at| at.saturating_duration_since(Instant::now()));
        let pause = pause.into_iter().chain(idle).chain(rested).min();
        tokio::select! {
            () = sleep(pause.unwrap_or(LONGEST_PAUSE)) => Ok(()),
            _ = self.context.stop.asked() => Ok(()),
            Some(ended) = self.groups.join_next() => self.on_group_end(ended),
        }
    }

    fn on_group_end(&mut self, ended: Result<GroupEnd, JoinError>) -> Result<(), WorkerError> {
        let (mut place, summary, fault) = match ended {
            Ok(ended) => ended,
            Err(error) => resume_unwind(error.into_panic()),
        };
        self.summary += summary;
        self.idle_since = Instant::now();
        let Some(fault) = fault else {
            self.slots.put_back(place);
            return Ok(());
        };
        let reason = fault.to_string();
        if matches!(fault, MachineFault::TrainerStart { .. }) {
            let starts_nowhere = self.slots.fails_to_start(&mut place);
            if !self.context.has_started_trainers.load(Ordering::Relaxed) {
                if starts_nowhere {
                    return Err(WorkerError::TrainerStart { reason });
                }
                self.probe_others();
            }
        }
        tracing::warn!(slot = place.slot.device, "this slot rests: {reason}");
        self.slots.rest(place, reason, Instant::now(), rand::random());
        Ok(())
    }

    /// Finds out at once whether a trainer starts on the slots that have none: there may be no runs for them, or the
    /// coordinator may not grant this worker again what it has just given back.
    fn probe_others(&mut self) {
        for place in self.slots.take_startable() {
            let context = Arc::clone(&self.context);
            self.groups.spawn(async move {
                let fault = probe(&context, &place.slot).await.err();
                (place, Summary::default(), fault)
            });
        }
    }

    /// A worker whose slot rests is not idle: the run that it gave back may be waiting for that slot.
    fn is_idle_too_long(&self) -> bool {
        let has_work = !self.groups.is_empty() || self.slots.next_wake().is_some();
        !has_work && self.idle_timeout.is_some_and(|timeout| self.idle_since.elapsed() >= timeout)
    }

    /// Waits for all groups; those that take too long are dropped, and their trainers killed.
    async fn drain(&mut self) -> Result<(), WorkerError> {
        let deadline = self.context.stop.asked().await + self.context.grace + FAREWELL;
        let mut result = Ok(());
        while let Ok(Some(ended)) = timeout_at(deadline, self.groups.join_next()).await {
            result = result.and(self.on_group_end(ended));
        }
        if !self.groups.is_empty() {
            tracing::warn!("{} groups could not hand back their runs in time", self.groups.len());
            self.summary.cut_short = true;
            self.groups.shutdown().await;
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stopped_worker_is_gone_before_a_cluster_kills_it() {
        let grace = WorkerConfig::new("http://localhost:7700", ".acai").grace;
        // Kubernetes waits 30 s; leave a margin for the kill itself and for what stops around it.
        assert!(grace + FAREWELL < Duration::from_secs(25) && LAST_CLAIM < grace);
    }
}
