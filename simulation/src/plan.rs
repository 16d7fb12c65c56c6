//! What a seed decides before anything happens: the cluster, and what goes wrong when.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use rand::seq::SliceRandom;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::depot::Failing;
use crate::network::COORDINATOR;
use crate::releases::Release;
use crate::system::disk::Trouble;
use crate::trainer::Temper;
use crate::weather::Outage;

/// The agents' hosts.
pub(crate) const AGENTS: [&str; 3] = ["agent-1", "agent-2", "agent-3"];

/// The seeds that the sweep's first file asks for, and the most that any does.
pub(crate) const SEEDS: u32 = 2;
const MORE_SEEDS: u32 = 3;

/// Faults end by then.
pub(crate) const CALM: Duration = Duration::from_secs(6 * 60);

/// A simulation before it begins.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    /// How exactly time is simulated between hosts.
    pub(crate) tick: Duration,
    /// A message takes so long at the most.
    pub(crate) latency: Duration,
    /// Work on a disk takes so long at the most.
    pub(crate) disk: Duration,
    /// The agents that there are.
    pub(crate) agents: usize,
    pub(crate) slots: u32,
    pub(crate) group_size: u32,
    pub(crate) outage: Duration,
    pub(crate) max_restarts: u32,
    /// Of which release agents and coordinator take each other to be.
    pub(crate) release: Release,
    pub(crate) faults: Vec<Fault>,
}

/// Something that happens at a time.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fault {
    pub(crate) at: Duration,
    pub(crate) what: What,
}

