//! The coordinator's database, as the weather has it: it may be away for a while, or be put back to what it was before. What it
//! answers is held against what it has promised ([`answers`]).

mod answers;

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use acai_coordinator::clock::Clock;
use acai_coordinator::garbage::Ages;
use acai_coordinator::store::memory::MemoryStore;
use acai_coordinator::store::postgres::Limits;
use acai_coordinator::store::{AttemptRef, Result, Store, StoreError};
use tokio::time::sleep;

use crate::journal::Journal;
use crate::ledger::Ledger;
use crate::plan::Plan;
use crate::system::{elapsed, here};

/// An outage is long if renewals fell into it.
const GAP: Duration = Duration::from_secs(11);
/// The term of a lease, less what a look for ended ones may be late.
const TERM: Duration = Duration::from_secs(29);

/// A worker to which nothing has happened for so long has renewed its leases: a term, and as long as renewals and the look for
/// ended leases may be late.
const UNDISTURBED: Duration = Duration::from_secs(60);

/// How a database that is away fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outage {
    /// It does nothing.
    Refuses,
    /// It does what it is asked, but its answer is lost.
    LosesAnswers,
    /// It has vanished without a word. Each call waits for as long as a read of Postgres, and has no effect.
    IsSilent,
}

/// A store that can be away.
#[derive(Debug)]
pub(crate) struct Weather {
    store: Mutex<Promised>,
    /// Whether it has a clock of its own, as a database has that several coordinators serve; or else that of its coordinator.
    has_clock: bool,
    /// With its database's time then, in milliseconds.
    backup: Mutex<Option<(Promised, i64)>>,
    /// The database that is not served just now, once there was another one.
    other: Mutex<Option<Promised>>,
    journal: Journal,
    /// How the database is away, for each coordinator for which it is.
    outages: Mutex<BTreeMap<&'static str, Outage>>,
    /// When the last long outage began and ended, as each coordinator knows that has run since.
    away: Mutex<BTreeMap<&'static str, Away>>,
    /// See [`Weather::rewrites`].
    rewrites: AtomicU32,
    /// See [`Weather::is_old_backup`].
    is_old_backup: AtomicBool,
    /// The latest time that a coordinator's clock has shown since the backup was made, in milliseconds.
    latest_ms: AtomicI64,
}

/// When an outage began, and when the last long one ended.
#[derive(Debug, Clone, Copy, Default)]
struct Away {
    since: Duration,
    until: Duration,
}

/// A store, and what it has promised.
#[derive(Debug, Clone)]
struct Promised {
    store: Arc<MemoryStore>,
    ledger: Ledger,
}

impl Weather {
    pub(crate) fn new(store: MemoryStore, plan: &Plan, journal: Journal) -> Weather {
        let store = Mutex::new(Promised { store: Arc::new(store), ledger: Ledger::default() });
        Weather {
            store,
            has_clock: plan.has_two_coordinators,
            backup: Mutex::default(),
            other: Mutex::default(),
            journal,
            outages: Mutex::default(),
            away: Mutex::default(),
            rewrites: AtomicU32::new(0),
            is_old_backup: AtomicBool::new(false),
            latest_ms: AtomicI64::new(i64::MIN),
        }
    }

    /// The store as it is now.
    pub(crate) fn store(&self) -> Arc<MemoryStore> {
        Arc::clone(&self.promised().store)
    }

    fn promised(&self) -> MutexGuard<'_, Promised> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a backup.
    pub(crate) fn back_up(&self) {
        let Promised { store, ledger } = self.promised().clone();
        let now_ms = store.clock().now_ms();
        self.latest_ms.store(now_ms, Ordering::Relaxed);
        let backup = Promised { store: Arc::new(store.copy()), ledger };
        *self.backup.lock().unwrap_or_else(PoisonError::into_inner) = Some((backup, now_ms));
    }

