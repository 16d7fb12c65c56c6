//! `acai runs`

use acai_proto::v1::{ListRunsRequest, Run, RunState};
use serde_json::{Value, json};

use crate::args::{Format, RunsArguments};
use crate::client::connect;
use crate::failure::Failure;
use crate::format::{self, csv, grid, parameters_json, percent, value};
use crate::output::Output;

pub(super) async fn runs(arguments: RunsArguments, output: Output) -> Result<(), Failure> {
    let mut client = connect(&arguments.at).await?;
    let states = arguments.state.iter().map(|&state| RunState::from(state).into()).collect();
    let mut stream = client.list_runs(ListRunsRequest { sweep: arguments.sweep, states, set_aside: false }).await?.into_inner();
    let mut runs = Vec::new();
    while let Some(run) = stream.message().await? {
        runs.push(run);
    }
    output.data(&match arguments.shown.format() {
        Format::Table => table(&runs),
        Format::Csv => flat(&runs)?,
        Format::Json => {
            json!({"version": 1, "runs": runs.iter().map(run_json).collect::<Vec<_>>()}).to_string()
        }
    })?;
    Ok(())
}

/// What tells runs apart, of their parameters; all of them are in CSV and JSON.
fn table(runs: &[Run]) -> String {
    let varying: Vec<&str> = parameters(runs)
        .into_iter()
        .filter(|name| runs.iter().any(|run| of(run, name) != of(&runs[0], name)))
        .collect();
    let mut headings = vec!["run", "state"];
    headings.extend(&varying);
    headings.extend(["seed", "attempt", "trained", "worker", "message"]);
    let row = |run: &Run| {
        let mut cells = vec![format!("#{}", run.number), state(run)];
        cells.extend(varying.iter().map(|name| of(run, name).unwrap_or_else(|| "-".to_owned())));
        cells.extend([run.seed.to_string(), run.attempt.to_string(), percent(run.step, run.total_steps)]);
        cells.extend([run.worker.clone(), run.message.clone()]);
        cells
    };
    grid(&headings, runs.iter().map(row).collect())
}

/// A column for each parameter.
fn flat(runs: &[Run]) -> anyhow::Result<String> {
    let parameters = parameters(runs);
    let mut headings = vec!["run", "state"];
    headings.extend(&parameters);
    headings.extend(["seed", "attempt", "step", "total_steps", "worker", "message"]);
    let row = |run: &Run| {
        let mut cells = vec![run.number.to_string(), state(run)];
        cells.extend(parameters.iter().map(|name| of(run, name).unwrap_or_default()));
        let numbers = [run.seed, run.attempt.into(), run.step, run.total_steps];
        cells.extend(numbers.map(|number| number.to_string()));
        cells.extend([run.worker.clone(), run.message.clone()]);
        cells
    };
    csv(&headings, runs.iter().map(row).collect())
}

/// Names of the parameters that any of the runs has, in the order of the first that has them.
fn parameters(runs: &[Run]) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for parameter in runs.iter().flat_map(|run| &run.configuration) {
        if !names.contains(&parameter.name.as_str()) {
            names.push(&parameter.name);
        }
    }
    names
}

/// A run's value of a parameter; none where its model does not use it.
fn of(run: &Run, name: &str) -> Option<String> {
    run.configuration.iter().find(|parameter| parameter.name == name).map(value)
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
        "number": run.number,
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
