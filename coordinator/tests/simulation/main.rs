//! The protocol under random faults, deterministically: a seed is a schedule.
//!
//! Simulated workers train simulated runs, in groups, on a real store, over a network that loses requests and answers,
//! repeats calls and delivers them late. Workers die, stand still past their leases and come back as zombies, or are
//! started again on what their machines have kept ([`disk`]);
//! coordinators are killed and started again, with other terms of leases; people cancel, pause, resume and retry meanwhile, cordon workers, and submit
//! files that ask for other runs than before. What each worker was told is noted down ([`journal`]), and in the end
//! compared with what the store holds. A claim that comes alone must be granted what is due to it ([`queue`]).
//!
//! Checkpoints go to a folder and come back from it ([`checkpoints`]), by the code of the coordinator ([`transfer`]). The
//! folder refuses, for a while or for ever, loses answers, gives them late, and has files damaged ([`visit`]); two
//! collectors of garbage delete there what nobody needs ([`depot`]). Databases are restored from backups ([`databases`]).
//!
//! Calls are under way at the same time, those of a worker and those of everybody. On SQLite the order in which they are
//! sent is the order in which they take effect, so a seed is a schedule, to the last answer. On Postgres two coordinators
//! answer them, and the server decides which comes first: the seed decides what is sent, to whom, and what becomes of it
//! on the way; a seed that fails there may have to run more than once to fail again.
//!
//! `SIMULATION=FIRST..LAST cargo test --release -p acai-coordinator --test simulation` runs other seeds than the usual
//! ones; a seed that fails is printed.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod checkpoints;
mod cluster;
mod databases;
mod delivery;
mod depot;
mod disk;
mod ending;
mod journal;
mod machines;
mod network;
mod observer;
mod people;
mod plan;
mod queue;
mod training;
mod transfer;
mod verdict;
mod visit;
mod worker;
mod world;

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use acai_testing::postgres::Postgres;

use cluster::Place;
use world::{Counts, simulate};

/// Seeds that a call of the tests runs.
const USUAL: Range<u64> = 0..600;
/// On Postgres each commit crosses a socket: fewer.
const USUAL_ON_POSTGRES: Range<u64> = 0..16;

fn seeds(usual: Range<u64>) -> Range<u64> {
    let Ok(asked) = std::env::var("SIMULATION") else { return usual };
    let (first, last) =
        asked.split_once("..").unwrap_or_else(|| panic!("SIMULATION is `{asked}`, not FIRST..LAST"));
    first.parse().unwrap()..last.parse().unwrap()
}

/// Runs `seeds` one after the other in `threads` threads, each in a `place` that is then given to `clear`; panics at the
/// first that violates an invariant.
#[allow(clippy::print_stderr, reason = "a report of what was simulated")]
fn run(seeds: Range<u64>, threads: u64, place: impl Fn() -> Place + Sync, clear: impl Fn(Place) + Sync) {
    let failed = AtomicBool::new(false);
    let (faults, counts) = std::thread::scope(|scope| {
        let thread = |number| {
            let (seeds, place, clear, failed) = (seeds.clone(), &place, &clear, &failed);
            scope.spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                let (mut faults, mut counts) = (0, Counts::new());
                for seed in seeds.filter(|seed| seed % threads == number) {
                    if failed.load(Ordering::Relaxed) {
                        break;
                    }
                    let place = place();
                    let schedule = AssertUnwindSafe(|| runtime.block_on(simulate(seed, &place)));
                    let outcome = catch_unwind(schedule).unwrap_or_else(|panic| {
                        failed.store(true, Ordering::Relaxed);
                        resume_unwind(panic)
                    });
                    faults += outcome.faults;
                    add(&mut counts, outcome.counts);
                    clear(place);
                }
                (faults, counts)
            })
        };
        let threads: Vec<_> = (0..threads).map(thread).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).fold(
            (0, Counts::new()),
            |(all, mut sums), (faults, counts)| {
                add(&mut sums, counts);
                (all + faults, sums)
            },
        )
    });
    eprintln!(
        "{} schedules with {faults} faults, no invariant violated: {counts:?}",
        seeds.end - seeds.start
    );
}

fn add(sums: &mut Counts, counts: Counts) {
    counts.into_iter().for_each(|(what, count)| *sums.entry(what).or_default() += count);
}

#[test]
fn no_schedule_of_faults_violates_an_invariant_on_sqlite() {
    run(seeds(USUAL), 2, Place::sqlite, drop);
}

#[test]
fn no_schedule_of_faults_violates_an_invariant_on_postgres() {
    let Some(server) = Postgres::start() else { return };
    let place = || Place::postgres(server.url("postgres"), server.create_database().unwrap());
    let clear = |place| match place {
        // Thousands of them would fill a disk.
        Place::Postgres(databases) => {
            databases.urls().iter().for_each(|url| server.drop_database(url).unwrap());
        }
        Place::Sqlite(folder) => drop(folder),
    };
    run(seeds(USUAL_ON_POSTGRES), 2, place, clear);
}

/// Without this a failing seed would be worth nothing.
#[test]
fn a_seed_is_a_schedule() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for seed in 0..10 {
        let [first, second] = [(); 2].map(|()| runtime.block_on(simulate(seed, &Place::sqlite())));
        assert_eq!(first, second, "seed {seed}");
    }
}
