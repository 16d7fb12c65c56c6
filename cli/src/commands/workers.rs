//! `acai workers`

use acai_proto::v1::{ListWorkersRequest, Worker, WorkerDuty};
use serde_json::{Value, json};

use crate::args::Ask;
use crate::client::connect;
use crate::failure::Failure;
use crate::format::grid;
use crate::output::Output;

pub(super) async fn workers(arguments: &Ask, output: Output) -> Result<(), Failure> {
    let mut client = connect(&arguments.at.coordinator).await?;
    let workers = client.list_workers(ListWorkersRequest {}).await?.into_inner().workers;
    if arguments.json {
        let workers: Vec<Value> = workers.iter().map(worker_json).collect();
        output.data(&json!({"version": 1, "workers": workers}).to_string())?;
    } else if workers.is_empty() {
        output.note("no workers yet: `acai worker` starts one");
    } else {
        let rows = workers.iter().map(row).collect();
        output.data(&grid(&["worker", "state", "running", "slots", "machine", "datasets"], rows))?;
        for worker in workers.iter().filter(|worker| worker.alive) {
            if let Some(rest) = &worker.rest {
                output.data(&format!(
                    "{}: {} of its {} slots rest: {}",
                    worker.name, rest.slots, worker.slots, rest.reason
                ))?;
            }
        }
    }
    Ok(())
}

fn row(worker: &Worker) -> Vec<String> {
    let hardware = worker.hardware.clone().unwrap_or_default();
    let gpus = hardware.gpus.iter().map(|gpu| format!(", {}", gpu.name)).collect::<String>();
    vec![
        worker.name.clone(),
        state(worker).to_owned(),
        worker.running.to_string(),
        worker.slots.to_string(),
        format!("{} cores, {} GiB{gpus}", hardware.cores, hardware.memory_bytes >> 30),
        worker.datasets.join(", "),
    ]
}

fn state(worker: &Worker) -> &'static str {
    let rests = worker.rest.as_ref().is_some_and(|rest| rest.slots >= worker.slots);
    match (worker.alive, worker.duty()) {
        _ if worker.ended => "ended",
        (false, _) => "silent",
        (true, WorkerDuty::Cordoned) => "cordoned",
        (true, WorkerDuty::Drained) => "drained",
        (true, _) if rests => "resting",
        (true, _) => "alive",
    }
}

fn worker_json(worker: &Worker) -> Value {
    let hardware = worker.hardware.clone().unwrap_or_default();
    let gpus = hardware.gpus.iter().map(|gpu| json!({"name": gpu.name, "memory_bytes": gpu.memory_bytes}));
    json!({
        "id": worker.id,
        "name": worker.name,
        "version": worker.version,
        "alive": worker.alive,
        "ended": worker.ended,
        "cordoned": matches!(worker.duty(), WorkerDuty::Cordoned | WorkerDuty::Drained),
        "drained": worker.duty() == WorkerDuty::Drained,
        "last_seen_unix_ms": worker.last_seen_unix_ms,
        "running": worker.running,
        "slots": worker.slots,
        "rest": worker.rest.as_ref().map(|rest| json!({"slots": rest.slots, "reason": rest.reason})),
        "datasets": worker.datasets,
        "hardware": {
            "host": hardware.host,
            "cpu": hardware.cpu,
            "cores": hardware.cores,
            "memory_bytes": hardware.memory_bytes,
            "gpus": gpus.collect::<Vec<_>>(),
        },
    })
}
