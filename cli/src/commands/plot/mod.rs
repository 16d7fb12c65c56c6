//! `acai plot`: figures for papers.

mod curves;
mod file;
mod heat_map;
mod raster;
mod runs;
mod scatter;
mod sheet;
mod strip;

use acai_plot::{Quantity, Width};
use acai_proto::v1::{GetResultsResponse, Metric};
use acai_sweep::metric::Goal;
use acai_sweep::scalar::Scalar;
use anyhow::anyhow;

use super::results::{Question, ask};
use crate::args::{FigureArguments, PlotCommand};
use crate::client::{Client, connect};
use crate::failure::Failure;
use crate::output::Output;

pub(super) async fn plot(command: PlotCommand, output: Output) -> Result<(), Failure> {
    match command {
        PlotCommand::Heatmap { x, y, metric, figure } => {
            heat_map::draw(&figure, (x, y), metric, output).await
        }
        PlotCommand::Curves { metric, log, figure } => curves::draw(&figure, metric, log, output).await,
        PlotCommand::Scatter { x, y, figure } => scatter::draw(&figure, [x, y], output).await,
        PlotCommand::Sheet { x, y, seed, name, figure } => {
            sheet::draw(&figure, sheet::Chosen { x, y, seed, name }, output).await
        }
        PlotCommand::Strip { metric, figure } => strip::draw(&figure, metric, output).await,
    }
}

/// A table of these metrics with these parameters as rows.
async fn table(
    client: &mut Client,
    figure: &FigureArguments,
    metrics: Vec<String>,
    group_by: Vec<String>,
) -> Result<GetResultsResponse, Failure> {
    let filter = figure.filter.as_deref().unwrap_or_default();
    let question = Question { sweeps: &figure.sweeps, metrics: &metrics, at: figure.at, group_by, filter };
    let mut results = ask(client, &question).await?;
    if let Some(dataset) = &figure.dataset {
        results.tables.retain(|table| table.dataset == *dataset);
    }
    if results.tables.iter().all(|table| table.metrics.is_empty()) {
        let sweeps = figure.sweeps.join(", ");
        return Err(anyhow::anyhow!(
            "no completed run of {sweeps} has a value to draw\nhint: `acai results {}` shows what there is",
            figure.sweeps.join(" ")
        )
        .into());
    }
    Ok(results)
}

/// The axes, those that are not named too: λ and γ where the sweep varies them, or else the first parameters that it varies.
fn axes(x: Option<String>, y: Option<String>, varied: &[String]) -> Option<(String, String)> {
    let pick = |preferred: &str, other: Option<&String>| -> Option<String> {
        let free = |name: &&String| Some(*name) != other;
        varied.iter().filter(free).find(|name| *name == preferred).or(varied.iter().find(free)).cloned()
    };
    let x = x.or_else(|| pick("lambda", y.as_ref()))?;
    let y = y.or_else(|| pick("gamma", Some(&x)))?;
    Some((x, y))
}

/// Why there are no axes for a figure, and what is drawn of one parameter.
fn too_few(varied: &[String], figure: &str, of_one: &str) -> anyhow::Error {
    let varied = if varied.is_empty() { "no parameter".to_owned() } else { varied.join(", ") };
    anyhow!("the sweep varies {varied}: {figure} needs two parameters\nhint: --x and --y name them; {of_one}")
}

/// The parameters that the sweep's tables have in their rows.
async fn varied(client: &mut Client, figure: &FigureArguments) -> Result<Vec<String>, Failure> {
    let filter = figure.filter.as_deref().unwrap_or_default();
    let question =
        Question { sweeps: &figure.sweeps, metrics: &[], at: figure.at, group_by: Vec::new(), filter };
    let tables = ask(client, &question).await?.tables;
    Ok(tables.into_iter().next().map(|table| table.group_by).unwrap_or_default())
}

async fn open(figure: &FigureArguments) -> anyhow::Result<Client> {
    file::check(figure)?;
    connect(&figure.from).await
}

fn width(figure: &FigureArguments) -> Width {
    if figure.wide { Width::TwoColumns } else { Width::OneColumn }
}

/// A metric as an axis names it: `eval/mean_distance` is `mean distance`.
fn quantity(metric: &str) -> Quantity {
    let name = metric.rsplit('/').next().unwrap_or(metric);
    Quantity::new(name.replace('_', " "))
}

fn goal(metric: &Metric) -> Option<Goal> {
    acai_proto::convert::goal("goal", metric.goal).ok().flatten()
}

/// A parameter as an axis names it.
fn parameter(name: &str) -> String {
    match name {
        "lambda" => "λ".to_owned(),
        "gamma" => "γ".to_owned(),
        other => other.replace('_', " "),
    }
}

/// `λ = 0.5, γ = 0.2`
fn group_name(group: &[(String, Scalar)]) -> String {
    let value = |value: &Scalar| match value {
        Scalar::Float(number) => number.to_string(),
        value => value.to_string(),
    };
    let named = group.iter().map(|(name, of)| match of {
        // A model or another word says what it is.
        Scalar::Word(word) => word.clone(),
        of => format!("{} = {}", parameter(name), value(of)),
    });
    named.collect::<Vec<_>>().join(", ")
}