/// What goes wrong, or is wanted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum What {
    /// The process dies, and is started again after so long.
    AgentCrashes { agent: usize, down: Duration },
    /// The machine loses its power: the process dies, and what was not flushed is lost.
    PowerCut { host: &'static str, down: Duration },
    /// The agent is told to stop, and is started again when it has.
    AgentStops { agent: usize },
    /// As for agents.
    CoordinatorCrashes { down: Duration },
    /// Nothing comes through between an agent and the coordinator.
    Partition { agent: usize, lasts: Duration },
    /// What one of the two says does not reach the other.
    HalfPartition { agent: usize, to_coordinator: bool, lasts: Duration },
    /// What is said comes only afterwards.
    Hold { agent: usize, lasts: Duration },
    /// The database is away.
    StoreAway { outage: Outage, lasts: Duration },
    /// The database is backed up, and put back in that state after so long, with a coordinator that starts then.
    Restored { lasts: Duration },
    /// The host's wall clock is set forth by so many seconds, or back.
    ClockSet { host: &'static str, seconds: i64 },
    /// An agent is given a copy of another one's state folder, which goes on; it is started on it after so long.
    FolderCopied { from: usize, to: usize, down: Duration },
    /// The state folder of an agent is copied, and put back after so long, under an agent that starts then.
    FolderRestored { agent: usize, lasts: Duration },
    /// The place of checkpoints fails.
    DepotFails { failing: Failing, lasts: Duration },
    /// A host's disk is in trouble.
    Disk { host: &'static str, trouble: Trouble, lasts: Duration },
    /// The n-th trainer that is started is like this.
    Trainer { launch: u64, temper: Temper },
    /// Whatever trainer comes to this step of this run crashes.
    Poison { run: u64, step: u64 },
    /// A person wants something.
    Person(Wish),
}

/// What a person wants of the runs of these numbers in the first sweep, or of an agent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Wish {
    Cancel(u32),
    Pause {
        run: u32,
        now: bool,
    },
    Resume(u32),
    Retry {
        run: u32,
        from_scratch: bool,
    },
    Cordon(usize),
    Drain(usize),
    Open(usize),
    Limit(u32),
    /// A file that asks for so many seeds.
    Submit(u32),
    /// Another sweep, which comes first and is on a dataset that no agent has.
    SubmitElsewhere,
}

const KINDS: [&str; 11] = [
    "agent crashes",
    "agent stops",
    "coordinator crashes",
    "partition",
    "half partition",
    "hold",
    "store away",
    "trainer",
    "power cut",
    "disk",
    "person",
];

/// What else happens, from which seed on: those before it are as they were when these kinds of faults came, since tests name some
/// of them.
const LATER: [(u64, &[&str]); 2] = [
    (10_000, &["restored", "poison", "other file"]),
    (ASKING, &["clock", "folder copied", "folder restored", "other sweep", "back in plan", "depot"]),
];

/// From this seed on people also ask why runs wait.
const ASKING: u64 = 100_000;

/// Among these seeds choose.
const RELEASES: [Release; 5] = [Release::Same, Release::Same, Release::Same, Release::Next, Release::First];

/// By how many seconds clocks are set: also by more than a day and by more than a month, after which things are deleted.
const CLOCK_SETTINGS: [i64; 5] = [2, 90, 3_600, 90_000, 3_000_000];

impl Plan {
    pub(crate) fn of(seed: u64) -> Plan {
        let random = &mut ChaCha8Rng::seed_from_u64(seed ^ 0xACA1);
        let of = |random: &mut ChaCha8Rng, choices: &[u64]| choices[random.random_range(0..choices.len())];
        let tick = of(random, &[20, 50, 100]);
        let agents = random.random_range(1..=AGENTS.len());
        let mut plan = Plan {
            seed,
            tick: Duration::from_millis(tick),
            latency: Duration::from_millis(tick * of(random, &[1, 2, 10])),
            disk: Duration::from_millis(of(random, &[1, 30, 300])),
            agents,
            slots: random.random_range(1..=2),
            group_size: random.random_range(1..=3),
            outage: Duration::from_secs(of(random, &[0, 60, 600])),
            max_restarts: random.random_range(0..=2),
            release: Release::Same,
            faults: Vec::new(),
        };
        let mut kinds: Vec<usize> = (0..KINDS.len()).filter(|_| random.random_bool(0.4)).collect();
        kinds.shuffle(random);
        for kind in kinds {
            for _ in 0..random.random_range(1..=8) {
                let fault =
                    Fault { at: between(random, 1, CALM.as_secs() - 60), what: what(random, kind, agents) };
                plan.faults.push(fault);
            }
        }
        for kind in LATER.iter().filter(|(from, _)| seed >= *from).flat_map(|(_, kinds)| *kinds) {
            if random.random_bool(0.3) {
                plan.faults.extend(later_faults(random, kind, agents));
            }
        }
        if seed >= ASKING {
            plan.release = RELEASES[random.random_range(0..RELEASES.len())];
        }
        // Attempts of release 0.1.0 have numbers, and nothing that tells them from those of another state of the database.
        plan.faults
            .retain(|fault| plan.release != Release::First || !matches!(fault.what, What::Restored { .. }));
        plan.faults.sort_by_key(|fault| fault.at);
        plan
    }

    /// The plan without the faults at these places.
    pub(crate) fn without(mut self, left_out: &[usize]) -> Plan {
        let mut place = 0;
        self.faults.retain(|_| {
            place += 1;
            !left_out.contains(&(place - 1))
        });
        self
    }

    /// The trainers that go wrong, by the number of their launch.
    pub(crate) fn tempers(&self) -> BTreeMap<u64, Temper> {
        let temper = |fault: &Fault| match fault.what {
            What::Trainer { launch, temper } => Some((launch, temper)),
            _ => None,
        };
        self.faults.iter().filter_map(temper).collect()
    }

    /// The step of each run from which on it breaks whatever trainer it has.
    pub(crate) fn poison(&self) -> BTreeMap<u64, u64> {
        let poison = |fault: &Fault| match fault.what {
            What::Poison { run, step } => Some((run, step)),
            _ => None,
        };
        self.faults.iter().filter_map(poison).collect()
    }

    /// Whether people ask all the time why runs wait.
    pub(crate) fn people_ask(&self) -> bool {
        self.seed >= ASKING
    }

    pub(crate) fn has(&self, is_meant: impl Fn(&What) -> bool) -> bool {
        self.faults.iter().any(|fault| is_meant(&fault.what))
    }
}

fn later_faults(random: &mut impl Rng, kind: &str, agents: usize) -> Vec<Fault> {
    let mut faults = Vec::new();
    for _ in 0..random.random_range(1..=3) {
        let what = later_what(random, kind, agents);
        let at = between(random, 5, CALM.as_secs() - 60);
        faults.push(Fault { at, what });
        // What the file asks for again may still be trained.
        if kind == "back in plan" {
            let again = at + between(random, 1, 9);
            faults.push(Fault { at: again, what: What::Person(Wish::Submit(MORE_SEEDS)) });
        }
        // A coordinator looks at its wall clock when it starts.
        if matches!(what, What::ClockSet { host: COORDINATOR, .. }) && random.random_bool(0.7) {
            faults.push(Fault { at, what: What::CoordinatorCrashes { down: between(random, 1, 10) } });
        }
    }
    faults
}

fn later_what(random: &mut impl Rng, kind: &str, agents: usize) -> What {
    match kind {
        "restored" => What::Restored { lasts: between(random, 1, 50) },
        "other sweep" => What::Person(Wish::SubmitElsewhere),
        "other file" => What::Person(Wish::Submit(seeds_of_file(random))),
        "poison" => What::Poison { run: random.random_range(1..=8), step: random.random_range(1..40) },
        "clock" => {
            let seconds = CLOCK_SETTINGS[random.random_range(0..CLOCK_SETTINGS.len())];
            let seconds = if random.random_bool(0.5) { seconds } else { -seconds };
            let agent = random.random_range(0..agents);
            let host = if random.random_bool(0.7) { COORDINATOR } else { AGENTS[agent] };
            What::ClockSet { host, seconds }
        }
        "depot" => {
            let failing =
                [Failing::Refuses, Failing::LosesAnswers, Failing::IsSlow][random.random_range(0..3)];
            What::DepotFails { failing, lasts: between(random, 5, 120) }
        }
        "back in plan" => What::Person(Wish::Submit(1)),
        "folder copied" if agents > 1 => {
            let from = random.random_range(0..agents);
            let to = (from + random.random_range(1..agents)) % agents;
            What::FolderCopied { from, to, down: between(random, 1, 20) }
        }
        _ => What::FolderRestored { agent: random.random_range(0..agents), lasts: between(random, 1, 50) },
    }
}

fn what(random: &mut impl Rng, kind: usize, agents: usize) -> What {
    let agent = random.random_range(0..agents);
    let longest = [5, 20, 40, 120][random.random_range(0..4)];
    let lasts = between(random, 1, longest);
    match KINDS[kind] {
        "agent crashes" => What::AgentCrashes { agent, down: lasts },
        "agent stops" => What::AgentStops { agent },
        "coordinator crashes" => What::CoordinatorCrashes { down: lasts },
        "partition" => What::Partition { agent, lasts },
        "half partition" => What::HalfPartition { agent, to_coordinator: random.random_bool(0.5), lasts },
        "hold" => What::Hold { agent, lasts },
        "store away" => What::StoreAway {
            outage: if random.random_bool(0.5) { Outage::Refuses } else { Outage::LosesAnswers },
            lasts,
        },
        "trainer" => What::Trainer { launch: random.random_range(1..=20), temper: Temper::of_chance(random) },
        "power cut" => What::PowerCut { host: host(random, agent), down: lasts },
        "disk" => What::Disk { host: host(random, agent), trouble: trouble(random), lasts },
        _ => What::Person(wish(random, agent)),
    }
}

fn host(random: &mut impl Rng, agent: usize) -> &'static str {
    if random.random_bool(0.3) { COORDINATOR } else { AGENTS[agent] }
}

