//! What happens to the hosts, in the order of time.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use turmoil::Sim;

use crate::depot::Conditions;
use crate::folders;
use crate::journal::Journal;
use crate::network::{COORDINATOR, COORDINATORS};
use crate::plan::{AGENTS, Plan, What};
use crate::system::{self, disk};
use crate::weather::Weather;

/// What happens, in the order of time.
pub(crate) struct Events(VecDeque<(Duration, Event)>);

/// The beginning of something, or its end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Event {
    what: What,
    /// Whether it ends, not begins.
    ends: bool,
}

impl Events {
    pub(crate) fn of(plan: &Plan) -> Events {
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

    pub(crate) fn until(&mut self, now: Duration) -> Vec<Event> {
        let mut due = Vec::new();
        while let Some((_, event)) = self.0.pop_front_if(|(at, _)| *at <= now) {
            due.push(event);
        }
        due
    }
}

fn lasts(what: &What) -> Option<Duration> {
    match what {
        What::AgentCrashes { down, .. }
        | What::CoordinatorCrashes { down }
        | What::OtherCoordinatorCrashes { down }
        | What::PowerCut { down, .. }
        | What::FolderCopied { down, .. } => Some(*down),
        What::Partition { lasts, .. }
        | What::OtherPartition { lasts, .. }
        | What::HalfPartition { lasts, .. }
        | What::Hold { lasts, .. }
        | What::Disk { lasts, .. }
        | What::StoreAway { lasts, .. }
        | What::StoreAwayFromOther { lasts, .. }
        | What::Restored { lasts }
        | What::DepotFails { lasts, .. }
        | What::FolderRestored { lasts, .. } => Some(*lasts),
        What::Replaced { lasts } => *lasts,
        What::AgentStops { .. }
        | What::DepotTakesNothing
        | What::ClockSet { .. }
        | What::Trainer { .. }
        | What::Poison { .. }
        | What::Person(_) => None,
    }
}

/// Notes to whom it happens.
pub(crate) fn disturb(journal: &Journal, Event { what, ends }: Event) {
    let host = match what {
        What::AgentCrashes { agent, .. }
        | What::AgentStops { agent }
        | What::Partition { agent, .. }
        | What::OtherPartition { agent, .. }
        | What::HalfPartition { agent, .. }
        | What::Hold { agent, .. }
        | What::FolderRestored { agent, .. } => AGENTS[agent],
        What::FolderCopied { to, .. } => AGENTS[to],
        What::PowerCut { host, .. } | What::Disk { host, .. } => host,
        What::CoordinatorCrashes { .. } | What::StoreAway { .. } | What::Restored { .. } => COORDINATOR,
        // It happens at once, and once more when the database before comes back.
        What::Replaced { .. } => return journal.disturbs(COORDINATOR, 0),
        What::OtherCoordinatorCrashes { .. } => COORDINATORS[1],
        // Nobody loses a run because a clock is set, because checkpoints cannot be kept, or because one of two coordinators has
        // lost the database.
        What::ClockSet { .. }
        | What::StoreAwayFromOther { .. }
        | What::DepotFails { .. }
        | What::DepotTakesNothing
        | What::Trainer { .. }
        | What::Poison { .. }
        | What::Person(_) => return,
    };
    let goes_on = match (lasts(&what), ends) {
        (None, _) => 0,
        (Some(_), false) => 1,
        (Some(_), true) => -1,
    };
    journal.disturbs(host, goes_on);
}

/// What is not a host.
pub(crate) struct World {
    pub(crate) weather: Arc<Weather>,
    pub(crate) depot: Conditions,
    /// Tells each agent to stop.
    pub(crate) stops: Vec<Arc<Notify>>,
    pub(crate) journal: Journal,
}

impl World {
    /// Lets it happen.
    pub(crate) fn happen(&self, sim: &mut Sim<'_>, event: Event) {
        let Event { what, ends } = event;
        if !matches!(what, What::Trainer { .. } | What::Poison { .. } | What::Person(_)) {
            tracing::info!(target: "simulation", "{} {what:?}", if ends { "ends:" } else { "begins:" });
        }
        match what {
            What::AgentCrashes { agent, .. } => crash(sim, AGENTS[agent], ends),
            What::CoordinatorCrashes { .. } => crash(sim, COORDINATOR, ends),
            What::OtherCoordinatorCrashes { .. } => crash(sim, COORDINATORS[1], ends),
            What::PowerCut { host, .. } => {
                crash(sim, host, ends);
                if !ends {
                    disk::lose_power(host);
                }
            }
            What::Disk { host, trouble, .. } => disk::set(host, (!ends).then_some(trouble)),
            What::AgentStops { agent } => self.stops[agent].notify_waiters(),
            What::StoreAway { outage, .. } => {
                self.weather.set(self.journal.coordinators(), (!ends).then_some(outage));
            }
            What::StoreAwayFromOther { outage, .. } => {
                self.weather.set(&COORDINATORS[1..], (!ends).then_some(outage));
                self.journal.loses_store(COORDINATORS[1], !ends);
            }
            What::DepotFails { failing, .. } => self.depot.set((!ends).then_some(failing)),
            What::DepotTakesNothing => self.depot.take_nothing(),
            What::Restored { .. } if !ends => self.weather.back_up(),
            What::Restored { .. } => self.while_nobody_serves(sim, Weather::restore),
            What::Replaced { .. } => self.while_nobody_serves(sim, Weather::exchange),
            What::ClockSet { host, seconds } => system::set_wall_clock(host, seconds),
            What::FolderCopied { from, to, .. } => {
                crash(sim, AGENTS[to], ends);
                if !ends && folders::give_copy(AGENTS[from], AGENTS[to]) {
                    self.journal.copies_folder(AGENTS[to]);
                }
            }
            What::FolderRestored { agent, .. } if !ends => folders::back_up(AGENTS[agent]),
            What::FolderRestored { agent, .. } => {
                sim.crash(AGENTS[agent]);
                folders::restore(AGENTS[agent]);
                sim.bounce(AGENTS[agent]);
            }
            What::Partition { .. }
            | What::OtherPartition { .. }
            | What::HalfPartition { .. }
            | What::Hold { .. } => {
                disconnect(sim, what, ends);
            }
            What::Trainer { .. } | What::Poison { .. } | What::Person(_) => {}
        }
    }

