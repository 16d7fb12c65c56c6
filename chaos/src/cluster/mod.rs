//! The cluster under test: coordinators, workers with a folder of their own each, and a database server if there
//! is one.

mod access;
mod backup;
mod clock;
mod copied_state;
mod disk;
#[cfg(test)]
mod failed_flush;
mod failing_disk;
mod fault;
mod preloaded;
mod service;
mod tree;

use std::net::{SocketAddr, TcpListener};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{self, Arc, PoisonError};
use std::time::Duration;

use acai_access::AccessFile;
use acai_testing::postgres::Postgres;
use anyhow::Context;
use rustix::process::Signal;
use tokio::process::Command;
use tokio::sync::{Mutex, Semaphore};

use crate::database::Database;
use crate::journal::Journal;
use crate::programs::Programs;
use crate::proxy::{Door, Network};
use crate::schedule::{Machine, Schedule};
use crate::session::Settings;
use access::Access;
use clock::{Clocks, WallClock};
use disk::Disk;
use failing_disk::FailingDisk;
use service::Service;

pub use disk::unmount_leftovers;

/// Time for a worker to hand its runs back: it promises 25 s.
const WORKER_PATIENCE: Duration = Duration::from_secs(30);
/// Time for a coordinator to end.
const COORDINATOR_PATIENCE: Duration = Duration::from_secs(15);

/// See the module. Whoever makes something fail holds its lock until it has started again.
pub struct Cluster {
    /// Between workers and coordinators.
    pub network: Arc<Network>,
    /// The coordinators as people who submit reach them.
    pub submitters: Vec<AccessFile>,
    workers: Vec<Mutex<Service>>,
    agents: Vec<Agent>,
    states: Vec<PathBuf>,
    coordinators: Vec<Mutex<Service>>,
    database: Database,
    database_server: Option<Mutex<Postgres>>,
    /// One worker at a time is kept from its work for long, so that there is progress.
    outages: Semaphore,
    equipment: Equipment,
    folder: PathBuf,
    lease: Duration,
    /// Held by who makes it full, or puts something on it.
    coordinators_disk: Mutex<()>,
    /// Held from a backup of the database to its restoration.
    backups: Mutex<()>,
    /// Times that the database was replaced by a backup.
    restores: AtomicU64,
    /// See [`Evidence`](crate::check::snapshot::Evidence).
    outages_of_database: sync::Mutex<Vec<RangeInclusive<i64>>>,
    /// What happened that must not happen, in words.
    copies_used: sync::Mutex<Vec<String>>,
}

/// How the agent of a worker is started on a state folder.
type Agent = Arc<dyn Fn(&Path) -> Command + Send + Sync>;

/// Parts of machines that can be made to fail, as far as this machine allows.
#[derive(Debug, Default)]
pub struct Equipment {
    /// Those of the workers, then the coordinators' one.
    disks: Vec<Disk>,
    /// Those of the workers, then the coordinators'.
    clocks: Vec<WallClock>,
    /// Those of the workers, then the coordinators' one, where clocks can be set.
    failing_disks: Vec<FailingDisk>,
    /// What does not fail here, and why.
    pub not_tested: Vec<String>,
}

impl Equipment {
    /// Mounts the disks of `workers` workers and of the coordinators in a session's folder, and makes clocks.
    #[must_use]
    pub fn prepare(folder: &Path, workers: usize, coordinators: usize) -> Equipment {
        let mut equipment = Equipment::default();
        let places =
            (0..workers).map(|number| state_folder(folder, number)).chain([coordinators_disk(folder)]);
        match places.map(|place| Disk::mount(&place)).collect() {
            Ok(disks) => equipment.disks = disks,
            Err(error) => equipment.not_tested.push(format!("no disk gets full: {error:#}")),
        }
        let names = (0..workers).map(worker_name);
        let names = names.chain((0..coordinators).map(|number| format!("coordinator-{number}")));
        let places =
            (0..workers).map(|number| state_folder(folder, number)).chain([coordinators_disk(folder)]);
        let preloaded = || {
            let clocks = Clocks::compile(folder)?;
            let clocks = names.map(|name| clocks.of(&name)).collect::<anyhow::Result<_>>()?;
            anyhow::Ok((clocks, places.map(FailingDisk::of).collect::<anyhow::Result<_>>()?))
        };
        match preloaded() {
            Ok((clocks, disks)) => (equipment.clocks, equipment.failing_disks) = (clocks, disks),
            Err(error) => equipment
                .not_tested
                .push(format!("no wall clock is set, and no disk is slow or fails: {error:#}")),
        }
        equipment
    }

