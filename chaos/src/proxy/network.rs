//! What all proxies share: ways to the coordinators, faults, and the journal.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use acai_access::{AccessFile, Connection, Token, connection, endpoint};
use tokio::sync::{RwLock, RwLockWriteGuard, watch};
use tonic::Status;
use tonic::transport::Channel;

use super::call::{Call, Reply};
use super::witness::{id, witnessed};
use crate::journal::{AttemptId, Journal, Origin, What};
use crate::schedule::{MessageFault, Schedule};
use crate::tally::Tally;

/// A coordinator that hangs is given up after this long, as workers do.
const DEADLINE: Duration = Duration::from_secs(10);
/// Requests kept for replays.
const ARCHIVE: usize = 5_000;

/// What does not pass between a worker and the coordinators.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Hole {
    /// Everything passes.
    #[default]
    None,
    /// Requests vanish.
    Requests,
    /// Replies vanish.
    Replies,
}

/// See the module.
#[derive(Debug)]
pub struct Network {
    /// What every client was told.
    pub journal: Journal,
    /// Faults so far.
    pub tally: Tally,
    schedule: Schedule,
    upstreams: Vec<Channel>,
    /// Each worker's token, if workers have one.
    tokens: Vec<Option<Token>>,
    turn: AtomicUsize,
    calm: AtomicBool,
    holes: Vec<watch::Sender<Hole>>,
    messages: Vec<AtomicU64>,
    cuts: watch::Sender<u64>,
    archive: Mutex<Vec<Call>>,
    /// Held by every request that is under way.
    under_way: RwLock<()>,
}

impl Network {
    /// A network of `schedule`'s workers, which have these tokens, and these coordinators.
    ///
    /// # Errors
    /// If an address cannot be dialled.
    pub fn new(
        schedule: Schedule,
        coordinators: &[AccessFile],
        tokens: Vec<Option<Token>>,
        journal: Journal,
    ) -> anyhow::Result<Self> {
        let upstream = |coordinator: &AccessFile| {
            let endpoint = endpoint(coordinator)?;
            Ok(endpoint.timeout(DEADLINE).connect_timeout(DEADLINE).connect_lazy())
        };
        Ok(Network {
            journal,
            tally: Tally::default(),
            schedule,
            upstreams: coordinators.iter().map(upstream).collect::<anyhow::Result<_>>()?,
            tokens,
            turn: AtomicUsize::new(0),
            calm: AtomicBool::new(false),
            holes: (0..schedule.workers).map(|_| watch::Sender::default()).collect(),
            messages: (0..schedule.workers).map(|_| AtomicU64::new(0)).collect(),
            cuts: watch::Sender::new(0),
            archive: Mutex::default(),
            under_way: RwLock::default(),
        })
    }

    /// From now on everything passes.
    pub fn calm_down(&self) {
        self.calm.store(true, Ordering::SeqCst);
        for worker in 0..self.holes.len() {
            self.set_hole(worker, Hole::None);
        }
    }

    pub(super) fn is_calm(&self) -> bool {
        self.calm.load(Ordering::SeqCst)
    }

    /// Changes what does not pass between a worker and the coordinators.
    pub fn set_hole(&self, worker: usize, hole: Hole) {
        if let Some(holes) = self.holes.get(worker) {
            holes.send_replace(hole);
        }
    }

    /// Breaks all connections of all workers.
    pub fn cut_connections(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Waits until no request is under way; others wait until this is dropped.
    pub async fn hold(&self) -> RwLockWriteGuard<'_, ()> {
        self.under_way.write().await
    }

    pub(super) fn cuts(&self) -> watch::Receiver<u64> {
        self.cuts.subscribe()
    }

    pub(super) fn next_message_fault(&self, worker: usize) -> MessageFault {
        match self.messages.get(worker) {
            Some(messages) if !self.is_calm() => {
                self.schedule.message_fault(worker, messages.fetch_add(1, Ordering::SeqCst))
            }
            _ => MessageFault::None,
        }
    }

    /// Passes unless requests vanish; then it says nothing until they pass again.
    pub(super) async fn hole(&self, worker: usize) -> Result<(), Status> {
        self.swallow(worker, Hole::Requests).await
    }

    /// Passes unless replies vanish; then it says nothing until they pass again.
    pub(super) async fn reply_hole(&self, worker: usize) -> Result<(), Status> {
        self.swallow(worker, Hole::Replies).await
    }

    async fn swallow(&self, worker: usize, hole: Hole) -> Result<(), Status> {
        let Some(holes) = self.holes.get(worker) else { return Ok(()) };
        let mut holes = holes.subscribe();
        if *holes.borrow_and_update() != hole {
            return Ok(());
        }
        // The sender lives as long as `self`.
        let _ = holes.wait_for(|now| *now != hole).await;
        Err(Status::unavailable("chaos: swallowed by a black hole"))
    }

    /// A worker's way to a coordinator, each in its turn: any of them must be able to answer any call.
    pub(super) fn upstream(&self, worker: usize) -> Connection {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % self.upstreams.len();
        connection(self.upstreams[turn].clone(), self.token(worker))
    }

    /// The worker's token, if workers have one.
    pub(super) fn token(&self, worker: usize) -> Option<&Token> {
        self.tokens.get(worker)?.as_ref()
    }

    /// Sends a request on and writes down what came of it.
    pub(super) async fn forward(
        &self,
        worker: usize,
        call: Call,
        origin: Origin,
        told: bool,
    ) -> Result<Reply, Status> {
        if origin == Origin::Worker {
            self.keep(&call);
        }
        let _under_way = self.under_way.read().await;
        let sent = self.journal.tick();
        let answer = call.clone().send(self.upstream(worker)).await;
        if let Some(what) = witnessed(&call, &answer) {
            let recorded = self.journal.record(sent, worker, origin, told, what);
            recorded.map_err(|error: io::Error| Status::internal(format!("chaos: the journal: {error}")))?;
        }
        answer
    }

    /// The coordinators' disk had no room for a checkpoint of this attempt, or would not keep it.
    pub(super) fn note_no_room(&self, worker: usize, attempt: AttemptId) {
        self.note(worker, What::NoRoom { attempt });
    }

    /// The coordinators' disk could not tell what it has.
    pub(super) fn note_no_blobs(&self, worker: usize) {
        self.note(worker, What::NoBlobs);
    }

    fn note(&self, worker: usize, what: What) {
        let sent = self.journal.tick();
        // What cannot be written down is not known to the checker, which then finds too much, never too little.
        let _ = self.journal.record(sent, worker, Origin::Worker, true, what);
    }

    fn keep(&self, call: &Call) {
        if call.attempt().is_some() {
            let mut archive = self.archive();
            if archive.len() == ARCHIVE {
                archive.clear();
            }
            archive.push(call.clone());
        }
    }

    /// The old request at a place that `choose` picks among those of dead attempts.
    pub(super) fn request_of_the_dead(&self, choose: impl FnOnce(usize) -> usize) -> Option<Call> {
        let dead = |call: &&Call| call.attempt().is_some_and(|attempt| self.journal.is_dead(id(attempt)));
        let archive = self.archive();
        let dead: Vec<&Call> = archive.iter().filter(dead).collect();
        dead.get(choose(dead.len())).map(|call| (*call).clone())
    }

    pub(super) fn seed(&self) -> u64 {
        self.schedule.seed
    }

    fn archive(&self) -> MutexGuard<'_, Vec<Call>> {
        self.archive.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
