//! A worker from its start to its end: which groups it trains, on which slots.
//!
//! [`run`] is the way in. `start` makes a worker known to its coordinator, `recovery` ends what a killed agent left;
//! then `claims` and `groups` take turns, while `renewal` keeps the leases.

mod access_file;
mod claims;
mod groups;
mod left_attempt;
mod recovery;
mod registrar;
mod renewal;
mod slot_pool;
mod start;

use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use acai_proto::v1::ClaimResponse;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use crate::attempt::{Context, FAREWELL, LAST_UPLOADS};
use crate::config::WorkerConfig;
use crate::error::WorkerError;
use crate::summary::Summary;
use claims::{Claims, Grant, Room};
use groups::Groups;
use registrar::Registrar;
use slot_pool::SlotPool;
use start::Started;

/// Bounds on the pause after an empty claim, whatever the coordinator asks for.
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Works for a coordinator until `shutdown` resolves or there has been nothing to do for `idle_timeout`. Then trainers
/// get `grace` to checkpoint, and runs that they did not complete are given back; that takes at most 5 s longer than
/// `grace`. Outages of the coordinator are waited out.
///
/// Needs a multi-threaded tokio runtime with time and I/O enabled. Dropping the future kills the trainers.
///
/// # Errors
///
/// What makes this machine unable to work:
///
/// - no coordinator answers within 5 s, or within `outage` with a state folder that has served a coordinator before;
/// - the coordinator refuses this worker;
/// - there is no trainer program, or it has failed to start on every slot and has started on none;
/// - the machine has no slots;
/// - the state folder cannot be used, or another worker uses it.
///
/// What the machine lacks later, or on one slot alone, is no error: the slot rests.
pub async fn run(config: WorkerConfig, shutdown: impl Future<Output = ()>) -> Result<Summary, WorkerError> {
    let mut shutdown = pin!(shutdown);
    let Started { context, registrar, uploads: _uploads, slots } = tokio::select! {
        started = start::start(&config) => started?,
        () = &mut shutdown => return Ok(Summary::default()),
    };
    let slots = SlotPool::new(slots, config.slot_rest);
    let mut agent = Agent {
        claims: Claims::new(Arc::clone(&context), Arc::clone(&registrar)),
        groups: Groups::new(Arc::clone(&context), slots),
        context: Arc::clone(&context),
        registrar: Arc::clone(&registrar),
        idle_timeout: config.idle_timeout,
        claims_until: config.time_limit.map(|limit| limit.claims_until),
        idle_since: Instant::now(),
        summary: Summary::default(),
    };
    let hand_back_at = config.time_limit.map(|limit| limit.hand_back_at);
    let stopping = async {
        tokio::select! {
            () = shutdown => {}
            () = reached(hand_back_at) => tracing::info!("the time limit comes near"),
        }
        tracing::info!("stopping: no more claims, trainers get {:?} to checkpoint", context.grace);
        context.stop.ask();
        std::future::pending::<Infallible>().await
    };
    tokio::select! {
        result = agent.work() => result,
        never = renewal::keep(&context.leases, &registrar) => match never {},
        never = access_file::follow(config.access_file.as_deref(), registrar.current()) => match never {},
        never = stopping => match never {},
    }
}

/// How long to wait after an answer that grants nothing.
fn pause_after(answer: &ClaimResponse) -> Duration {
    Duration::from_millis(answer.retry_after_ms.into()).clamp(SHORTEST_PAUSE, LONGEST_PAUSE)
}

async fn reached(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}

struct Agent {
    context: Arc<Context>,
    registrar: Arc<Registrar>,
    claims: Claims,
    groups: Groups,
    idle_timeout: Option<Duration>,
    /// From then on nothing is claimed.
    claims_until: Option<Instant>,
    /// When the last group ended; counts while there is none.
    idle_since: Instant,
    summary: Summary,
}

impl Agent {
    async fn work(&mut self) -> Result<Summary, WorkerError> {
        self.context.metrics.says_that_it_works(true);
        let worked = self.claim_and_train().await;
        self.context.metrics.says_that_it_works(false);
        // A worker that ends by itself has time; one that is told to stop may be killed soon.
        let last_uploads =
            if self.context.stop.is_asked() { LAST_UPLOADS } else { self.context.last_uploads };
        self.context.stop.ask();
        let drained = self.drain().await;
        let left = self.context.artifacts.settled(last_uploads).await;
        if left > 0 {
            tracing::info!(
                "{left} pictures and logs are still to be uploaded: the next worker with this state folder does"
            );
        }
        self.registrar.leave().await;
        tracing::info!("the worker ends: {}", self.summary);
        worked.and(drained).map(|()| self.summary)
    }