    /// Puts the last backup in the place of the store. No coordinator runs meanwhile.
    pub(crate) fn restore(&self) {
        if let Some((backup, then_ms)) = self.backup.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let before = std::mem::replace(&mut *self.promised(), backup);
            // By the clock that was set meanwhile, and maybe set back. What nobody needed for so long is deleted.
            let latest_ms = self.latest_ms.load(Ordering::Relaxed).max(before.store.clock().now_ms());
            let is_old = latest_ms - then_ms >= Ages::default().unused_ms;
            self.is_old_backup.store(is_old, Ordering::Relaxed);
            self.rewrite();
        }
    }

    /// Puts the other database in the place of the store: an empty one, the first time. No coordinator runs meanwhile.
    pub(crate) fn exchange(&self) {
        let mut other = self.other.lock().unwrap_or_else(PoisonError::into_inner);
        let empty =
            || Promised { store: Arc::new(MemoryStore::new(Clock::start())), ledger: Ledger::default() };
        let next = other.take().unwrap_or_else(empty);
        *other = Some(std::mem::replace(&mut *self.promised(), next));
        self.is_old_backup.store(false, Ordering::Relaxed);
        self.rewrite();
    }

    fn rewrite(&self) {
        self.rewrites.fetch_add(1, Ordering::Relaxed);
    }

    /// How often the database was put back or exchanged, or a sweep forgotten.
    pub(crate) fn rewrites(&self) -> u32 {
        self.rewrites.load(Ordering::Relaxed)
    }

    /// Whether the database is a backup that was put back after longer than checkpoints are kept which nobody needs.
    pub(crate) fn is_old_backup(&self) -> bool {
        self.is_old_backup.load(Ordering::Relaxed)
    }

    /// From now on it is away so for these coordinators, or there again.
    pub(crate) fn set(&self, coordinators: &[&'static str], outage: Option<Outage>) {
        for &host in coordinators {
            let before = match outage {
                Some(outage) => self.outages().insert(host, outage),
                None => self.outages().remove(host),
            };
            let mut all = self.away();
            let Some(away) = all.get_mut(host) else { continue };
            if before.is_none() {
                away.since = elapsed();
            } else if outage.is_none() && elapsed() - away.since > GAP {
                away.until = elapsed();
            }
        }
    }

    fn away(&self) -> MutexGuard<'_, BTreeMap<&'static str, Away>> {
        self.away.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A coordinator starts on this host: it opens the database, by its wall clock where that has none, gives leases fresh terms, but
    /// not for ever, and knows of no outage before.
    pub(crate) fn coordinator_starts(&self, host: &'static str) {
        if !self.has_clock {
            let mut promised = self.promised();
            let (before, clock) = (promised.store.clock().now_ms(), Clock::start());
            self.latest_ms.fetch_max(before.max(clock.now_ms()), Ordering::Relaxed);
            promised.ledger.opens(whole_seconds(clock.now_ms() - before));
            promised.store = Arc::new(promised.store.reopened(clock));
        }
        self.away().insert(host, Away { since: elapsed(), until: Duration::ZERO });
    }

    fn outages(&self) -> MutexGuard<'_, BTreeMap<&'static str, Outage>> {
        self.outages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at leases that the coordinator that asks has ended: none does within a term after the database was away, when nobody
    /// could renew any.
    fn judge(&self, leases: &[AttemptRef]) {
        let ended = here().and_then(|host| self.away().get(host).map(|away| away.until)).unwrap_or_default();
        if !leases.is_empty() && !ended.is_zero() && elapsed() < ended + TERM {
            self.journal.violates("a lease ended although its worker could not renew it".to_owned());
        }
    }

    /// Answers as the store does, unless that is away. `promises` is told of the answer, also of one that is lost.
    async fn answer<T>(
        &self,
        method: &'static str,
        answer: impl Future<Output = Result<T>>,
        promises: impl FnOnce(&mut Ledger, &Result<T>) -> Kept,
    ) -> Result<T> {
        self.journal.counts("store", method);
        self.fails_with(Outage::Refuses)?;
        if let Err(silent) = self.fails_with(Outage::IsSilent) {
            sleep(Limits::default().short).await;
            return Err(silent);
        }
        let answer = answer.await;
        let kept = promises(&mut self.promised().ledger, &answer);
        self.expect(kept);
        self.fails_with(Outage::LosesAnswers)?;
        answer
    }

    fn expect(&self, kept: Kept) {
        if let Err(broken) = kept {
            self.journal.violates(broken);
        }
    }

    /// The workers that the store knows.
    async fn workers(&self) -> Result<BTreeSet<String>> {
        let workers = self.store().worker_list(i64::MIN, "", u32::MAX).await?;
        Ok(workers.into_iter().map(|worker| worker.registration.id).collect())
    }

    /// The store's time in so many milliseconds.
    async fn in_ms(&self, term_ms: i64) -> Result<i64> {
        Ok(self.store().now_ms().await?.saturating_add(term_ms))
    }

    fn fails_with(&self, outage: Outage) -> Result<()> {
        match here().and_then(|host| self.outages().get(host).copied()) {
            Some(now) if now == outage => Err(StoreError::Unavailable(format!("simulated: {outage:?}"))),
            _ => Ok(()),
        }
    }
}

/// By how many milliseconds a clock was set, which is done by whole seconds: the rest comes of rounding.
fn whole_seconds(ms: i64) -> i64 {
    (ms + 500).div_euclid(1000) * 1000
}

/// Whether promises are kept; or which is broken.
type Kept = std::result::Result<(), String>;
