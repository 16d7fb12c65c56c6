//! How a seed draws faults, kind by kind.

use std::time::Duration;

use rand::seq::SliceRandom;
use rand::{Rng, RngExt};

use super::fault::{Fault, What, Wish};
use super::{AGENTS, ASKING, CALM, FORGETTING, MORE_SEEDS, TWO_COORDINATORS, VANISHING};
use crate::depot::Failing;
use crate::network::COORDINATOR;
use crate::system::disk::Trouble;
use crate::trainer::Temper;
use crate::weather::Outage;

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
const LATER: [(u64, &[&str]); 5] = [
    (10_000, &["restored", "poison", "other file"]),
    (ASKING, &["clock", "folder copied", "folder restored", "other sweep", "back in plan", "depot"]),
    (TWO_COORDINATORS, &["other coordinator crashes", "other partition"]),
    (FORGETTING, &["forget", "replaced", "store away from other"]),
    (VANISHING, &["store vanishes", "store vanishes for other", "depot for ever"]),
];

/// By how many seconds clocks are set: also by more than a day and by more than a month, after which things are deleted.
const CLOCK_SETTINGS: [i64; 5] = [2, 90, 3_600, 90_000, 3_000_000];

/// The faults of the kinds that the seed turns on.
pub(super) fn faults(random: &mut impl Rng, agents: usize) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut kinds: Vec<usize> = (0..KINDS.len()).filter(|_| random.random_bool(0.4)).collect();
    kinds.shuffle(random);
    for kind in kinds {
        for _ in 0..random.random_range(1..=8) {
            let at = between(random, 1, CALM.as_secs() - 60);
            faults.push(Fault { at, what: what(random, kind, agents) });
        }
    }
    faults
}

/// The faults of the later kinds that it turns on.
pub(super) fn faults_since(random: &mut impl Rng, seed: u64, agents: usize) -> Vec<Fault> {
    let mut faults = Vec::new();
    for kind in LATER.iter().filter(|(from, _)| seed >= *from).flat_map(|(_, kinds)| *kinds) {
        if random.random_bool(0.3) {
            faults.extend(later_faults(random, kind, agents));
        }
    }
    faults
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
        // Whoever starts another database has something to train there.
        if let What::Replaced { lasts } = what {
            for begun in [Some(at), lasts.map(|lasts| at + lasts)].into_iter().flatten() {
                let asked = begun + between(random, 1, 20);
                faults.push(Fault { at: asked, what: What::Person(Wish::Submit(MORE_SEEDS)) });
            }
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
        "forget" => What::Person(Wish::Forget),
        "replaced" => What::Replaced { lasts: random.random_bool(0.6).then(|| between(random, 5, 120)) },
        "store away from other" => {
            What::StoreAwayFromOther { outage: outage(random), lasts: between(random, 1, 120) }
        }
        "depot for ever" if random.random_bool(0.3) => What::DepotTakesNothing,
        "depot for ever" => {
            What::DepotFails { failing: Failing::Refuses, lasts: between(random, 60, CALM.as_secs()) }
        }
        "store vanishes" => What::StoreAway { outage: Outage::IsSilent, lasts: between(random, 1, 120) },
        "store vanishes for other" => {
            What::StoreAwayFromOther { outage: Outage::IsSilent, lasts: between(random, 1, 120) }
        }
        "other coordinator crashes" => What::OtherCoordinatorCrashes { down: between(random, 1, 60) },
        "other partition" => {
            What::OtherPartition { agent: random.random_range(0..agents), lasts: between(random, 1, 60) }
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
        "store away" => What::StoreAway { outage: outage(random), lasts },
        "trainer" => What::Trainer { launch: random.random_range(1..=20), temper: Temper::of_chance(random) },
        "power cut" => What::PowerCut { host: host(random, agent), down: lasts },
        "disk" => What::Disk { host: host(random, agent), trouble: trouble(random), lasts },
        _ => What::Person(wish(random, agent)),
    }
}

fn host(random: &mut impl Rng, agent: usize) -> &'static str {
    if random.random_bool(0.3) { COORDINATOR } else { AGENTS[agent] }
}

fn outage(random: &mut impl Rng) -> Outage {
    if random.random_bool(0.5) { Outage::Refuses } else { Outage::LosesAnswers }
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
