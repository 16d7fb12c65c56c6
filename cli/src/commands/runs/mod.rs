//! `acai runs`

mod column;

use std::collections::BTreeSet;

use acai_proto::v1::{ListRunsRequest, Run, RunState};
use acai_sweep::filter::{Fields, Filter};
use anyhow::{anyhow, bail};
use serde_json::{Value, json};

use self::column::Column;
pub(super) use self::column::{Come, Listed};
use super::metrics::come_to;
use crate::args::{Format, RunsArguments};
use crate::client::{Client, connect};
use crate::failure::Failure;
use crate::format::{self, csv, parameters_json};
use crate::grid::Grid;
use crate::output::Output;

pub(super) async fn runs(arguments: RunsArguments, output: Output) -> Result<(), Failure> {
    let mut client = connect(&arguments.at).await?;
    let states = arguments.state.iter().map(|&state| RunState::from(state).into()).collect();
    let RunsArguments { sweep, set_aside, .. } = &arguments;
    let request = ListRunsRequest { sweep: sweep.clone(), states, set_aside: *set_aside };
    let mut runs: Vec<Listed> = list(&mut client, request).await?.into_iter().map(Listed::new).collect();
    let parameters = parameters(&runs);
    if let Some(text) = &arguments.filter {
        filter(&mut runs, text)?;
    }
    let columns = |words: &[String]| -> anyhow::Result<Vec<Column>> {
        words.iter().map(|word| Column::named(word, &parameters)).collect()
    };
    let asked = columns(&arguments.columns)?;
    let sorting = arguments.sort.sorting();
    let sorted_by =
        sorting.as_ref().map(|sorting| Column::named(&sorting.column, &parameters)).transpose()?;
    for column in asked.iter().chain(&sorted_by) {
        if let Column::Metric(metric) = column {
            let has_curves = arguments.shown.format() == Format::Table;
            add_metric(&mut client, sweep, metric, &mut runs, has_curves).await?;
        }
    }
    if let (Some(sorting), Some(column)) = (sorting, sorted_by) {
        sorting.sort(&mut runs, |run| column.key(run));
    }
    let shown = |usual: Vec<Column>| if asked.is_empty() { usual } else { asked.clone() };
    output.data(&match arguments.shown.format() {
        Format::Table if runs.is_empty() => {
            let which = if *set_aside { "set aside" } else { "like that" };
            output.note(&format!("no run of {sweep} is {which}"));
            return Ok(());
        }
        Format::Table => {
            let width = output.wide(arguments.shown.width.wide).width();
            table(&runs, &shown(table_columns(&runs, &parameters)), width)
        }
        Format::Csv => flat(&runs, &shown(csv_columns(&parameters)))?,
        Format::Json => {
            json!({"version": 1, "runs": runs.iter().map(listed_json).collect::<Vec<_>>()}).to_string()
        }
    })?;
    Ok(())
}

/// Leaves the runs for which the condition holds.
pub(super) fn filter(runs: &mut Vec<Listed>, text: &str) -> anyhow::Result<()> {
    let configurations = runs.iter().flat_map(|listed| &listed.run.configuration);
    let own = configurations.filter(|parameter| parameter.own).map(|parameter| parameter.name.clone());
    let own: BTreeSet<String> = own.collect();
    let own: Vec<String> = own.into_iter().collect();
    let filter = Filter::parse(text, &own).map_err(|mistake| anyhow!("--where makes no sense: {mistake}"))?;
    if !runs.iter().any(|listed| filter.matches(listed)) {
        let all: Vec<&dyn Fields> = runs.iter().map(|listed| listed as &dyn Fields).collect();
        bail!("--where holds for no run\n{}", filter.why_nothing_matches(&all));
    }
    runs.retain(|listed| filter.matches(listed));
    Ok(())
}

/// The runs that are asked for.
pub(super) async fn list(client: &mut Client, request: ListRunsRequest) -> Result<Vec<Run>, Failure> {
    let set_aside = request.set_aside;
    let mut stream = client.list_runs(request).await?.into_inner();
    let mut runs = Vec::new();
    while let Some(run) = stream.message().await? {
        if run.set_aside != set_aside {
            let words =
                "the coordinator is of an earlier release, which does not list runs that are set aside";
            return Err(anyhow!(words).into());
        }
        runs.push(run);
    }
    Ok(runs)
}

/// Notes the last value of a metric with each run that has one.
async fn add_metric(
    client: &mut Client,
    sweep: &str,
    metric: &str,
    runs: &mut [Listed],
    has_curves: bool,
) -> Result<(), Failure> {
    let numbers: Vec<u32> = runs.iter().map(|listed| listed.run.number).collect();
    if numbers.is_empty() {
        return Ok(());
    }
    let values = come_to(client, sweep, metric, numbers, has_curves).await?;
    for listed in runs {
        let value = values.get(&listed.run.number);
        listed.metrics.extend(value.map(|value| (metric.to_owned(), value.clone())));
    }
    Ok(())
}

/// What tells runs apart, of their parameters; all of them are in CSV and JSON.
fn table_columns(runs: &[Listed], parameters: &[String]) -> Vec<Column> {
    let varies = |column: &Column| runs.iter().any(|run| column.cell(run) != column.cell(&runs[0]));
    let varying = parameters.iter().cloned().map(Column::Parameter).filter(varies);
    let mut columns = vec![Column::Run, Column::State];
    columns.extend(varying);
    columns.extend([Column::Seed, Column::Attempt, Column::Trained, Column::Worker, Column::Message]);
    columns
}

/// A column for each parameter.
fn csv_columns(parameters: &[String]) -> Vec<Column> {
    let mut columns = vec![Column::Run, Column::State];
    columns.extend(parameters.iter().cloned().map(Column::Parameter));
    columns.extend([Column::Seed, Column::Attempt, Column::Step, Column::TotalSteps]);
    columns.extend([Column::Worker, Column::Message]);
    columns
}

fn table(runs: &[Listed], columns: &[Column], width: Option<usize>) -> String {
    let headings: Vec<&str> = columns.iter().map(Column::name).collect();
    let row = |run: &Listed| columns.iter().map(|column| column.shown(run)).collect();
    let grid = Grid::new(&headings, runs.iter().map(row).collect()).keeping(2);
    let grid = if columns.last() == Some(&Column::Message) { grid.free_text_last() } else { grid };
    grid.fit(width).to_string()
}

fn flat(runs: &[Listed], columns: &[Column]) -> anyhow::Result<String> {
    let headings: Vec<&str> = columns.iter().map(Column::name).collect();
    let row = |run: &Listed| columns.iter().map(|column| column.cell(run).unwrap_or_default()).collect();
    csv(&headings, runs.iter().map(row).collect())
}

/// Names of the parameters that any of the runs has, in the order of the first that has them.
fn parameters(runs: &[Listed]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for parameter in runs.iter().flat_map(|listed| &listed.run.configuration) {
        if !names.contains(&parameter.name) {
            names.push(parameter.name.clone());
        }
    }
    names
}

fn listed_json(listed: &Listed) -> Value {
    let mut document = run_json(&listed.run);
    if !listed.metrics.is_empty() {
        let last = listed.metrics.iter().map(|(name, come)| (name.clone(), json!(come.last)));
        document["metrics"] = Value::Object(last.collect());
    }
    document
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
