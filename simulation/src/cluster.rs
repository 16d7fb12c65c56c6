//! The cluster: a coordinator or two, agents and a person, each on a host of its own, and what happens to them.

use std::future::pending;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use acai_access::AccessFile;
use acai_coordinator::clock::Clock;
use acai_coordinator::store::memory::MemoryStore;
use acai_coordinator::{Door, LeaseTerms, serve};
use acai_proto::v1::Hardware;
use acai_worker::{GroupSize, Network, WorkerConfig, WorkerError};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};
use turmoil::Builder;

use crate::check::Check;
use crate::depot::{Conditions, Depot};
use crate::events::{Events, World, disturb};
use crate::journal::Journal;
use crate::network::{self, COORDINATOR, Listener, PORT};
use crate::people::Person;
use crate::plan::{AGENTS, Plan};
use crate::system;
use crate::trainer::Trainers;
use crate::weather::Weather;

/// How long a process takes to be started again that has ended by itself.
const RESTART: Duration = Duration::from_secs(5);
/// Longer than any simulation takes in virtual time, also one with many slow trainers.
const END: Duration = Duration::from_secs(24 * 3600);
/// How often the promises are checked in virtual time.
const CHECK_EVERY: Duration = Duration::from_secs(10);

/// What a simulation came to.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Virtual time that it took.
    pub(crate) took: Duration,
    pub(crate) violations: Vec<String>,
}

/// Runs a plan to its end, or until a promise is broken.
pub(crate) fn simulate(plan: &Plan) -> Outcome {
    let journal = Journal::new(plan);
    let weather = Arc::new(Weather::new(MemoryStore::new(Clock::start()), plan, journal.clone()));
    let stops: Vec<Arc<Notify>> = (0..plan.agents).map(|_| Arc::default()).collect();
    let mut sim = Builder::new()
        .rng_seed(plan.seed)
        .tick_duration(plan.tick)
        .min_message_latency(Duration::from_millis(1))
        .max_message_latency(plan.latency)
        .tcp_capacity(1024)
        .simulation_duration(END)
        .enable_random_order()
        .build();
    let depot = Conditions::default();
    for &host in plan.coordinators() {
        let (served, kept, noted) = (Arc::clone(&weather), depot.clone(), journal.clone());
        let place = plan.depot();
        sim.host(host, move || coordinator(host, Arc::clone(&served), place, kept.clone(), noted.clone()));
    }
    for (agent, stop) in stops.iter().enumerate() {
        let config = config(plan, agent, &journal);
        let (stop, noted, host) = (Arc::clone(stop), journal.clone(), AGENTS[agent]);
        sim.host(host, move || work(host, config.clone(), Arc::clone(&stop), noted.clone()));
    }
    let (person, noted) = (plan.clone(), journal.clone());
    sim.client("person", async move {
        Person::new(person, noted)?.live().await;
        Ok(())
    });
    let mut check = Check::new(plan.clone(), Arc::clone(&weather), journal.clone());
    let (world, mut events) = (World { weather, depot, stops, journal: journal.clone() }, Events::of(plan));
    let mut checked = Duration::ZERO;
    loop {
        for event in events.until(sim.elapsed()) {
            system::is_now(sim.elapsed());
            disturb(&journal, event);
            world.happen(&mut sim, event);
            check.notices_rewrites();
        }
        let step = sim.step();
        system::is_now(sim.elapsed());
        if sim.elapsed() >= checked + CHECK_EVERY {
            checked = sim.elapsed();
            check.all_along();
        }
        match step {
            Ok(false) if journal.violations().is_empty() => {}
            Ok(false) => break,
            Ok(true) => {
                check.all_along();
                check.in_the_end();
                break;
            }
            Err(error) => {
                journal.violates(format!("a host ended: {error}"));
                break;
            }
        }
    }
    Outcome { took: sim.elapsed(), violations: journal.violations() }
}

/// The host of a coordinator: started again when it ends because its database is away.
async fn coordinator(
    host: &'static str,
    store: Arc<Weather>,
    place: &'static str,
    depot: Conditions,
    journal: Journal,
) -> turmoil::Result {
    system::is_on(host);
    loop {
        journal.disturbs(host, 0);
        store.coordinator_starts(host);
        let staging = Path::new(host).join("blobs/staging");
        let blobs = match Depot::open(Path::new(place), &staging, depot.clone()) {
            Ok(blobs) => Arc::new(blobs),
            Err(error) => {
                tracing::warn!(target: "simulation", "the coordinator ends: {error}");
                sleep(RESTART).await;
                continue;
            }
        };
        let served = serve(
            Listener::bind().await?,
            store.clone(),
            blobs,
            LeaseTerms::default(),
            Door::open(),
            pending(),
        );
        match served.await {
            Ok(()) => return Err("the coordinator ended in order, although nobody told it to".into()),
            Err(error) => tracing::warn!(target: "simulation", "the coordinator ends: {error}"),
        }
        sleep(RESTART).await;
    }
}

/// The host of an agent, which is started again when it ends.
async fn work(
    host: &'static str,
    config: WorkerConfig,
    stop: Arc<Notify>,
    journal: Journal,
) -> turmoil::Result {
    system::is_on(host);
    loop {
        let begun = Instant::now();
        journal.disturbs(host, 0);
        let has_served = config.state.join("database").is_file();
        // A person says so who has been told that the folder is a copy.
        let adopt = journal.was_refused_a_copy(host);
        match acai_worker::run(WorkerConfig { adopt, ..config.clone() }, stop.notified()).await {
            Ok(summary) => tracing::info!(target: "simulation", "the agent ended: {summary}"),
            Err(error) => {
                tracing::warn!(target: "simulation", "the agent ends: {error}");
                if matches!(error, WorkerError::StateCopied { .. }) {
                    journal.is_refused_a_copy(host);
                }
                let is_unreachable = matches!(error, WorkerError::Unreachable { .. });
                if has_served && is_unreachable && begun.elapsed() < config.outage {
                    journal.violates(format!("an agent did not wait for its coordinator: {error}"));
                }
            }
        }
        sleep(RESTART).await;
    }
}

fn config(plan: &Plan, agent: usize, journal: &Journal) -> WorkerConfig {
    let host = AGENTS[agent];
    let access = AccessFile::open(&format!("http://{COORDINATOR}:{PORT}"));
    let (noted, journal, release) = (journal.clone(), journal.clone(), plan.release);
    WorkerConfig {
        network: Network::new(move |endpoint| network::open(endpoint, host, release, &noted)),
        name: Some(host.to_owned()),
        hardware: Some(Hardware {
            host: host.to_owned(),
            cpu: "simulated".to_owned(),
            cores: 2,
            memory_bytes: 1 << 30,
            ..Hardware::default()
        }),
        slots: Some(plan.slots),
        group_size: GroupSize::Runs(plan.group_size),
        launcher: Some(Arc::new(Trainers { host, journal })),
        outage: plan.outage,
        trainer_silence: Duration::from_secs(120),
        trainer_setup: Duration::from_secs(180),
        trainer_step: Duration::from_secs(120),
        ..WorkerConfig::new(access, format!("{host}/state"))
    }
}
