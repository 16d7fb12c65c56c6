//! The cluster: a coordinator, agents and a person, each on a host of its own, and what happens to them.

use std::collections::VecDeque;
use std::future::pending;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use acai_access::AccessFile;
use acai_coordinator::blobs::directory::Directory;
use acai_coordinator::clock::Clock;
use acai_coordinator::store::memory::MemoryStore;
use acai_coordinator::{Door, LeaseTerms, serve};
use acai_proto::v1::Hardware;
use acai_worker::{Network, WorkerConfig, WorkerError};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};
use turmoil::{Builder, Sim};

use crate::check::Check;
use crate::journal::Journal;
use crate::network::{self, COORDINATOR, Listener, PORT};
use crate::people::Person;
use crate::plan::{AGENTS, Plan, What};
use crate::system::disk;
use crate::trainer::Trainers;
use crate::weather::Weather;

/// How long a process takes to be started again that has ended by itself.
const RESTART: Duration = Duration::from_secs(5);
/// Longer than any simulation takes in virtual time.
const END: Duration = Duration::from_secs(3 * 3600);
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
    let weather = Arc::new(Weather::new(MemoryStore::new(Clock::start()), journal.clone()));
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
    let (served, noted) = (Arc::clone(&weather), journal.clone());
    sim.host(COORDINATOR, move || coordinator(Arc::clone(&served), noted.clone()));
    for (agent, stop) in stops.iter().enumerate() {
        let config = config(plan, agent, &journal);
        let (stop, noted) = (Arc::clone(stop), journal.clone());
        sim.host(AGENTS[agent], move || work(config.clone(), Arc::clone(&stop), noted.clone()));
    }
    let (person, noted) = (plan.clone(), journal.clone());
    sim.client("person", async move {
        Person::new(person, noted)?.live().await;
        Ok(())
    });
    let mut check = Check::new(plan.clone(), Arc::clone(&weather), journal.clone());
    let mut events = Events::of(plan);
    let mut checked = Duration::ZERO;
    loop {
        for event in events.until(sim.elapsed()) {
            disturb(&journal, event);
            happen(&mut sim, event, &weather, &stops);
        }
        let step = sim.step();
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

/// The host of the coordinator: started again when it ends because its database is away.
async fn coordinator(store: Arc<Weather>, journal: Journal) -> turmoil::Result {
    loop {
        journal.disturbs(COORDINATOR, 0);
        store.coordinator_starts();
        let blobs = match Directory::open(Path::new("coordinator/blobs")) {
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
async fn work(config: WorkerConfig, stop: Arc<Notify>, journal: Journal) -> turmoil::Result {
    let has_served = config.state.exists();
    loop {
        let begun = Instant::now();
        if let Some(host) = AGENTS.into_iter().find(|host| config.name.as_deref() == Some(host)) {
            journal.disturbs(host, 0);
        }
        match acai_worker::run(config.clone(), stop.notified()).await {
            Ok(summary) => tracing::info!(target: "simulation", "the agent ended: {summary}"),
            Err(error) => {
                tracing::warn!(target: "simulation", "the agent ends: {error}");
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
    let (noted, journal) = (journal.clone(), journal.clone());
    WorkerConfig {
        network: Network::new(move |endpoint| network::open(endpoint, host, &noted)),
        name: Some(host.to_owned()),
        hardware: Some(Hardware {
            host: host.to_owned(),
            cpu: "simulated".to_owned(),
            cores: 2,
            memory_bytes: 1 << 30,
            ..Hardware::default()
        }),
        slots: Some(plan.slots),
        group_size: plan.group_size,
        launcher: Some(Arc::new(Trainers { host, journal })),
        outage: plan.outage,
        trainer_silence: Duration::from_secs(120),
        trainer_setup: Duration::from_secs(180),
        trainer_step: Duration::from_secs(120),
        ..WorkerConfig::new(access, format!("{host}/state"))
    }
}

/// What happens, in the order of time.
struct Events(VecDeque<(Duration, Event)>);

#[derive(Debug, Clone, Copy)]
struct Event {
    what: What,
    /// Whether it ends, not begins.
    ends: bool,
}

impl Events {
    fn of(plan: &Plan) -> Events {
        let mut events = Vec::new();
        for fault in &plan.faults {
            events.push((fault.at, Event { what: fault.what, ends: false }));
            if let Some(lasts) = lasts(&fault.what) {
                events.push((fault.at + lasts, Event { what: fault.what, ends: true }));
            }
        }
        events.sort_by_key(|(at, _)| *at);
        Events(events.into())
    }

    fn until(&mut self, now: Duration) -> Vec<Event> {
        let mut due = Vec::new();
        while let Some((_, event)) = self.0.pop_front_if(|(at, _)| *at <= now) {
            due.push(event);
        }
        due
    }
}

fn lasts(what: &What) -> Option<Duration> {
    match what {
        What::AgentCrashes { down, .. } | What::CoordinatorCrashes { down } | What::PowerCut { down, .. } => {
            Some(*down)
        }
        What::Partition { lasts, .. }
        | What::HalfPartition { lasts, .. }
        | What::Hold { lasts, .. }
        | What::Disk { lasts, .. }
        | What::StoreAway { lasts, .. }
        | What::Restored { lasts } => Some(*lasts),
        What::AgentStops { .. } | What::Trainer { .. } | What::Poison { .. } | What::Person(_) => None,
    }
}

/// Notes to whom it happens.
fn disturb(journal: &Journal, Event { what, ends }: Event) {
    let host = match what {
        What::AgentCrashes { agent, .. }
        | What::AgentStops { agent }
        | What::Partition { agent, .. }
        | What::HalfPartition { agent, .. }
        | What::Hold { agent, .. } => AGENTS[agent],
        What::PowerCut { host, .. } | What::Disk { host, .. } => host,
        What::CoordinatorCrashes { .. } | What::StoreAway { .. } | What::Restored { .. } => COORDINATOR,
        What::Trainer { .. } | What::Poison { .. } | What::Person(_) => return,
    };
    let goes_on = match (lasts(&what), ends) {
        (None, _) => 0,
        (Some(_), false) => 1,
        (Some(_), true) => -1,
    };
    journal.disturbs(host, goes_on);
}

fn happen(sim: &mut Sim<'_>, Event { what, ends }: Event, weather: &Weather, stops: &[Arc<Notify>]) {
    if !matches!(what, What::Trainer { .. } | What::Poison { .. } | What::Person(_)) {
        tracing::info!(target: "simulation", "{} {what:?}", if ends { "ends:" } else { "begins:" });
    }
    match (what, ends) {
        (What::AgentCrashes { agent, .. }, false) => sim.crash(AGENTS[agent]),
        (What::AgentCrashes { agent, .. }, true) => sim.bounce(AGENTS[agent]),
        (What::PowerCut { host, .. }, false) => {
            sim.crash(host);
            disk::lose_power(host);
        }
        (What::PowerCut { host, .. }, true) => sim.bounce(host),
        (What::Disk { host, trouble, .. }, ends) => disk::set(host, (!ends).then_some(trouble)),
        (What::CoordinatorCrashes { .. }, false) => sim.crash(COORDINATOR),
        (What::CoordinatorCrashes { .. }, true) => sim.bounce(COORDINATOR),
        (What::AgentStops { agent }, _) => stops[agent].notify_waiters(),
        (What::Partition { agent, .. }, false) => sim.partition(AGENTS[agent], COORDINATOR),
        (What::HalfPartition { agent, to_coordinator: true, .. }, false) => {
            sim.partition_oneway(AGENTS[agent], COORDINATOR);
        }
        (What::HalfPartition { agent, .. }, false) => sim.partition_oneway(COORDINATOR, AGENTS[agent]),
        (What::Partition { agent, .. } | What::HalfPartition { agent, .. }, true) => {
            sim.repair(AGENTS[agent], COORDINATOR);
        }
        (What::Hold { agent, .. }, false) => sim.hold(AGENTS[agent], COORDINATOR),
        (What::Hold { agent, .. }, true) => sim.release(AGENTS[agent], COORDINATOR),
        (What::StoreAway { outage, .. }, ends) => weather.set((!ends).then_some(outage)),
        (What::Restored { .. }, false) => weather.back_up(),
        (What::Restored { .. }, true) => {
            sim.crash(COORDINATOR);
            weather.restore();
            sim.bounce(COORDINATOR);
        }
        (What::Trainer { .. } | What::Poison { .. } | What::Person(_), _) => {}
    }
}