    /// How a coordinator is started.
    fn coordinator(
        &self,
        number: usize,
        schedule: Schedule,
        settings: &Settings,
        folder: &Path,
        database: &Database,
        address: SocketAddr,
    ) -> impl Fn() -> Command + Send + Sync + use<> {
        let (programs, database, address) = (settings.programs.clone(), database.url(), address.to_string());
        let access = (!settings.plain).then(|| access::file_of_coordinator(folder, number));
        let (blobs, lease) = (blobs_folder(folder), schedule.lease.as_secs_f64().to_string());
        let clock = self.clocks.get(schedule.workers + number).cloned();
        let disk = self.failing_disks.last().cloned();
        move || {
            let mut command = programs.acai(&["coordinator", "--db", &database, "--listen", &address]);
            match &access {
                Some(file) => command.arg("--access-file").arg(file),
                None => command.args(["--auth", "none"]),
            };
            command.args(["--lease", &lease]).arg("--blobs").arg(&blobs);
            command.envs(clock.iter().flat_map(WallClock::environment));
            command.envs(disk.iter().flat_map(FailingDisk::environment));
            command
        }
    }

    /// How a worker's agent is started, which finds the coordinators behind `door`, an address or an access file.
    fn agent(&self, number: usize, programs: Programs, trainer: PathBuf, door: String) -> Agent {
        let (clock, disk) = (self.clocks.get(number).cloned(), self.failing_disks.get(number).cloned());
        Arc::new(move |state: &Path| {
            let mut command = programs.acai(&["worker", "--slots", "1", "--device", "cpu"]);
            command.args(["--coordinator", &door, "--name", &worker_name(number)]);
            command.arg("--state").arg(state).arg("--trainer").arg(&trainer);
            command.envs(clock.iter().flat_map(WallClock::environment));
            command.envs(disk.iter().flat_map(FailingDisk::environment));
            command
        })
    }

    /// Whether disks can be made full.
    #[must_use]
    pub fn has_disks(&self) -> bool {
        !self.disks.is_empty()
    }

    /// Whether wall clocks can be set.
    #[must_use]
    pub fn has_clocks(&self) -> bool {
        !self.clocks.is_empty()
    }
}

impl Cluster {
    /// Starts a cluster with everything below `folder`.
    ///
    /// # Errors
    /// If a process cannot be started.
    pub async fn start(
        schedule: Schedule,
        settings: &Settings,
        folder: &Path,
        equipment: Equipment,
        database: &Database,
        database_server: Option<Postgres>,
    ) -> anyhow::Result<Self> {
        let addresses =
            (0..schedule.coordinators).map(|_| free_address()).collect::<anyhow::Result<Vec<_>>>()?;
        let mut coordinators = Vec::new();
        for (number, address) in addresses.iter().enumerate() {
            let command = equipment.coordinator(number, schedule, settings, folder, database, *address);
            let log = folder.join(format!("coordinator-{number}.log"));
            coordinators.push(Mutex::new(Service::start(&log, command)?));
        }
        let journal = Journal::create(&folder.join("journal.jsonl"))?;
        let access = match settings.plain {
            true => {
                Access::open(addresses.iter().map(|address| format!("http://{address}")), schedule.workers)
            }
            false => Access::made(folder, schedule.coordinators, schedule.workers).await?,
        };
        let network = Arc::new(Network::new(schedule, &access.submitters, access.workers.clone(), journal)?);
        let programs = &settings.programs;
        let trainer = programs.single_threaded_trainer(folder)?;
        let (mut workers, mut agents, mut states) = (Vec::new(), Vec::new(), Vec::new());
        for number in 0..schedule.workers {
            let door = Door::open(Arc::clone(&network), number, access.proxies.as_ref()).await?;
            let door = access.to_door(folder, number, door)?;
            let agent = equipment.agent(number, programs.clone(), trainer.clone(), door);
            let state = state_folder(folder, number);
            agents.push(Arc::clone(&agent));
            states.push(state.clone());
            let log = folder.join(format!("{}.log", worker_name(number)));
            workers.push(Mutex::new(Service::start(&log, move || agent(&state))?));
        }
        Ok(Cluster {
            network,
            submitters: access.submitters,
            workers,
            agents,
            states,
            coordinators,
            database: database.clone(),
            database_server: database_server.map(Mutex::new),
            outages: Semaphore::new(1),
            equipment,
            folder: folder.to_owned(),
            lease: schedule.lease,
            coordinators_disk: Mutex::default(),
            backups: Mutex::default(),
            restores: AtomicU64::new(0),
            outages_of_database: sync::Mutex::default(),
            copies_used: sync::Mutex::default(),
        })
    }