fn trouble(random: &mut impl Rng) -> Trouble {
    [Trouble::Full, Trouble::Writes, Trouble::Flushes, Trouble::Reads][random.random_range(0..4)]
}

fn wish(random: &mut impl Rng, agent: usize) -> Wish {
    let run = random.random_range(1..=6);
    match random.random_range(0..9) {
        0 => Wish::Cancel(run),
        1 => Wish::Pause { run, now: random.random_bool(0.5) },
        2 => Wish::Resume(run),
        3 => Wish::Retry { run, from_scratch: random.random_bool(0.5) },
        4 => Wish::Cordon(agent),
        5 => Wish::Drain(agent),
        6 => Wish::Open(agent),
        7 => Wish::Limit(random.random_range(0..=2)),
        _ => Wish::Submit(MORE_SEEDS),
    }
}

fn seeds_of_file(random: &mut impl Rng) -> u32 {
    random.random_range(1..=MORE_SEEDS)
}

fn between(random: &mut impl Rng, shortest: u64, longest: u64) -> Duration {
    Duration::from_millis(random.random_range(shortest * 1_000..=longest * 1_000))
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.what {
            What::Trainer { launch, temper } => write!(f, "trainer {launch}: {temper:?}"),
            What::Poison { run, step } => write!(f, "whatever trains step {step} of run {run} crashes"),
            what => write!(f, "{:>7.1} s: {what:?}", self.at.as_secs_f64()),
        }
    }
}
