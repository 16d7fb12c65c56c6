//! `acai workers`

use acai_proto::v1::{ListWorkersRequest, Worker, WorkerDuty};
use acai_sweep::spelling::printable;
use serde_json::{Value, json};
use tonic::Status;

use crate::args::{List, WorkersArguments};
use crate::client::{Client, connect};
use crate::failure::Failure;
use crate::grid::Grid;
use crate::output::Output;

/// Datasets of a worker that the table has.
const SHOWN: usize = 12;

pub(super) async fn workers(arguments: &WorkersArguments, output: Output) -> Result<(), Failure> {
    let WorkersArguments { list: List { ask, width }, all } = arguments;
    let mut client = connect(&ask.at).await?;
    let workers = list(&mut client, *all).await?;
    if ask.json {
        let workers: Vec<Value> = workers.iter().map(worker_json).collect();
        output.data(&json!({"version": 1, "workers": workers}).to_string())?;
    } else if workers.is_empty() {
        output.note("no workers yet: `acai worker` starts one");
    } else {
        let rows = workers.iter().map(row).collect();
        let grid =
            Grid::new(&["worker", "state", "running", "slots", "machine", "datasets"], rows).free_text_last();
        output.data(&grid.fit(output.wide(width.wide).width()).to_string())?;
        for line in workers.iter().filter_map(rest_line) {
            output.data(&line)?;
        }
    }
    Ok(())
}

/// The workers, last seen first.
pub(super) async fn list(client: &mut Client, all: bool) -> Result<Vec<Worker>, Status> {
    let mut pages = client.list_workers(ListWorkersRequest { all }).await?.into_inner();
    let mut workers = Vec::new();
    while let Some(page) = pages.message().await? {
        workers.extend(page.workers);
    }
    workers.sort_by(|a, b| (b.last_seen_unix_ms, &a.id).cmp(&(a.last_seen_unix_ms, &b.id)));
    Ok(workers)
}

/// Why some of a worker's slots take no runs.
fn rest_line(worker: &Worker) -> Option<String> {
    let rest = worker.rest.as_ref().filter(|_| worker.alive)?;
    let (name, reason) = (printable(&worker.name), printable(&rest.reason));
    Some(format!("{name}: {} of its {} slots rest: {reason}", rest.slots, worker.slots))
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
        datasets(worker),
    ]
}

/// The first of what a worker has: there may be a hundred folders of pictures. JSON has all.
fn datasets(worker: &Worker) -> String {
    let (shown, others) = worker.datasets.split_at(worker.datasets.len().min(SHOWN));
    match others.len() {
        0 => shown.join(", "),
        others => format!("{} and {others} more", shown.join(", ")),
    }
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

#[cfg(test)]
mod tests {
    use acai_proto::v1::Rest;

    use super::*;

    #[test]
    fn slots_that_rest_are_told_with_their_reason() {
        let rest = |slots| Some(Rest { slots, reason: "the trainer ended with SIGKILL".to_owned() });
        let worker =
            Worker { name: "gpu-7".to_owned(), slots: 2, alive: true, rest: rest(1), ..Worker::default() };
        assert_eq!(
            rest_line(&worker).as_deref(),
            Some("gpu-7: 1 of its 2 slots rest: the trainer ended with SIGKILL")
        );
        assert_eq!((state(&worker), worker_json(&worker)["rest"]["slots"].as_u64()), ("alive", Some(1)));
        let worker = Worker { rest: rest(2), ..worker };
        assert_eq!(state(&worker), "resting");
        let worker = Worker { rest: None, ..worker };
        assert_eq!((rest_line(&worker), state(&worker)), (None, "alive"));
    }

    #[test]
    fn the_table_has_the_first_datasets_of_a_worker_and_json_has_all() {
        let many: Vec<String> = (0..15).map(|number| format!("images:{number}")).collect();
        let worker = |count: usize| Worker { datasets: many[..count].to_vec(), ..Worker::default() };
        assert_eq!(datasets(&worker(2)), "images:0, images:1");
        assert!(datasets(&worker(12)).ends_with(", images:11"));
        assert!(datasets(&worker(15)).ends_with(", images:11 and 3 more"));
        assert_eq!(worker_json(&worker(15))["datasets"], json!(many));
    }
}
