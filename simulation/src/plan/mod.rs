//! What a seed decides before anything happens: the cluster, and what goes wrong when.

mod chance;
mod fault;

use std::collections::BTreeMap;
use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

pub(crate) use self::fault::{Fault, What, Wish};
use crate::network::COORDINATORS;
use crate::releases::Release;
use crate::trainer::Temper;

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
    /// Whether two coordinators serve one database, which has a clock of its own, and a place of checkpoints that is on neither's
    /// disk.
    pub(crate) has_two_coordinators: bool,
    pub(crate) slots: u32,
    pub(crate) group_size: u32,
    pub(crate) outage: Duration,
    pub(crate) max_restarts: u32,
    /// Of which release agents and coordinator take each other to be.
    pub(crate) release: Release,
    pub(crate) faults: Vec<Fault>,
}

/// From this seed on people also ask why runs wait, and runs join the groups of trainers that can stay.
const ASKING: u64 = 100_000;

/// From this seed on there may be two coordinators.
const TWO_COORDINATORS: u64 = 200_000;

/// From this seed on people forget their sweep, coordinators start on another database, and one of two may lose it alone.
const FORGETTING: u64 = 300_000;

/// From this seed on the database may vanish without a word, half of the files that are not flushed outlive a power cut, and trainers leave
/// half of their checkpoints unflushed.
pub(crate) const VANISHING: u64 = 400_000;

/// Among these seeds choose.
const RELEASES: [Release; 5] = [Release::Same, Release::Same, Release::Same, Release::Next, Release::First];

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
            has_two_coordinators: false,
            slots: random.random_range(1..=2),
            group_size: random.random_range(1..=3),
            outage: Duration::from_secs(of(random, &[0, 60, 600])),
            max_restarts: random.random_range(0..=2),
            release: Release::Same,
            faults: Vec::new(),
        };
        plan.faults = chance::faults(random, agents);
        plan.faults.extend(chance::faults_since(random, seed, agents));
        if seed >= ASKING {
            plan.release = RELEASES[random.random_range(0..RELEASES.len())];
        }
        if seed >= TWO_COORDINATORS {
            plan.has_two_coordinators = random.random_bool(0.5);
        }
        let is_of_other = |what| {
            matches!(
                what,
                What::OtherCoordinatorCrashes { .. }
                    | What::OtherPartition { .. }
                    | What::StoreAwayFromOther { .. }
            )
        };
        plan.faults.retain(|fault| plan.has_two_coordinators || !is_of_other(fault.what));
        // Attempts of release 0.1.0 have numbers, and nothing that tells them from those of another state of the database.
        let needs_tokens =
            |what| matches!(what, What::Restored { .. } | What::Replaced { .. } | What::Person(Wish::Forget));
        plan.faults.retain(|fault| plan.release != Release::First || !needs_tokens(fault.what));
        plan.faults.sort_by_key(|fault| fault.at);
        plan
    }

    /// The hosts of the coordinators.
    pub(crate) fn coordinators(&self) -> &'static [&'static str] {
        if self.has_two_coordinators { &COORDINATORS } else { &COORDINATORS[..1] }
    }

    /// The folder that is the place of checkpoints.
    pub(crate) fn depot(&self) -> &'static str {
        if self.has_two_coordinators { "bucket" } else { "coordinator/blobs" }
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

    /// Whether runs can join what trainers train.
    pub(crate) fn has_joining_trainers(&self) -> bool {
        self.seed >= ASKING
    }

    /// Whether trainers may leave their checkpoints unflushed, as those of one's own may.
    pub(crate) fn has_careless_trainers(&self) -> bool {
        self.seed >= VANISHING
    }

    pub(crate) fn has(&self, is_meant: impl Fn(&What) -> bool) -> bool {
        self.faults.iter().any(|fault| is_meant(&fault.what))
    }
}
