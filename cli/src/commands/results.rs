//! `acai results`

use std::collections::BTreeSet;

use acai_proto::v1::{
    Aggregate, GetResultsRequest, GetResultsResponse, Goal, Metric, ResultsRow, ResultsTable, Statistic,
};
use anyhow::bail;
use serde_json::{Value, json};

use crate::args::{At, Format, ResultsArguments, TableArguments};
use crate::client::{Client, connect};
use crate::failure::Failure;
use crate::format::{csv, grid, mean_and_std, parameters_json, value};
use crate::output::Output;

pub(super) async fn results(arguments: &ResultsArguments, output: Output) -> Result<(), Failure> {
    let mut client = connect(&arguments.at).await?;
    print_table(&mut client, &arguments.sweep, &arguments.table, output).await
}

/// Asks for the sweep's table and prints it.
pub(super) async fn print_table(
    client: &mut Client,
    sweep: &str,
    arguments: &TableArguments,
    output: Output,
) -> Result<(), Failure> {
    let asked = metrics(&arguments.metrics)?;
    let request = GetResultsRequest {
        sweep: sweep.to_owned(),
        group_by: arguments.group_by.clone(),
        metrics: asked.clone(),
        at: match arguments.at {
            At::Last | At::Step(_) => Statistic::Last,
            At::Best => Statistic::Best,
            At::Min => Statistic::Min,
            At::Max => Statistic::Max,
            At::Mean => Statistic::Mean,
        }
        .into(),
        at_step: match arguments.at {
            At::Step(step) => Some(step),
            _ => None,
        },
    };
    let results = client.get_results(request).await?.into_inner();
    let shown = |name: &str| {
        results.tables.iter().any(|table| table.metrics.iter().any(|metric| metric.name == name))
    };
    for metric in asked.iter().filter(|metric| results.completed > 0 && !shown(&metric.name)) {
        output.note(&format!("no completed run has a value of `{}`", metric.name));
    }
    output.data(&match arguments.format {
        Format::Table => text(&results, arguments.at, output.is_styled()),
        Format::Csv => flat(&results)?,
        Format::Json => json(&results).to_string(),
    })?;
    Ok(())
}

/// `eval/x`, `eval/x:min` or `eval/x:max`.
fn metrics(words: &[String]) -> anyhow::Result<Vec<Metric>> {
    let metric = |word: &String| {
        let (name, goal) = match word.rsplit_once(':') {
            None => (word.as_str(), Goal::Unspecified),
            Some((name, "min")) => (name, Goal::Minimize),
            Some((name, "max")) => (name, Goal::Maximize),
            Some((_, end)) => bail!("`{word}`: `{end}` is neither `min` nor `max`"),
        };
        Ok(Metric { name: name.to_owned(), goal: goal.into() })
    };
    words.iter().map(metric).collect()
}

fn text(results: &GetResultsResponse, at: At, styled: bool) -> String {
    let mut blocks: Vec<String> = results.tables.iter().map(|table| block(table, at, styled)).collect();
    if results.completed < results.runs {
        blocks.push(format!("{} of {} runs completed", results.completed, results.runs));
    }
    blocks.join("\n\n")
}

/// One dataset: a line that says what is seen, then the rows.
fn block(table: &ResultsTable, at: At, styled: bool) -> String {
    let mut title = table.dataset.clone();
    title += &values(table, at);
    if let Some(metric) = table.metrics.first().filter(|_| table.rows.iter().any(|row| row.best)) {
        let end = if metric.goal() == Goal::Minimize { "smallest" } else { "largest" };
        title += &format!(", * marks the {end} {}", metric.name);
    }
    let mut headings = vec![""];
    headings.extend(table.group_by.iter().map(String::as_str));
    headings.push("n");
    headings.extend(table.metrics.iter().map(|metric| metric.name.as_str()));
    let rows = table.rows.iter().map(|row| cells(table, row)).collect();
    let mut lines: Vec<String> = grid(&headings, rows).lines().map(str::to_owned).collect();
    if styled {
        // The first line holds the headings; a row is one line.
        for (line, row) in lines.iter_mut().skip(1).zip(&table.rows) {
            if row.best {
                *line = format!("\u{1b}[1m{line}\u{1b}[0m");
            }
        }
    }
    format!("{title}\n{}", lines.join("\n"))
}