    fn while_nobody_serves(&self, sim: &mut Sim<'_>, change: impl Fn(&Weather)) {
        let coordinators = self.journal.coordinators();
        coordinators.iter().for_each(|host| sim.crash(*host));
        change(&self.weather);
        coordinators.iter().for_each(|host| sim.bounce(*host));
    }
}

/// A process dies, or is started again.
fn crash(sim: &mut Sim<'_>, host: &str, ends: bool) {
    if ends {
        sim.bounce(host);
    } else {
        sim.crash(host);
    }
}

fn disconnect(sim: &mut Sim<'_>, what: What, ends: bool) {
    match (what, ends) {
        (What::Partition { agent, .. }, false) => sim.partition(AGENTS[agent], COORDINATOR),
        (What::OtherPartition { agent, .. }, false) => sim.partition(AGENTS[agent], COORDINATORS[1]),
        (What::OtherPartition { agent, .. }, true) => sim.repair(AGENTS[agent], COORDINATORS[1]),
        (What::HalfPartition { agent, to_coordinator: true, .. }, false) => {
            sim.partition_oneway(AGENTS[agent], COORDINATOR);
        }
        (What::HalfPartition { agent, .. }, false) => sim.partition_oneway(COORDINATOR, AGENTS[agent]),
        (What::Partition { agent, .. } | What::HalfPartition { agent, .. }, true) => {
            sim.repair(AGENTS[agent], COORDINATOR);
        }
        (What::Hold { agent, .. }, false) => sim.hold(AGENTS[agent], COORDINATOR),
        (What::Hold { agent, .. }, true) => sim.release(AGENTS[agent], COORDINATOR),
        _ => {}
    }
}