    async fn claim_and_train(&mut self) -> Result<(), WorkerError> {
        let context = Arc::clone(&self.context);
        tokio::select! {
            recovered = recovery::recover(&context) => {
                self.summary += recovered?;
            }
            // Reports that are not delivered stay for the next agent.
            _ = context.stop.asked() => self.summary.cut_short = true,
        }
        // The idle time counts from here: recovery waits out an outage.
        self.idle_since = Instant::now();
        while !context.stop.is_asked() && !self.is_idle_too_long() {
            let free = self.groups.free_slots();
            if self.claims_no_more() {
                if self.groups.len() == 0 {
                    tracing::info!("the time limit is too near for another run");
                    break;
                }
                self.pause(None).await?;
                continue;
            }
            if free == 0 {
                self.fill_places().await?;
                continue;
            }
            let (room, idle_at) = (Room::Groups(free, context.sizing.next()), self.idle_at());
            let Some(Grant { sent, answer }) = self.claims.next(room, idle_at).await? else { continue };
            if answer.groups.is_empty() {
                self.pause(Some(pause_after(&answer))).await?;
            }
            for group in answer.groups {
                self.groups.begin(group, sent);
            }
        }
        Ok(())
    }

    /// While no slot is free: claims runs for the places of a group, once that may be done, or waits as in [`Self::pause`]. A
    /// free slot takes whatever a group could take, so nothing is claimed for groups as long as there is one.
    async fn fill_places(&mut self) -> Result<(), WorkerError> {
        let context = Arc::clone(&self.context);
        tokio::select! {
            biased;
            paused = self.pause(None) => return paused,
            () = context.vacancies.due() => {}
        }
        let Some((number, vacancy)) = self.groups.due_vacancy() else { return Ok(()) };
        let claimed = self.claims.next(Room::Places(vacancy), None).await;
        let now = Instant::now();
        // The group waits for an answer, whatever became of the claim.
        match &claimed {
            Ok(Some(Grant { sent, answer })) => {
                self.groups.join(number, answer.groups.clone(), *sent, now + pause_after(answer));
            }
            Ok(None) | Err(_) => self.groups.join(number, Vec::new(), now, now + LONGEST_PAUSE),
        }
        claimed.map(drop)
    }

    /// Waits for `pause`, or until a group ends, a slot has rested, or the worker should end.
    async fn pause(&mut self, pause: Option<Duration>) -> Result<(), WorkerError> {
        let idle = self.idle_timeout.filter(|_| self.groups.len() == 0);
        let rested = self.groups.next_wake().map(|at| at.saturating_duration_since(Instant::now()));
        let until = self.claims_until.map(|at| at.saturating_duration_since(Instant::now()));
        // When nothing is claimed any more, only the end of a group matters.
        let until = until.filter(|until| !until.is_zero());
        let pause = pause.into_iter().chain(idle).chain(rested).chain(until).min();
        tokio::select! {
            () = sleep(pause.unwrap_or(LONGEST_PAUSE)) => Ok(()),
            _ = self.context.stop.asked() => Ok(()),
            Some(ended) = self.groups.next_end() => self.on_group_end(ended),
        }
    }

    fn on_group_end(&mut self, ended: Result<Summary, WorkerError>) -> Result<(), WorkerError> {
        self.idle_since = Instant::now();
        self.summary += ended?;
        Ok(())
    }

    fn claims_no_more(&self) -> bool {
        self.claims_until.is_some_and(|at| Instant::now() >= at)
    }

    fn is_idle_too_long(&self) -> bool {
        self.idle_at().is_some_and(|idle_at| Instant::now() >= idle_at)
    }

    /// When the worker has been idle for too long, if nothing happens until then. A worker whose slot rests is not
    /// idle: the run that it gave back may be waiting for that slot.
    fn idle_at(&self) -> Option<Instant> {
        let has_work = self.groups.len() > 0 || self.groups.next_wake().is_some();
        // A timeout beyond the end of the clock is as good as none.
        self.idle_timeout.filter(|_| !has_work).and_then(|timeout| self.idle_since.checked_add(timeout))
    }

    /// Waits for all groups; groups that take too long are dropped, and their trainers killed.
    async fn drain(&mut self) -> Result<(), WorkerError> {
        let deadline = self.context.stop.asked().await + self.context.grace + FAREWELL;
        let mut result = Ok(());
        while let Ok(Some(ended)) = timeout_at(deadline, self.groups.next_end()).await {
            result = result.and(self.on_group_end(ended));
        }
        let remaining = self.groups.len();
        if remaining > 0 {
            tracing::warn!("{remaining} groups could not hand back their runs in time");
            self.summary.cut_short = true;
            self.groups.abort().await;
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use acai_access::AccessFile;

    use super::claims::LAST_CLAIM;
    use super::*;

    #[test]
    fn a_stopped_worker_ends_before_a_cluster_kills_it() {
        let grace = WorkerConfig::new(AccessFile::open("http://localhost:7700"), ".acai").grace;
        // Kubernetes waits 30 s; leave a margin for the kill itself and for what stops around it.
        assert!(grace + FAREWELL < Duration::from_secs(25) && LAST_CLAIM < grace);
    }
}
