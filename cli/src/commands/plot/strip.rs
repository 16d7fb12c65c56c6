//! `acai plot strip`

use acai_plot::{Band, Dot, Strip, StripGroup};
use acai_proto::v1::ResultsTable;

use super::runs::{by_group, interval};
use super::{file, group_name, open, quantity, table, width};
use crate::args::FigureArguments;
use crate::commands::results::by_run;
use crate::failure::Failure;
use crate::output::Output;

pub(super) async fn draw(
    figure: &FigureArguments,
    metric: Option<String>,
    output: Output,
) -> Result<(), Failure> {
    let mut client = open(figure).await?;
    let group_by = by_run(&mut client, &figure.sweeps, figure.group_by.clone()).await?;
    let results = table(&mut client, figure, metric.into_iter().collect(), group_by).await?;
    let tables = results.tables.iter().filter(|table| !table.metrics.is_empty());
    let figures: Vec<(String, String)> =
        tables.map(|table| (table.dataset.clone(), strip(table, figure).to_svg())).collect();
    Ok(file::write(figure, &figures, output)?)
}

fn strip(table: &ResultsTable, figure: &FigureArguments) -> Strip {
    let spread = figure.spread.into();
    let group = |runs: super::runs::Runs| {
        let values = runs.runs.iter().filter_map(|(seed, values)| Some((seed, (*values.first()?)?)));
        let dots: Vec<Dot> =
            values.map(|(seed, value)| Dot { value, label: format!("seed {seed}") }).collect();
        let of_dots: Vec<f64> = dots.iter().map(|dot| dot.value).collect();
        StripGroup { name: group_name(&runs.group), mean: interval(&of_dots, spread), dots }
    };
    Strip {
        title: figure.title.clone(),
        metric: quantity(&table.metrics.first().cloned().unwrap_or_default().name),
        band: Some(Band::PlusMinus(spread)),
        groups: by_group(table).into_iter().map(group).collect(),
        width: width(figure),
    }
}
