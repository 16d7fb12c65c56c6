//! Workers, a network, a coordinator and people, driven by one stream of random numbers.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use acai_coordinator::clock::{Clock, ManualClock};
use acai_coordinator::store::postgres::PostgresStore;
use acai_coordinator::store::sqlite::SqliteStore;
use acai_coordinator::store::{Claim, Grant, NewRun, NewSweep, Registration, Store};
use acai_sweep::configuration::Configuration;
use acai_sweep::control::{Intent, RETRIED};
use acai_sweep::run::RunState;
use acai_sweep::scalar::Scalar;
use acai_sweep::schedule::Offer;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tempfile::TempDir;

use crate::journal::Journal;
use crate::network::{Answer, Call, Fate};
use crate::points::stored;
use crate::worker::{STEPS, Training};

const LEASE: i64 = 30_000;
const WORKERS: usize = 3;
const SLOTS: usize = 2;
const RUNS: u64 = 5;
/// Things that happen while there are faults.
const TURMOIL: u32 = 120;
/// Rounds without faults in which everything must come to an end.
const PATIENCE: u32 = 400;

/// A database.
pub(crate) enum Place {
    Sqlite(TempDir),
    Postgres(String),
}

impl Place {
    /// In memory where that is a folder: a simulated kill keeps what was written, so there is nothing to flush.
    pub(crate) fn sqlite() -> Place {
        let memory = std::path::Path::new("/dev/shm");
        let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        Place::Sqlite(folder.unwrap())
    }

    async fn open(&self, clock: &ManualClock) -> Arc<dyn Store> {
        match self {
            Place::Sqlite(folder) => {
                let path = folder.path().join("acai.db");
                // The last coordinator's lock goes with its last task.
                loop {
                    match SqliteStore::open(&path, Clock::Manual(clock.clone())).await {
                        Ok(store) => return Arc::new(store),
                        Err(acai_coordinator::store::OpenError::InUse(_)) => tokio::task::yield_now().await,
                        Err(error) => panic!("{error}"),
                    }
                }
            }
            Place::Postgres(url) => Arc::new(PostgresStore::open(url, Some(clock.clone())).await.unwrap()),
        }
    }
}

/// What a schedule came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) faults: u64,
    /// Of everything that happened.
    trace: u64,
}

struct Worker {
    id: String,
    /// Stands still: it says nothing, and hears nothing.
    stopped: bool,
    training: Vec<Training>,
    /// Claims so far.
    claims: u64,
    /// The answer to its last claim did not come: the next one is the same.
    waits: bool,
}

struct World<'p> {
    place: &'p Place,
    random: ChaCha8Rng,
    clock: ManualClock,
    /// None only while the coordinator is away.
    store: Option<Arc<dyn Store>>,
    workers: Vec<Worker>,
    /// Workers that there ever were.
    born: usize,
    /// Calls that are still on their way.
    late: Vec<Call>,
    late_claims: Vec<Claim>,
    journal: Journal,
    faulty: bool,
    faults: u64,
    trace: DefaultHasher,
}

/// Runs the schedule of `seed` on an empty database; panics where an invariant is violated.
pub(crate) async fn simulate(seed: u64, place: &Place) -> Outcome {
    struct Named(u64);
    impl Drop for Named {
        #[allow(clippy::print_stderr, reason = "whoever looks for the fault needs the seed")]
        fn drop(&mut self) {
            if std::thread::panicking() {
                eprintln!("seed {} fails: SIMULATION={}..{}", self.0, self.0, self.0 + 1);
            }
        }
    }
    let _named = Named(seed);
    let clock = ManualClock::default();
    let store = place.open(&clock).await;
    let mut world = World {
        place,
        random: ChaCha8Rng::seed_from_u64(seed),
        clock,
        store: Some(store),
        workers: Vec::new(),
        born: 0,
        late: Vec::new(),
        late_claims: Vec::new(),
        journal: Journal::default(),
        faulty: true,
        faults: 0,
        trace: DefaultHasher::new(),
    };
    let budget = world.random.random_range(0..3);
    world.store().sweep_submit(sweep(budget)).await.unwrap();
    for _ in 0..WORKERS {
        let worker = world.new_worker().await;
        world.workers.push(worker);
    }
    for _ in 0..TURMOIL {
        world.happen().await;
    }
    world.come_to_rest().await;
    world.check().await
}

