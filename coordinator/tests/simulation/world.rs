//! Workers, a network, coordinators and people, driven by one stream of random numbers.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

use acai_coordinator::clock::ManualClock;
use acai_coordinator::store::{AttemptRef, Duty};
use acai_sweep::control::{Intent, RETRIED};
use acai_sweep::run::RunState;
use acai_sweep::schedule::Offer;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::cluster::{Cluster, DatabaseNumber, Place};
use crate::journal::{Journal, Rest};
use crate::network::{Answer, Call, Fate};
use crate::observer::{BeforeClaims, Observer, StoredRun};
use crate::plan::Sweep;
use crate::queue;
use crate::worker::{Failure, Worker};

const LEASE: i64 = 30_000;
/// For so long a run is not granted to a machine that could not train it.
const ELSEWHERE: i64 = 60_000;
const WORKERS: usize = 3;
/// Sweeps at the most.
const SWEEPS: usize = 3;
/// Runs of a shape that a worker trains as one, at the most.
const GROUP_SIZE: u32 = 3;
/// Things that happen while there are faults.
const TURMOIL: u32 = 120;
/// Rounds without faults in which everything must come to an end.
const PATIENCE: u32 = 400;
/// Rounds after which people resume what has been paused again.
const RESUMED: u32 = 20;

/// What a schedule came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) faults: u64,
    /// Of everything that happened.
    trace: u64,
}

/// A call, and which worker hears its answer.
type Sending = (Option<usize>, Call);

/// A copy of a call under way.
struct Copy {
    sender: Option<usize>,
    call: Call,
    /// Whether the sender hears the answer.
    heard: bool,
    /// When it was sent nothing could be taken from its attempt any more.
    dead: bool,
    /// When it was sent its worker waited for the answer, or was gone and could not say that it did not.
    awaited: bool,
}

struct World<'p> {
    place: &'p Place,
    random: ChaCha8Rng,
    clock: ManualClock,
    cluster: Cluster<'p>,
    observer: Observer,
    sweeps: Vec<Sweep>,
    workers: Vec<Worker>,
    /// Workers that there ever were.
    born: usize,
    /// Calls that are still on their way.
    late: Vec<Call>,
    /// Of the database that the coordinators have.
    journal: Journal,
    /// Workers that attempts were granted to.
    holders: HashMap<AttemptRef, String>,
    /// Workers that could not train a run, and when: it goes elsewhere first.
    faulty_machines: Vec<(String, u64, i64)>,
    /// Other databases: backups of this one, newer ones that a backup took the place of, and new ones.
    elsewhere: Vec<(DatabaseNumber, Journal)>,
    /// Databases that there ever were.
    databases: DatabaseNumber,
    /// Times that the coordinators were given another database.
    moves: u64,
    /// How long a worker may be silent, by the coordinators' settings: they change when one starts again.
    lease: i64,
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
    let cluster = Cluster::start(place, clock.clone()).await;
    let mut world = World {
        place,
        random: ChaCha8Rng::seed_from_u64(seed),
        clock,
        cluster,
        observer: Observer::of(place, 0).await,
        sweeps: Vec::new(),
        workers: Vec::new(),
        born: 0,
        late: Vec::new(),
        journal: Journal::default(),
        holders: HashMap::new(),
        faulty_machines: Vec::new(),
        elsewhere: Vec::new(),
        databases: 1,
        moves: 0,
        lease: LEASE,
        faulty: true,
        faults: 0,
        trace: DefaultHasher::new(),
    };
    for number in 0..world.random.random_range(1..=SWEEPS) {
        let sweep = Sweep::new(format!("s{number}"));
        let file = sweep.file(&mut world.random);
        world.sweeps.push(sweep);
        world.at_once(vec![(None, Call::Submit(Box::new(file)))]).await;
    }
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