    fn disk(&self, machine: Machine) -> Option<&Disk> {
        match machine {
            Machine::Worker(number) => self.equipment.disks.get(number),
            Machine::Coordinator(_) => self.equipment.disks.last(),
        }
    }

    fn failing_disk(&self, machine: Machine) -> Option<&FailingDisk> {
        match machine {
            Machine::Worker(number) => self.equipment.failing_disks.get(number),
            Machine::Coordinator(_) => self.equipment.failing_disks.last(),
        }
    }

    fn clock(&self, machine: Machine) -> Option<&WallClock> {
        self.equipment.clocks.get(match machine {
            Machine::Worker(number) => number,
            Machine::Coordinator(number) => self.workers.len() + number,
        })
    }

    /// What cannot be made to fail here, and why.
    pub fn not_tested(&self) -> &[String] {
        &self.equipment.not_tested
    }

    /// Ends what faults have left: wall clocks that are wrong.
    ///
    /// # Errors
    /// If a clock cannot be set.
    pub fn calm_down(&self) -> anyhow::Result<()> {
        self.network.calm_down();
        self.equipment.clocks.iter().try_for_each(|clock| clock.set(0))
    }

    /// Times that the database was replaced by a backup, which has not heard of what was submitted since.
    pub fn restores(&self) -> u64 {
        self.restores.load(Ordering::SeqCst)
    }

    /// When the database server was away for longer than a lease, with a term after its return: milliseconds from 1970.
    pub fn outages_of_database(&self) -> sync::MutexGuard<'_, Vec<RangeInclusive<i64>>> {
        self.outages_of_database.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Copies of state folders that were not refused, in words.
    pub fn copies_used(&self) -> sync::MutexGuard<'_, Vec<String>> {
        self.copies_used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The workers' state folders.
    #[must_use]
    pub fn states(&self) -> &[PathBuf] {
        &self.states
    }

    /// Starts again what has ended by itself, as the machine's service manager would, and counts that.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn revive(&self) -> anyhow::Result<()> {
        for (services, kind) in
            [(&self.workers, "worker ended by itself"), (&self.coordinators, "coordinator ended by itself")]
        {
            // What is locked is being made to fail.
            for mut service in services.iter().filter_map(|service| service.try_lock().ok()) {
                if service.has_ended() {
                    self.network.tally.note(kind);
                    service.start_again()?;
                }
            }
        }
        Ok(())
    }

    /// Ends everything but the database server, workers first.
    pub async fn stop(&self) {
        for worker in &self.workers {
            let worker = worker.lock().await;
            worker.signal(Signal::CONT);
            worker.signal(Signal::TERM);
        }
        for worker in &self.workers {
            worker.lock().await.wait_or_kill(WORKER_PATIENCE).await;
        }
        for coordinator in &self.coordinators {
            let mut coordinator = coordinator.lock().await;
            coordinator.signal(Signal::TERM);
            coordinator.wait_or_kill(COORDINATOR_PATIENCE).await;
        }
    }
}

fn worker_name(number: usize) -> String {
    format!("worker-{number}")
}

fn state_folder(session: &Path, worker: usize) -> PathBuf {
    session.join(worker_name(worker))
}

/// What the coordinators of a session keep on disks, beside what is on a server.
fn coordinators_disk(session: &Path) -> PathBuf {
    session.join("coordinators")
}

/// Where the coordinators of a session keep checkpoints.
#[must_use]
pub fn blobs_folder(session: &Path) -> PathBuf {
    coordinators_disk(session).join("blobs")
}

/// Where the coordinator of a session keeps its database, if that is a file.
#[must_use]
pub fn database_file(session: &Path) -> PathBuf {
    coordinators_disk(session).join("acai.db")
}

fn free_address() -> anyhow::Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0")?.local_addr().context("no port for a coordinator")
}