/// Which values the table is about, where these are not each run's last.
fn values(table: &ResultsTable, at: At) -> String {
    let sorting = table.metrics.first();
    match (at, sorting) {
        (At::Last, _) => String::new(),
        (At::Best, Some(metric)) => {
            let end = if metric.goal() == Goal::Maximize { "largest" } else { "smallest" };
            format!(", each run at the step where its {} is {end} (chosen on test data)", metric.name)
        }
        (At::Best, None) => ", each run at its best step".to_owned(),
        (At::Step(step), _) => format!(", each run at step {step}, or at its last one before"),
        (At::Min, _) => {
            ", the smallest value of each metric of a run, which may be of different steps".to_owned()
        }
        (At::Max, _) => {
            ", the largest value of each metric of a run, which may be of different steps".to_owned()
        }
        (At::Mean, _) => ", the mean of each metric over the steps of a run".to_owned(),
    }
}

fn cells(table: &ResultsTable, row: &ResultsRow) -> Vec<String> {
    let mut cells = vec![if row.best { "*" } else { "" }.to_owned()];
    cells.extend(group(table, row).map(|value| value.unwrap_or_else(|| "-".to_owned())));
    cells.push(if row.completed == row.runs {
        row.runs.to_string()
    } else {
        format!("{}/{}", row.completed, row.runs)
    });
    let cell = |aggregate: &Aggregate| match aggregate.n {
        0 => "-".to_owned(),
        n if n == row.completed => mean_and_std(aggregate.mean, aggregate.std, n),
        // Not every run of the row has a value: never hide it.
        n => format!("{} (n={n})", mean_and_std(aggregate.mean, aggregate.std, n)),
    };
    cells.extend(row.aggregates.iter().map(cell));
    cells
}

/// The row's values of the table's grouping parameters; `None` where its model does not use one.
fn group<'t>(table: &'t ResultsTable, row: &'t ResultsRow) -> impl Iterator<Item = Option<String>> + 't {
    let find = |name: &String| row.group.iter().find(|parameter| parameter.name == *name).map(value);
    table.group_by.iter().map(find)
}

/// All tables as one: a column for each parameter, and four for each metric.
fn flat(results: &GetResultsResponse) -> anyhow::Result<String> {
    let mut parameters: Vec<&String> = Vec::new();
    let mut metrics = BTreeSet::new();
    for table in &results.tables {
        parameters
            .extend(table.group_by.iter().filter(|name| !parameters.contains(name)).collect::<Vec<_>>());
        metrics.extend(table.metrics.iter().map(|metric| metric.name.as_str()));
    }
    let mut headings = vec!["dataset".to_owned()];
    headings.extend(parameters.iter().map(|&name| name.clone()));
    headings.extend(["runs", "completed", "best"].map(str::to_owned));
    for metric in &metrics {
        headings.extend(["mean", "std", "n"].map(|column| format!("{metric}_{column}")));
    }
    let mut rows = Vec::new();
    for table in &results.tables {
        for row in &table.rows {
            let mut cells = vec![table.dataset.clone()];
            let find = |name: &&String| row.group.iter().find(|p| p.name == **name).map(value);
            cells.extend(parameters.iter().map(|name| find(name).unwrap_or_default()));
            cells.extend([row.runs.to_string(), row.completed.to_string(), row.best.to_string()]);
            for metric in &metrics {
                let place = table.metrics.iter().position(|known| known.name == *metric);
                let aggregate = place.and_then(|place| row.aggregates.get(place)).filter(|a| a.n > 0);
                cells.extend(match aggregate {
                    Some(a) => [
                        a.mean.to_string(),
                        std(a).map_or(String::new(), |std| std.to_string()),
                        a.n.to_string(),
                    ],
                    None => [String::new(), String::new(), "0".to_owned()],
                });
            }
            rows.push(cells);
        }
    }
    csv(&headings, rows)
}

/// One value does not deviate.
fn std(aggregate: &Aggregate) -> Option<f64> {
    (aggregate.n > 1).then_some(aggregate.std)
}

fn json(results: &GetResultsResponse) -> Value {
    let row = |table: &ResultsTable, row: &ResultsRow| {
        let metrics = table.metrics.iter().zip(&row.aggregates).map(|(metric, a)| {
            let value = match a.n {
                0 => json!({"n": 0}),
                n => json!({"mean": a.mean, "std": std(a), "min": a.min, "max": a.max, "n": n}),
            };
            (metric.name.clone(), value)
        });
        json!({
            "group": parameters_json(&row.group),
            "runs": row.runs,
            "completed": row.completed,
            "best": row.best,
            "metrics": metrics.collect::<serde_json::Map<_, _>>(),
        })
    };
    let table = |table: &ResultsTable| {
        json!({
            "dataset": table.dataset,
            "group_by": table.group_by,
            "sorted_by": table.metrics.first().map(|metric| &metric.name),
            "rows": table.rows.iter().map(|r| row(table, r)).collect::<Vec<_>>(),
        })
    };
    json!({
        "version": 1,
        "sweep": results.sweep,
        "runs": results.runs,
        "completed": results.completed,
        "tables": results.tables.iter().map(table).collect::<Vec<_>>(),
    })
}