impl World<'_> {
    /// One thing, by chance, or many at once.
    async fn happen(&mut self) {
        let who = self.random.random_range(0..self.workers.len());
        let what = self.random.random_range(0..100);
        what.hash(&mut self.trace);
        let sendings = match what {
            0..25 => {
                self.train(who);
                return;
            }
            25..50 => self.speak(who),
            50..60 => self.claim(who),
            60..67 => self.renew(who),
            67..73 => {
                self.time_passes();
                vec![(None, Call::Expire)]
            }
            73..76 => return self.crash(who).await,
            76..79 => {
                self.faults += 1;
                self.workers[who].stopped = !self.workers[who].stopped;
                return;
            }
            79..81 => return self.restart_coordinator().await,
            81 if self.place.has_more() => return self.move_database().await,
            81..85 => self.late_call(),
            85..89 => vec![(None, self.people())],
            _ => self.everybody(),
        };
        self.at_once(sendings).await;
    }

    /// All workers, coordinators and people at the same time.
    fn everybody(&mut self) -> Vec<Sending> {
        let mut sendings = Vec::new();
        if self.random.random_range(0..3) == 0 {
            self.time_passes();
        }
        for who in 0..self.workers.len() {
            sendings.extend(self.claim(who));
            sendings.extend(self.renew(who));
            sendings.extend(self.speak(who));
        }
        for _ in 0..self.cluster.len() {
            sendings.push((None, Call::Expire));
        }
        for _ in 0..self.random.random_range(0..3) {
            sendings.push((None, self.people()));
        }
        sendings.extend(self.late_call());
        // Who comes first is chance.
        for place in (1..sendings.len()).rev() {
            sendings.swap(place, self.random.random_range(0..=place));
        }
        sendings
    }

    fn train(&mut self, who: usize) {
        let steps = self.random.random_range(1..6);
        let fault = self.random.random_range(0..60);
        if self.workers[who].stopped {
            return;
        }
        for training in &mut self.workers[who].training {
            (0..steps).for_each(|_| training.step());
            if self.faulty {
                training.fails = training.fails.or(match fault {
                    0 => Some(Failure::Diverged),
                    1 | 2 => Some(Failure::Own),
                    3 | 4 => Some(Failure::Machine),
                    5 => Some(Failure::Group),
                    _ => None,
                });
            }
        }
    }

    /// Each attempt of the worker says what it has to say next.
    fn speak(&mut self, who: usize) -> Vec<Sending> {
        let worker = &self.workers[who];
        if worker.stopped {
            return Vec::new();
        }
        let mut sendings = Vec::new();
        for training in &worker.training {
            let hasty = self.faulty && self.random.random_range(0..8) == 0;
            sendings.extend(training.calls(hasty).into_iter().map(|call| (Some(who), call)));
        }
        sendings
    }

    fn claim(&mut self, who: usize) -> Vec<Sending> {
        let claim = self.workers[who].claim();
        claim.map(|claim| (Some(who), Call::Claim(claim))).into_iter().collect()
    }

    fn renew(&self, who: usize) -> Vec<Sending> {
        let worker = &self.workers[who];
        if worker.stopped || worker.training.is_empty() {
            return Vec::new();
        }
        let attempts = worker.training.iter().map(|training| training.attempt).collect();
        vec![(Some(who), Call::Renew { worker: worker.id.clone(), attempts })]
    }

    /// One that was on its way for long, or that had effect and has it again.
    fn late_call(&mut self) -> Vec<Sending> {
        if self.late.is_empty() {
            return Vec::new();
        }
        let chosen = self.random.random_range(0..self.late.len());
        vec![(None, self.late[chosen].clone())]
    }

    fn people(&mut self) -> Call {
        let sweep = &self.sweeps[self.random.random_range(0..self.sweeps.len())];
        let name = sweep.name.clone();
        let intent = match self.random.random_range(0..14) {
            0 => Intent::Cancel,
            1 => Intent::Pause,
            2 => Intent::PauseNow,
            3..=5 => Intent::Resume,
            6..=8 => {
                Intent::Retry { states: RETRIED.to_vec(), from_scratch: self.random.random_range(0..2) == 0 }
            }
            9 | 10 => return Call::Submit(Box::new(sweep.file(&mut self.random))),
            11 => {
                let (priority, max_concurrent) =
                    (self.random.random_range(0..3), self.random.random_range(0..5));
                return Call::Limit { sweep: name, priority, max_concurrent };
            }
            _ => {
                let who = self.random.random_range(0..self.workers.len());
                let duty =
                    [Duty::Open, Duty::Open, Duty::Cordoned, Duty::Drained][self.random.random_range(0..4)];
                return Call::SetDuty { worker: self.workers[who].id.clone(), duty };
            }
        };
        let run = self.random.random_range(0..sweep.places());
        let indexes = if self.random.random_range(0..3) == 0 { Vec::new() } else { vec![run] };
        Call::Change { sweep: name, indexes, intent }
    }

    fn time_passes(&mut self) {
        let by = self.random.random_range(0..LEASE * 3 / 2);
        self.clock.set(self.clock.now_ms() + by);
    }

    /// All that a worker knew is gone; another one takes its place.
    async fn crash(&mut self, who: usize) {
        self.faults += 1;
        self.workers[who] = self.new_worker().await;
    }

    async fn new_worker(&mut self) -> Worker {
        self.born += 1;
        let worker = Worker::new(format!("w{}", self.born), self.random.random_range(1..=GROUP_SIZE));
        let coordinator = self.random.random_range(0..self.cluster.len());
        self.cluster.coordinator(coordinator).worker_register(worker.registration()).await.unwrap();
        worker
    }

    async fn restart_coordinator(&mut self) {
        self.faults += 1;
        let away = self.random.random_range(0..2 * LEASE);
        let number = self.random.random_range(0..self.cluster.len());
        self.lease = [LEASE / 3, LEASE, 2 * LEASE][self.random.random_range(0..3)];
        self.cluster.restart(number, away, self.lease).await;
    }

    /// Makes a backup, or has the coordinators start on another database: on a backup, on the one that a backup took the
    /// place of, or on one that has never seen these workers.
    async fn move_database(&mut self) {
        let number = self.databases;
        let to = match self.random.random_range(0..4) {
            0 | 1 => {
                self.databases += 1;
                self.observer.back_up(self.place, number).await;
                self.elsewhere.push((number, self.journal.clone()));
                return;
            }
            2 if !self.elsewhere.is_empty() => {
                let chosen = self.random.random_range(0..self.elsewhere.len());
                self.elsewhere.swap_remove(chosen)
            }
            _ => {
                self.databases += 1;
                (number, Journal::default())
            }
        };
        self.faults += 1;
        self.moves += 1;
        let before = self.cluster.move_to(to.0, self.lease).await;
        self.elsewhere.push((before, std::mem::replace(&mut self.journal, to.1)));
        self.observer = Observer::of(self.place, to.0).await;
        // That a worker waits no more is known to the database that answered it.
        self.late.retain(|call| !matches!(call, Call::Claim(_)));
        let mut calls: Vec<Sending> = Vec::new();
        if to.0 == number {
            let files = self.sweeps.iter().map(|sweep| sweep.file(&mut self.random));
            calls.extend(files.map(|file| (None, Call::Submit(Box::new(file)))));
        }
        for worker in &self.workers {
            calls.push((None, Call::SetDuty { worker: worker.id.clone(), duty: Duty::Open }));
        }
        self.at_once(calls).await;
    }

    /// Sends all calls before any answer is waited for, each to some coordinator, and takes in what comes back.
    async fn at_once(&mut self, sendings: Vec<Sending>) {
        let claims = sendings.iter().any(|(_, call)| matches!(call, Call::Claim(_)));
        let before = if claims { Some(self.observer.before_claims().await) } else { None };
        // What becomes of each is decided before anything moves: by the seed alone.
        let copies: Vec<Copy> = sendings.into_iter().flat_map(|sending| self.send(sending)).collect();
        let mut under_way = Vec::new();
        for copy in &copies {
            let coordinator = self.cluster.coordinator(self.random.random_range(0..self.cluster.len()));
            let (call, lease) = (copy.call.clone(), self.lease);
            under_way.push(tokio::spawn(async move { call.arrive(&*coordinator, lease).await }));
        }
        let mut answers = Vec::new();
        for answer in under_way {
            answers.push(answer.await.unwrap());
        }
        for (copy, answer) in copies.iter().zip(&answers) {
            format!(
                "{:?} {}",
                copy.call.attempt().map(|attempt| (attempt.run, attempt.number)),
                answer.trace()
            )
            .hash(&mut self.trace);
            self.judge(copy, answer);
        }
        if let Some(before) = before {
            self.judge_claims(&copies, &answers, &before).await;
        }
        for (copy, answer) in copies.iter().zip(&answers) {
            self.take_in(copy, answer).await;
        }
    }

    /// The copies of a call that arrive now.
    fn send(&mut self, (sender, call): Sending) -> Vec<Copy> {
        let fate = if self.faulty && call.may_fail() { Fate::draw(&mut self.random) } else { Fate::Arrives };
        self.faults += u64::from(fate != Fate::Arrives);
        let dead = call.attempt().is_some_and(|attempt| self.journal.is_dead(attempt));
        let awaited = match &call {
            Call::Claim(claim) => {
                self.workers.iter().all(|worker| worker.id != claim.worker || worker.awaits(claim))
            }
            _ => true,
        };
        if fate == Fate::Late || fate == Fate::Doubled && matches!(call, Call::Claim(_)) {
            self.late.push(call.clone());
        }
        let copy = |heard| Copy { sender, call: call.clone(), heard, dead, awaited };
        match fate {
            Fate::Lost | Fate::Late => vec![],
            Fate::AnswerLost => vec![copy(false)],
            Fate::Doubled => vec![copy(false), copy(true)],
            Fate::Arrives => vec![copy(sender.is_some())],
        }
    }

    /// What no answer may say, by what was known when the call was sent.
    fn judge(&self, copy: &Copy, answer: &Answer) {
        let contradicted = copy.heard && copy.call.is_contradicted_by(answer);
        assert!(!contradicted || self.moves > 0, "{answer:?} is no answer to {:?}", copy.call);
        match (&copy.call, answer) {
            // The end of an attempt may be told again after others came: it gets its first answer, and changes nothing.
            (Call::Report { .. } | Call::Commit { .. }, Answer::Taken | Answer::Acknowledged(_)) => {
                assert!(!copy.dead, "a zombie wrote: {:?} {answer:?}", copy.call);
            }
            (Call::Claim(claim), Answer::Granted(grants)) => {
                for grant in grants {
                    let attempt = grant.attempt;
                    assert!(!self.journal.is_over(attempt), "{attempt:?} was granted when it was dead");
                    assert!(
                        copy.awaited || self.journal.knows(attempt),
                        "{attempt:?} was granted to {claim:?}, for which nobody waits"
                    );
                }
            }
            _ => {}
        }
    }

    /// What claims may be granted, by what was there before and is after.
    async fn judge_claims(&mut self, copies: &[Copy], answers: &[Answer], before: &BeforeClaims) {
        let BeforeClaims { queue, loads, cordoned } = before;
        if let ([copy], [Answer::Granted(grants)]) = (copies, answers)
            && let Call::Claim(claim) = &copy.call
            && let Some(worker) = copy.sender.map(|who| &self.workers[who])
            && !self.journal.has_answered(claim)
            && !cordoned.contains(&worker.id)
            && !queue.iter().any(|waiting| self.goes_elsewhere(waiting.run, worker))
        {
            queue::check(queue, loads, claim.offer, grants);
        }
        for (copy, answer) in copies.iter().zip(answers) {
            if let (Call::Claim(claim), Answer::Granted(grants)) = (&copy.call, answer)
                && !self.journal.has_answered(claim)
            {
                let groups: BTreeSet<_> = grants.iter().map(|grant| grant.group).collect();
                let offers = copies.iter().filter_map(|copy| match &copy.call {
                    Call::Claim(other) if other.id == claim.id => Some(other.offer),
                    _ => None,
                });
                let fits = |offer: Offer| {
                    groups.len() <= offer.groups as usize
                        && grants.len() <= offer.groups as usize * offer.group_size as usize
                };
                assert!({ offers }.any(fits), "{claim:?} was granted {grants:?}");
            }
        }
        let quiet = copies.iter().all(|copy| !matches!(copy.call, Call::Submit(_) | Call::Limit { .. }));
        if quiet {
            for (before, after) in loads.iter().zip(self.observer.loads().await) {
                let most = before.limit.map_or(i64::MAX, |limit| limit.max(before.running));
                assert!(
                    after.running <= most,
                    "more runs than max_concurrent allows: {before:?}, then {after:?}"
                );
            }
        }
    }

    /// Whether the worker could not train the run just now.
    fn goes_elsewhere(&self, run: u64, worker: &Worker) -> bool {
        let now = self.clock.now_ms();
        self.faulty_machines
            .iter()
            .any(|(name, faulty, at)| *name == worker.id && *faulty == run && now - at <= ELSEWHERE)
    }

    /// What the sender hears, and the journal notes.
    async fn take_in(&mut self, copy: &Copy, answer: &Answer) {
        if let (Call::Claim(claim), Answer::Granted(grants)) = (&copy.call, answer) {
            // Whether anybody hears of it or not.
            self.journal.answered(claim);
            self.holders.extend(grants.iter().map(|grant| (grant.attempt, claim.worker.clone())));
            grants.iter().for_each(|grant| self.journal.granted(grant.attempt));
        }
        if let (Call::Release { attempt, mishap: Some(_) }, Answer::Taken) = (&copy.call, answer) {
            let worker = self.holders[attempt].clone();
            self.faulty_machines.push((worker, attempt.run, self.clock.now_ms()));
        }
        if !copy.heard {
            return;
        }
        match (&copy.call, answer) {
            (call, Answer::Fenced) => self.journal.fenced(call.attempt().unwrap()),
            (Call::Report { attempt, first_seq, points, .. }, Answer::Acknowledged(acked)) => {
                let numbered = (*first_seq..).zip(points);
                let steps = numbered.filter(|(seq, _)| seq <= acked).map(|(_, point)| point.step);
                self.journal.acknowledged(*attempt, steps);
            }
            (Call::Renew { .. }, Answer::Renewed(renewal)) => {
                renewal.fenced.iter().for_each(|attempt| self.journal.fenced(*attempt));
            }
            (Call::Claim(_), Answer::Granted(grants)) => {
                let resumed: BTreeMap<u64, u64> = grants
                    .iter()
                    .filter_map(|grant| Some((grant.attempt.run, grant.checkpoints.first()?.step)))
                    .collect();
                if !resumed.is_empty() {
                    let points = self.observer.points().await;
                    resumed.iter().for_each(|(run, step)| self.journal.resumed(*run, *step, &points));
                }
            }
            (call, Answer::Taken) => {
                if let (Some(attempt), Some(ending)) = (call.attempt(), call.ending()) {
                    self.journal.ended(attempt, ending);
                }
            }
            _ => {}
        }
        let Some(who) = copy.sender else { return };
        match (&copy.call, answer) {
            (Call::Claim(claim), Answer::Granted(grants)) => self.workers[who].granted(claim, grants),
            (Call::Renew { .. }, Answer::Renewed(renewal)) => self.workers[who].renewed(renewal),
            (Call::Claim(_) | Call::Renew { .. }, Answer::Unknown) => {
                let registration = self.workers[who].registration();
                self.cluster.coordinator(0).worker_register(registration).await.unwrap();
            }
            (call, answer) => self.workers[who].answered(call, answer),
        }
    }

    /// No more faults: everything that can end must.
    async fn come_to_rest(&mut self) {
        self.faulty = false;
        let mut calls = Vec::new();
        for sweep in &self.sweeps {
            if self.random.random_range(0..2) == 0 {
                calls.push((None, Call::Submit(Box::new(sweep.whole()))));
            }
        }
        for worker in &mut self.workers {
            worker.stopped = false;
            calls.push((None, Call::SetDuty { worker: worker.id.clone(), duty: Duty::Open }));
        }
        self.at_once(calls).await;
        for round in 0..PATIENCE {
            let mut calls = vec![(None, Call::Expire)];
            if round % RESUMED == 0 {
                calls.extend(self.sweeps.iter().map(|sweep| {
                    let (sweep, intent) = (sweep.name.clone(), Intent::Resume);
                    (None, Call::Change { sweep, indexes: Vec::new(), intent })
                }));
            }
            for who in 0..self.workers.len() {
                self.train(who);
                calls.extend(self.claim(who));
                calls.extend(self.renew(who));
                calls.extend(self.speak(who));
            }
            self.at_once(calls).await;
            let runs = self.observer.runs().await;
            let ended =
                |run: &StoredRun| run.state.is_terminal() || !run.in_plan && run.state != RunState::Running;
            if runs.iter().all(ended) {
                return;
            }
            self.clock.set(self.clock.now_ms() + LEASE / 4);
        }
    }

    async fn check(mut self) -> Outcome {
        // What is still on its way finds that it is too late.
        let late = std::mem::take(&mut self.late).into_iter().filter(|call| call.attempt().is_some());
        self.at_once(late.map(|call| (None, call)).collect()).await;
        let rest = Rest {
            runs: self.observer.runs().await,
            attempts: self.observer.attempts().await,
            points: self.observer.points().await,
            events: self.observer.events().await,
        };
        self.journal.check(&rest);
        assert_eq!(self.observer.deadlocks().await, 0, "transactions lock rows in one order");
        for run in &rest.runs {
            format!("{run:?}").hash(&mut self.trace);
        }
        rest.events.len().hash(&mut self.trace);
        Outcome { faults: self.faults, trace: self.trace.finish() }
    }
}
