//! Workers, a network, coordinators and people, driven by one stream of random numbers.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash};

use acai_coordinator::blobs::owner;
use acai_coordinator::clock::ManualClock;
use acai_coordinator::store::{AttemptRef, RunId};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::cluster::{Cluster, DatabaseNumber, Place};
use crate::databases::Elsewhere;
use crate::delivery::Sending;
use crate::depot::{COLLECTORS, Depot};
use crate::journal::Journal;
use crate::network::Call;
use crate::observer::Observer;
use crate::plan::Sweep;
use crate::worker::Worker;

pub(crate) const LEASE: i64 = 30_000;
/// For so long a run is not granted to a machine that could not train it.
pub(crate) const ELSEWHERE: i64 = 60_000;
const WORKERS: usize = 3;
/// Sweeps at the most.
const SWEEPS: usize = 3;
/// Things that happen while there are faults.
const TURMOIL: u32 = 120;

/// How often each thing happened.
pub(crate) type Counts = BTreeMap<&'static str, u64>;

/// What a schedule came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) faults: u64,
    /// How often what happened: what never does is not tested.
    pub(crate) counts: Counts,
    /// Of everything that happened.
    pub(crate) trace: u64,
}

pub(crate) struct World<'p> {
    pub(crate) place: &'p Place,
    pub(crate) random: ChaCha8Rng,
    pub(crate) clock: ManualClock,
    pub(crate) cluster: Cluster<'p>,
    pub(crate) depot: Depot,
    pub(crate) observer: Observer,
    pub(crate) sweeps: Vec<Sweep>,
    pub(crate) workers: Vec<Worker>,
    /// Workers that there ever were.
    pub(crate) born: usize,
    /// Calls that are still on their way.
    pub(crate) late: Vec<Call>,
    /// Of the database that the coordinators have.
    pub(crate) journal: Journal,
    /// Workers that attempts were granted to.
    pub(crate) holders: HashMap<AttemptRef, String>,
    /// Workers that could not train a run, and when: it goes elsewhere first.
    pub(crate) faulty_machines: Vec<(String, RunId, i64)>,
    /// Other databases: backups of this one, newer ones that a backup took the place of, and new ones.
    pub(crate) elsewhere: Vec<Elsewhere>,
    /// Databases that there ever were.
    pub(crate) databases: DatabaseNumber,
    /// Times that the coordinators were given another database.
    pub(crate) moves: u64,
    /// When they were given the one that they have.
    pub(crate) moved_ms: i64,
    /// How long a worker may be silent, by the coordinators' settings: they change when one starts again.
    pub(crate) lease: i64,
    pub(crate) faulty: bool,
    pub(crate) faults: u64,
    pub(crate) counts: Counts,
    pub(crate) trace: DefaultHasher,
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
        depot: Depot::new(clock.clone()),
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
        moved_ms: 0,
        lease: LEASE,
        faulty: true,
        faults: 0,
        counts: Counts::new(),
        trace: DefaultHasher::new(),
    };
    owner::claim(&*world.cluster.coordinator(0), &world.depot.fair(), false).await.unwrap();
    for number in 0..world.random.random_range(1..=SWEEPS) {
        let sweep = Sweep::new(format!("s{number}"));
        let file = sweep.file(&mut world.random);
        world.sweeps.push(sweep);
        world.at_once(vec![(None, Call::Submit(Box::new(file)))]).await;
    }
    for _ in 0..WORKERS {
        let worker = world.new_worker();
        world.workers.push(worker);
        world.register(world.workers.len() - 1).await;
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
            0..23 => {
                self.train(who);
                return;
            }
            23..46 => {
                let sendings = self.speak(who);
                self.at_once(sendings).await;
                return self.hand_over(who).await;
            }
            46..54 => self.claim(who),
            54..59 => self.renew(who),
            59..65 => {
                self.time_passes();
                vec![(None, Call::Expire)]
            }
            65..71 => return self.crash(who).await,
            71..74 => {
                self.faults += 1;
                self.workers[who].stopped = !self.workers[who].stopped;
                return;
            }
            74..76 => return self.restart_coordinator().await,
            76 | 77 => return self.move_database().await,
            78..81 => self.late_call(),
            81..85 => vec![(None, self.people())],
            85 => {
                self.depot.change(&mut self.random);
                return;
            }
            86 | 87 => return self.damage().await,
            88..90 => return self.something_goes_on().await,
            90..93 => {
                let collector = self.random.random_range(0..COLLECTORS);
                if let Some(collection) = self.collection(collector) {
                    self.goes_there(collector % self.cluster.len(), collection).await;
                }
                return;
            }
            _ => self.everybody().await,
        };
        self.at_once(sendings).await;
    }

    /// All workers, coordinators and people at the same time.
    async fn everybody(&mut self) -> Vec<Sending> {
        let mut sendings = Vec::new();
        if self.random.random_range(0..3) == 0 {
            self.time_passes();
        }
        for who in 0..self.workers.len() {
            sendings.extend(self.claim(who));
            sendings.extend(self.renew(who));
            sendings.extend(self.speak(who));
        }
        match self.cluster.len() {
            // Leases that have ended are looked for on another connection than the one that writes. Whether that is before or
            // after the second step of what a person changes is chance, and not the seed's.
            1 => self.at_once(vec![(None, Call::Expire)]).await,
            coordinators => sendings.extend((0..coordinators).map(|_| (None, Call::Expire))),
        }
        sendings.extend(self.everything_for_the_depot().await);
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

    /// Uploads and collections of garbage. On a server they come with everything else, and it decides the order. A folder
    /// decides by chance, not by the seed, so there they come before everything else, one after the other.
    async fn everything_for_the_depot(&mut self) -> Vec<Sending> {
        let mut sendings = Vec::new();
        for who in 0..self.workers.len() {
            match self.cluster.len() {
                1 => self.hand_over(who).await,
                _ => sendings.extend(self.uploads(who)),
            }
        }
        for collector in 0..COLLECTORS {
            let Some(collection) = self.collection(collector) else { continue };
            match self.cluster.len() {
                1 if self.random.random_range(0..4) > 0 => {}
                1 => self.goes_there(0, collection).await,
                _ => sendings.push((None, collection)),
            }
        }
        sendings
    }

    /// One that was on its way for long, or that had effect and has it again.
    fn late_call(&mut self) -> Vec<Sending> {
        if self.late.is_empty() {
            return Vec::new();
        }
        let chosen = self.random.random_range(0..self.late.len());
        vec![(None, self.late[chosen].clone())]
    }

    fn time_passes(&mut self) {
        let by = self.random.random_range(0..LEASE * 3 / 2);
        self.clock.set(self.clock.now_ms() + by);
    }

    pub(crate) fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    /// Adds to what happened.
    pub(crate) fn note(&mut self, what: &str) {
        what.hash(&mut self.trace);
    }
}
