//! The cluster under test: coordinators, workers with a folder of their own each, and a database server if there
//! is one.

mod fault;
mod service;
mod tree;

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use acai_testing::postgres::Postgres;
use anyhow::Context;
use rustix::process::Signal;
use tokio::sync::{Mutex, Semaphore};

use crate::database::Database;
use crate::journal::Journal;
use crate::programs::Programs;
use crate::proxy::{Door, Network};
use crate::schedule::Schedule;
use service::Service;

/// Time for a worker to hand its runs back: it promises 25 s.
const WORKER_PATIENCE: Duration = Duration::from_secs(30);
/// Time for a coordinator to end.
const COORDINATOR_PATIENCE: Duration = Duration::from_secs(15);

/// See the module. Whoever makes something fail holds its lock until it has started again.
pub struct Cluster {
    /// Between workers and coordinators.
    pub network: Arc<Network>,
    /// Where coordinators listen.
    pub coordinator_addresses: Vec<SocketAddr>,
    workers: Vec<Mutex<Service>>,
    states: Vec<PathBuf>,
    coordinators: Vec<Mutex<Service>>,
    database: Database,
    database_server: Option<Mutex<Postgres>>,
    /// One worker at a time is kept from its work for long, so that there is progress.
    outages: Semaphore,
}

impl Cluster {
    /// Starts a cluster with everything below `folder`.
    ///
    /// # Errors
    /// If a process cannot be started.
    pub async fn start(
        schedule: Schedule,
        programs: &Programs,
        folder: &Path,
        database: &Database,
        database_server: Option<Postgres>,
    ) -> anyhow::Result<Self> {
        let coordinator_addresses =
            (0..schedule.coordinators).map(|_| free_address()).collect::<anyhow::Result<Vec<_>>>()?;
        let lease = schedule.lease.as_secs_f64().to_string();
        let mut coordinators = Vec::new();
        for (number, address) in coordinator_addresses.iter().enumerate() {
            let (programs, database, lease, address) =
                (programs.clone(), database.url(), lease.clone(), address.to_string());
            let blobs = blobs_folder(folder);
            let command = move || {
                let mut command = programs.acai(&["coordinator", "--db", &database, "--listen", &address]);
                command.args(["--lease", &lease]).arg("--blobs").arg(&blobs);
                command
            };
            let log = folder.join(format!("coordinator-{number}.log"));
            coordinators.push(Mutex::new(Service::start(&log, command)?));
        }
        let journal = Journal::create(&folder.join("journal.jsonl"))?;
        let network = Arc::new(Network::new(schedule, &coordinator_addresses, journal)?);
        let trainer = programs.single_threaded_trainer(folder)?;
        let (mut workers, mut states) = (Vec::new(), Vec::new());
        for number in 0..schedule.workers {
            let door = format!("http://{}", Door::open(Arc::clone(&network), number).await?);
            let name = format!("worker-{number}");
            let state = folder.join(&name);
            states.push(state.clone());
            let log = folder.join(format!("{name}.log"));
            let (programs, trainer) = (programs.clone(), trainer.clone());
            let command = move || {
                let mut command = programs.acai(&["worker", "--slots", "1", "--device", "cpu"]);
                command.args(["--coordinator", &door, "--name", &name]);
                command.arg("--state").arg(&state).arg("--trainer").arg(&trainer);
                command
            };
            workers.push(Mutex::new(Service::start(&log, command)?));
        }
        Ok(Cluster {
            network,
            coordinator_addresses,
            workers,
            states,
            coordinators,
            database: database.clone(),
            database_server: database_server.map(Mutex::new),
            outages: Semaphore::new(1),
        })
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

/// Where the coordinators of a session keep checkpoints.
#[must_use]
pub fn blobs_folder(session: &Path) -> PathBuf {
    session.join("blobs")
}

fn free_address() -> anyhow::Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0")?.local_addr().context("no port for a coordinator")
}
