//! `acai plot scatter`

use acai_plot::{Band, Cross, Scatter, ScatterGroup, ScatterPoint};
use acai_proto::v1::ResultsTable;
use acai_sweep::metric::whole_name;

use super::runs::{Runs, by_group, interval};
use super::{file, group_name, open, quantity, table, width};
use crate::args::FigureArguments;
use crate::commands::results::by_run;
use crate::failure::Failure;
use crate::output::Output;

pub(super) async fn draw(
    figure: &FigureArguments,
    metrics: [String; 2],
    output: Output,
) -> Result<(), Failure> {
    let mut client = open(figure).await?;
    let group_by = by_run(&mut client, &figure.sweeps, figure.group_by.clone()).await?;
    let results = table(&mut client, figure, metrics.to_vec(), group_by).await?;
    let scatters = results.tables.iter().filter_map(|table| {
        let places = metrics
            .each_ref()
            .map(|name| table.metrics.iter().position(|metric| metric.name == whole_name(name)));
        let [Some(x), Some(y)] = places else { return None };
        Some((table.dataset.clone(), scatter(table, figure, &metrics, (x, y)).to_svg()))
    });
    let figures: Vec<(String, String)> = scatters.collect();
    if figures.is_empty() {
        let [x, y] = metrics;
        return Err(anyhow::anyhow!(
            "no dataset has runs with values of both `{x}` and `{y}`\nhint: `acai metrics {}` lists what there is",
            figure.sweeps.join(" ")
        )
        .into());
    }
    Ok(file::write(figure, &figures, output)?)
}

fn scatter(
    table: &ResultsTable,
    figure: &FigureArguments,
    [x_name, y_name]: &[String; 2],
    (x, y): (usize, usize),
) -> Scatter {
    let spread = figure.spread.into();
    let group = |Runs { group, runs }: Runs| {
        let both =
            runs.iter().filter_map(|(seed, values)| Some((seed, (*values.get(x)?)?, (*values.get(y)?)?)));
        let points: Vec<ScatterPoint> =
            both.map(|(seed, x, y)| ScatterPoint { x, y, label: format!("seed {seed}") }).collect();
        let [xs, ys]: [Vec<f64>; 2] =
            [points.iter().map(|point| point.x).collect(), points.iter().map(|point| point.y).collect()];
        let mean = interval(&xs, spread).zip(interval(&ys, spread)).map(|(x, y)| Cross { x, y });
        ScatterGroup { name: group_name(&group), points, mean }
    };
    Scatter {
        title: figure.title.clone(),
        x: quantity(x_name),
        y: quantity(y_name),
        band: Some(Band::PlusMinus(spread)),
        groups: by_group(table).into_iter().map(group).collect(),
        width: width(figure),
    }
}
