//! `acai runs`

use acai_proto::v1::{ListRunsRequest, Run, RunState};
use serde_json::{Value, json};

use crate::args::{Format, RunsArguments};
use crate::client::connect;
use crate::failure::Failure;
use crate::format::{self, assignment, csv, grid, parameters_json, percent};
use crate::output::Output;

const COLUMNS: [&str; 8] =
    ["run", "state", "configuration", "seed", "attempt", "trained", "worker", "message"];

pub(super) async fn runs(arguments: RunsArguments, output: Output) -> Result<(), Failure> {
    let mut client = connect(&arguments.at.coordinator).await?;
    let states = arguments.state.iter().map(|&state| RunState::from(state).into()).collect();
    let mut stream = client.list_runs(ListRunsRequest { sweep: arguments.sweep, states }).await?.into_inner();
    let mut runs = Vec::new();
    while let Some(run) = stream.message().await? {
        runs.push(run);
    }
    let rows = runs.iter().map(row).collect();
    output.data(&match arguments.format {
        Format::Table => grid(&COLUMNS, rows),
        Format::Csv => csv(&COLUMNS, rows)?,
        Format::Json => {
            json!({"version": 1, "runs": runs.iter().map(run_json).collect::<Vec<_>>()}).to_string()
        }
    })?;
    Ok(())
}

fn row(run: &Run) -> Vec<String> {
    vec![
        format!("#{}", run.index),
        state(run),
        assignment(&run.configuration),
        run.seed.to_string(),
        run.attempt.to_string(),
        percent(run.step, run.total_steps),
        run.worker.clone(),
        run.message.clone(),
    ]
}

/// `running`, or `running, to be paused` where its worker has been asked.
pub(super) fn state(run: &Run) -> String {
    match run.desired() {
        RunState::Unspecified => format::state(run.state),
        desired => format!("{}, to be {}", format::state(run.state), format::state(desired.into())),
    }
}

pub(super) fn run_json(run: &Run) -> Value {
    json!({
        "id": run.id,
        "sweep": run.sweep,
        "index": run.index,
        "state": format::state(run.state),
        "configuration": parameters_json(&run.configuration),
        "seed": run.seed,
        "attempt": run.attempt,
        "step": run.step,
        "total_steps": run.total_steps,
        "worker": run.worker,
        "failures": run.failures,
        "losses": run.losses,
        "desired": (run.desired() != RunState::Unspecified).then(|| format::state(run.desired)),
        "message": run.message,
    })
}
