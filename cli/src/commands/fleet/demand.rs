//! What a coordinator says that there is to do.

use std::collections::hash_map::Entry;
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
    Ok(Demand::of(client.get_demand(request).await?.into_inner()))
}

impl Demand {
    fn of(GetDemandResponse { database, startable, running, workers, .. }: GetDemandResponse) -> Demand {
        let mut by_name: HashMap<String, FleetWorker> = HashMap::new();
        for worker in workers {
            // One that is started again has the name of the one that ended.
            match by_name.entry(worker.name.clone()) {
                Entry::Occupied(known) if known.get().alive => {}
                entry => drop(entry.insert_entry(worker)),
            }
        }
        Demand {
            database,
            running,
            startable: startable.into_iter().map(|of| (of.dataset, of.on_any_worker, of.runs)).collect(),
            workers: by_name,
        }
    }

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
            Some(FleetWorker { takes_no_runs: true, running: 0, .. }) => "takes no runs".to_owned(),
            Some(FleetWorker { running, .. }) => format!("trains {running}"),
        }
    }

    /// Runs that the living workers have room for, each taking so many: none where all slots rest, as those of a machine that cannot
    /// train.
    pub(super) fn room(&self, runs_per_worker: u32) -> u64 {
        let open = self.workers.values().filter(|worker| worker.alive && !worker.takes_no_runs);
        open.map(|worker| u64::from(runs_per_worker.saturating_sub(worker.running))).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_that_was_started_again_is_not_taken_for_the_one_that_ended() {
        let worker = |alive, running| FleetWorker {
            name: "lab-a".to_owned(),
            alive,
            running,
            ..FleetWorker::default()
        };
        let lives = worker(true, 2);
        for workers in [vec![lives.clone(), worker(false, 0)], vec![worker(false, 0), lives]] {
            let demand = Demand::of(GetDemandResponse { workers, ..GetDemandResponse::default() });
            assert_eq!(demand.says_of("lab-a"), "trains 2");
            assert!(demand.lives("lab-a"));
        }
    }

    #[test]
    fn a_machine_whose_slots_rest_has_room_for_nothing() {
        let worker = |name: &str, takes_no_runs| FleetWorker {
            name: name.to_owned(),
            alive: true,
            takes_no_runs,
            running: 1,
            ..FleetWorker::default()
        };
        let workers = vec![worker("lab-a", false), worker("lab-b", true)];
        let demand = Demand::of(GetDemandResponse { workers, ..GetDemandResponse::default() });
        assert_eq!(demand.room(4), 3);
    }
}
