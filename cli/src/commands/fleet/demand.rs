//! What a coordinator says that there is to do.

use std::collections::{HashMap, HashSet};

use acai_access::AccessFile;
use acai_proto::v1::fleet_service_client::FleetServiceClient;
use acai_proto::v1::{FleetWorker, GetDemandRequest, GetDemandResponse};

use crate::client::connection;
use crate::failure::Failure;

/// What there is to do, and the workers of a fleet.
#[derive(Debug)]
pub(super) struct Demand {
    pub(super) database: String,
    pub(super) running: u64,
    startable: Vec<(String, bool, u64)>,
    workers: HashMap<String, FleetWorker>,
}

/// Asks the coordinator; tells of the workers whose names begin so. On a connection of its own: there may be another
/// coordinator at the address since the last time.
pub(super) async fn demand(access: &AccessFile, worker_prefix: &str) -> Result<Demand, Failure> {
    let mut client = FleetServiceClient::new(connection(access).await?);
    let request = GetDemandRequest { worker_prefix: worker_prefix.to_owned() };
    let GetDemandResponse { database, startable, running, workers, .. } =
        client.get_demand(request).await?.into_inner();
    Ok(Demand {
        database,
        running,
        startable: startable.into_iter().map(|of| (of.dataset, of.on_any_worker, of.runs)).collect(),
        workers: workers.into_iter().map(|worker| (worker.name.clone(), worker)).collect(),
    })
}

impl Demand {
    /// Queued runs that workers of the fleet could start: as far as can be told by the datasets that earlier ones had.
    pub(super) fn startable(&self) -> u64 {
        let had: HashSet<&str> =
            self.workers.values().flat_map(|worker| &worker.datasets).map(String::as_str).collect();
        let is_theirs = |dataset: &str| self.workers.is_empty() || had.contains(dataset);
        let theirs = self.startable.iter().filter(|(dataset, anywhere, _)| *anywhere || is_theirs(dataset));
        theirs.map(|(_, _, runs)| runs).sum()
    }

    /// Whether the coordinator has ever heard of the worker.
    pub(super) fn knows(&self, worker: &str) -> bool {
        self.workers.contains_key(worker)
    }

    /// Whether the worker has been heard of within a lease, and has not ended.
    pub(super) fn lives(&self, worker: &str) -> bool {
        self.workers.get(worker).is_some_and(|worker| worker.alive)
    }

    /// How the worker is, in a word.
    pub(super) fn says_of(&self, worker: &str) -> String {
        match self.workers.get(worker) {
            None => "not yet known".to_owned(),
            Some(FleetWorker { alive: false, .. }) => "gone".to_owned(),
            Some(FleetWorker { running, .. }) => format!("trains {running}"),
        }
    }

    /// Runs that the living workers have room for, each taking so many.
    pub(super) fn room(&self, runs_per_worker: u32) -> u64 {
        let living = self.workers.values().filter(|worker| worker.alive);
        living.map(|worker| u64::from(runs_per_worker.saturating_sub(worker.running))).sum()
    }
}
