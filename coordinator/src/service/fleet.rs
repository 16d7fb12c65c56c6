//! `FleetService`: how much there is to do, for whoever starts machines.

use acai_proto::v1::{self, fleet_service_server::FleetService};
use acai_sweep::run::RunState;
use acai_sweep::schedule::is_on_any_worker;
use tonic::{Request, Response, Status};

use super::fields::name;
use crate::store::Duty;
use crate::use_cases::{Machine, UseCases};

pub(crate) struct Fleets {
    pub(crate) use_cases: UseCases,
}

#[tonic::async_trait]
impl FleetService for Fleets {
    async fn get_demand(
        &self,
        request: Request<v1::GetDemandRequest>,
    ) -> Result<Response<v1::GetDemandResponse>, Status> {
        let prefix = request.into_inner().worker_prefix;
        let workers = match prefix.as_str() {
            "" => Vec::new(),
            _ => self.use_cases.machines_named(&name("worker_prefix", prefix)?).await?,
        };
        let (demand, database, now_ms) = self.use_cases.demand().await?;
        let startable = demand.startable.into_iter().map(|(dataset, runs)| v1::QueuedRuns {
            on_any_worker: is_on_any_worker(&dataset),
            dataset,
            runs,
        });
        Ok(Response::new(v1::GetDemandResponse {
            database,
            startable: startable.collect(),
            running: demand.runs.get(&RunState::Running).copied().unwrap_or_default(),
            workers: workers.into_iter().map(fleet_worker).collect(),
            now_ms,
        }))
    }
}

fn fleet_worker(Machine { worker, is_alive }: Machine) -> v1::FleetWorker {
    let rests = worker.rest.as_ref().is_some_and(|rest| rest.slots >= worker.registration.slots);
    v1::FleetWorker {
        takes_no_runs: worker.duty != Duty::Open || rests,
        name: worker.registration.name,
        alive: is_alive,
        running: worker.running,
        datasets: worker.registration.datasets,
    }
}