/// `budget` decides how many failures and losses its runs may have.
fn sweep(budget: u32) -> NewSweep {
    let configuration =
        Configuration::new([("model", Scalar::from("acai")), ("dataset", Scalar::from("lines32"))]).unwrap();
    let run = |seed| NewRun { total_steps: STEPS, ..NewRun::new(configuration.clone(), seed) };
    NewSweep {
        max_concurrent: (budget == 0).then_some(2),
        max_restarts: budget,
        max_lost_workers: 1 + 2 * budget,
        ..NewSweep::new("s", (0..RUNS).map(run).collect())
    }
}

impl World<'_> {
    fn store(&self) -> Arc<dyn Store> {
        Arc::clone(self.store.as_ref().unwrap())
    }

    /// One thing, by chance.
    async fn happen(&mut self) {
        let who = self.random.random_range(0..self.workers.len());
        let what = self.random.random_range(0..100);
        what.hash(&mut self.trace);
        match what {
            0..30 => self.train(who),
            30..62 => self.speak(who).await,
            62..72 => self.claim(who).await,
            72..80 => self.renew(who).await,
            80..86 => self.time_passes().await,
            86..89 => self.crash(who).await,
            89..92 => {
                self.faults += 1;
                self.workers[who].stopped = !self.workers[who].stopped;
            }
            92..94 => self.restart_coordinator().await,
            94..97 => self.deliver_late().await,
            _ => self.people().await,
        }
    }

    fn train(&mut self, who: usize) {
        let steps = self.random.random_range(1..6);
        let fault = self.random.random_range(0..60);
        if self.workers[who].stopped {
            return;
        }
        for training in &mut self.workers[who].training {
            (0..steps).for_each(|_| training.step());
            if fault < 3 && self.faulty {
                training.fails = Some(fault == 0);
            }
        }
    }

    /// Each attempt of the worker says what it has to say next.
    async fn speak(&mut self, who: usize) {
        if self.workers[who].stopped {
            return;
        }
        let mut training = std::mem::take(&mut self.workers[who].training);
        let mut ended = Vec::new();
        for (index, attempt) in training.iter_mut().enumerate() {
            let hasty = self.faulty && self.random.random_range(0..8) == 0;
            let Some(call) = attempt.call(hasty) else { continue };
            if let Some(answer) = self.send(&call).await
                && attempt.answered(&call, answer)
            {
                ended.push(index);
            }
        }
        for index in ended.into_iter().rev() {
            training.swap_remove(index);
        }
        self.workers[who].training = training;
    }

    /// The answer, if it comes.
    async fn send(&mut self, call: &Call) -> Option<Answer> {
        let fate = Fate::draw(&mut self.random, self.faulty);
        self.faults += u64::from(fate != Fate::Arrives);
        match fate {
            Fate::Lost => None,
            Fate::Late => {
                self.late.push(call.clone());
                None
            }
            Fate::AnswerLost => {
                self.arrive(call).await;
                None
            }
            Fate::Doubled => {
                self.arrive(call).await;
                Some(self.told(call).await)
            }
            Fate::Arrives => Some(self.told(call).await),
        }
    }

    async fn arrive(&mut self, call: &Call) -> Answer {
        let answer = call.arrive(&*self.store()).await;
        // The end of an attempt may be told again after others came: it gets its first answer, and changes nothing.
        let writes = matches!(call, Call::Report { .. } | Call::Commit { .. });
        if writes && matches!(answer, Answer::Taken | Answer::Acknowledged(_)) {
            self.journal.taken_from(call.attempt());
        }
        format!("{call:?} {answer:?}").hash(&mut self.trace);
        answer
    }

    /// As [`arrive`](Self::arrive), and the caller hears the answer.
    async fn told(&mut self, call: &Call) -> Answer {
        let answer = self.arrive(call).await;
        match (call, answer) {
            (_, Answer::Fenced) => self.journal.fenced(call.attempt()),
            (Call::Report { attempt, first_seq, points, .. }, Answer::Acknowledged(acked)) => {
                let numbered = (*first_seq..).zip(points);
                let steps = numbered.filter(|(seq, _)| *seq <= acked).map(|(_, point)| point.step);
                self.journal.acknowledged(*attempt, steps.collect::<Vec<_>>().into_iter());
            }
            (Call::Complete { attempt, .. }, Answer::Taken) => self.journal.completed(*attempt),
            _ => {}
        }
        answer
    }

    /// A call that was on its way for long takes effect, or another one that had effect does so again.
    async fn deliver_late(&mut self) {
        let calls = self.late.len() + self.late_claims.len();
        if calls == 0 {
            return;
        }
        let chosen = self.random.random_range(0..calls);
        match self.late.get(chosen).cloned() {
            Some(call) => {
                self.arrive(&call).await;
            }
            None => {
                let claim = self.late_claims[chosen - self.late.len()].clone();
                let is_awaited = self
                    .workers
                    .iter()
                    .all(|worker| worker.id != claim.worker || worker.waits && worker.claims == claim.number);
                let grants = self.grants(claim).await;
                for grant in grants {
                    // A worker that is gone cannot say that it does not wait any more.
                    assert!(
                        is_awaited || self.journal.knows(grant.attempt),
                        "{:?} was granted to a claim that nobody waits for",
                        grant.attempt
                    );
                    self.journal.granted(grant.attempt);
                }
            }
        }
    }

    async fn grants(&mut self, claim: Claim) -> Vec<Grant> {
        let grants = self.store().run_claim(claim, LEASE).await.unwrap();
        for grant in &grants {
            format!("{:?}", grant.attempt).hash(&mut self.trace);
        }
        grants
    }

    async fn claim(&mut self, who: usize) {
        let worker = &mut self.workers[who];
        let free = SLOTS.saturating_sub(worker.training.len());
        if worker.stopped || free == 0 {
            return;
        }
        if !worker.waits {
            worker.claims += 1;
        }
        let (number, id) = (worker.claims, format!("{}-{}", worker.id, worker.claims));
        let claim = Claim {
            worker: worker.id.clone(),
            id,
            number,
            offer: Offer { groups: free as u32, group_size: 1 },
        };
        let fate = Fate::draw(&mut self.random, self.faulty);
        self.faults += u64::from(fate != Fate::Arrives);
        worker.waits = matches!(fate, Fate::Lost | Fate::AnswerLost | Fate::Late);
        if matches!(fate, Fate::Late | Fate::Doubled) {
            self.late_claims.push(claim.clone());
        }
        if matches!(fate, Fate::Lost | Fate::Late) {
            return;
        }
        let grants = self.grants(claim).await;
        for grant in &grants {
            self.journal.granted(grant.attempt);
            if let Some(checkpoint) = grant.checkpoints.first() {
                self.journal.resumed(grant.attempt.run, checkpoint.step, &stored(self.place).await);
            }
        }
        if fate == Fate::AnswerLost {
            return;
        }
        for grant in &grants {
            let known = self.workers[who].training.iter().any(|training| training.attempt == grant.attempt);
            if !known {
                self.workers[who].training.push(Training::begin(grant));
            }
        }
    }

    async fn renew(&mut self, who: usize) {
        let store = self.store();
        let worker = &mut self.workers[who];
        if worker.stopped || worker.training.is_empty() {
            return;
        }
        let attempts = worker.training.iter().map(|training| training.attempt).collect();
        let fate = Fate::draw(&mut self.random, self.faulty);
        self.faults += u64::from(fate != Fate::Arrives);
        if fate == Fate::Lost || fate == Fate::Late {
            return;
        }
        let renewal = store.lease_renew(&worker.id, attempts, LEASE).await.unwrap();
        if fate == Fate::AnswerLost {
            return;
        }
        for &attempt in &renewal.fenced {
            self.journal.fenced(attempt);
        }
        worker.training.retain(|training| !renewal.fenced.contains(&training.attempt));
        for training in &mut worker.training {
            training.yields |= renewal.yielding.contains(&training.attempt);
        }
    }

    async fn time_passes(&mut self) {
        let by = self.random.random_range(0..LEASE * 3 / 2);
        self.clock.set(self.clock.now_ms() + by);
        self.store().lease_expire().await.unwrap();
    }

    /// All that a worker knew is gone; another one takes its place.
    async fn crash(&mut self, who: usize) {
        self.faults += 1;
        self.workers[who] = self.new_worker().await;
    }

    async fn new_worker(&mut self) -> Worker {
        self.born += 1;
        let id = format!("w{}", self.born);
        let registration = Registration {
            id: id.clone(),
            name: id.clone(),
            version: String::new(),
            hardware: "{}".to_owned(),
            slots: SLOTS as u32,
            datasets: vec!["lines32".to_owned()],
        };
        self.store().worker_register(registration).await.unwrap();
        Worker { id, stopped: false, training: Vec::new(), claims: 0, waits: false }
    }

    /// Killed and started again, some time later.
    async fn restart_coordinator(&mut self) {
        self.faults += 1;
        let away = self.random.random_range(0..2 * LEASE);
        self.clock.set(self.clock.now_ms() + away);
        // A file is opened by one coordinator at a time.
        self.store = None;
        self.store = Some(self.place.open(&self.clock).await);
        self.store().lease_grant_fresh_terms(LEASE).await.unwrap();
    }

    async fn people(&mut self) {
        let run = self.random.random_range(0..RUNS) as u32;
        let indexes = if self.random.random_range(0..3) == 0 { Vec::new() } else { vec![run] };
        let intent = match self.random.random_range(0..8) {
            0 => Intent::Cancel,
            1 => Intent::Pause,
            2 => Intent::PauseNow,
            3..=5 => Intent::Resume,
            _ => {
                Intent::Retry { states: RETRIED.to_vec(), from_scratch: self.random.random_range(0..2) == 0 }
            }
        };
        format!("{indexes:?} {intent:?}").hash(&mut self.trace);
        self.store().runs_change("s", indexes, intent).await.unwrap().unwrap();
    }

    /// No more faults: everything that can end must.
    async fn come_to_rest(&mut self) {
        self.faulty = false;
        self.store().runs_change("s", Vec::new(), Intent::Resume).await.unwrap();
        for worker in &mut self.workers {
            worker.stopped = false;
        }
        for _ in 0..PATIENCE {
            for who in 0..self.workers.len() {
                self.claim(who).await;
                self.renew(who).await;
                self.train(who);
                self.speak(who).await;
            }
            let runs = self.store().run_list("s", &[]).await.unwrap();
            if runs.iter().all(|run| run.state.is_terminal()) {
                return;
            }
            self.clock.set(self.clock.now_ms() + LEASE / 4);
            self.store().lease_expire().await.unwrap();
        }
    }

    async fn check(mut self) -> Outcome {
        // What is still on its way finds that it is too late.
        for call in std::mem::take(&mut self.late) {
            self.arrive(&call).await;
        }
        let runs = self.store().run_list("s", &[]).await.unwrap();
        let states: Vec<(u64, RunState)> = runs.iter().map(|run| (run.id, run.state)).collect();
        let events = self.store().event_list("s", 0, u32::MAX).await.unwrap();
        self.journal.check(&states, &stored(self.place).await, &events);
        let counts: BTreeMap<String, usize> =
            states.iter().fold(BTreeMap::new(), |mut counts, (_, state)| {
                *counts.entry(state.to_string()).or_default() += 1;
                counts
            });
        format!("{counts:?} {}", events.len()).hash(&mut self.trace);
        Outcome { faults: self.faults, trace: self.trace.finish() }
    }
}
