//! `acai plot heatmap`

use acai_plot::{Cell, HeatMap};
use acai_proto::convert::scalar;
use acai_proto::v1::{ResultsRow, ResultsTable};
use acai_sweep::scalar::Scalar;
use acai_sweep::statistics::Spread;

use super::{axes, file, goal, open, parameter as named, quantity, table, too_few, width};
use crate::args::FigureArguments;
use crate::failure::Failure;
use crate::output::Output;

pub(super) async fn draw(
    figure: &FigureArguments,
    (x, y): (Option<String>, Option<String>),
    metric: Option<String>,
    output: Output,
) -> Result<(), Failure> {
    let mut client = open(figure).await?;
    let metrics: Vec<String> = metric.into_iter().collect();
    let (x, y) = match (x, y) {
        (Some(x), Some(y)) => (x, y),
        (x, y) => {
            let usual = table(&mut client, figure, metrics.clone(), Vec::new()).await?;
            let varied = usual.tables.into_iter().next().map(|table| table.group_by).unwrap_or_default();
            axes(x, y, &varied)
                .ok_or_else(|| too_few(&varied, "a heat map", "`acai plot strip` draws one"))?
        }
    };
    let results = table(&mut client, figure, metrics, vec![x.clone(), y.clone()]).await?;
    let figures: Vec<(String, String)> = results
        .tables
        .iter()
        .filter(|table| !table.metrics.is_empty())
        .map(|table| (table.dataset.clone(), heat_map(table, figure, &x, &y).to_svg()))
        .collect();
    Ok(file::write(figure, &figures, output)?)
}

fn heat_map(table: &ResultsTable, figure: &FigureArguments, x: &str, y: &str) -> HeatMap {
    let spread = figure.spread.into();
    let metric = table.metrics.first().cloned().unwrap_or_default();
    HeatMap {
        title: figure.title.clone(),
        x: named(x),
        y: named(y),
        metric: quantity(&metric.name),
        spread,
        goal: goal(&metric),
        cells: table.rows.iter().filter_map(|row| cell(row, x, y, spread)).collect(),
        width: width(figure),
    }
}

fn cell(row: &ResultsRow, x: &str, y: &str, spread: Spread) -> Option<Cell> {
    let aggregate = row.aggregates.first().copied().unwrap_or_default();
    let missing = row.runs - aggregate.n.min(row.runs);
    let why = match (missing, row.runs - row.completed.min(row.runs)) {
        (0, _) => String::new(),
        (missing, open) if missing == open => format!("{open} not completed"),
        (missing, _) => format!("{missing} without a value"),
    };
    Some(Cell {
        x: value(row, x)?,
        y: value(row, y)?,
        mean: if aggregate.n > 0 { aggregate.mean } else { f64::NAN },
        spread: spread.of(aggregate.n, aggregate.std).unwrap_or(f64::NAN),
        n: aggregate.n as usize,
        runs: row.runs as usize,
        why,
    })
}

fn value(row: &ResultsRow, name: &str) -> Option<Scalar> {
    scalar(row.group.iter().find(|parameter| parameter.name == name)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_are_lambda_and_gamma_where_a_sweep_varies_them() {
        let varied = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let chosen = |x: Option<&str>, names: &[&str]| axes(x.map(str::to_owned), None, &varied(names));
        let pair = |x: &str, y: &str| Some((x.to_owned(), y.to_owned()));
        assert_eq!(chosen(None, &["model", "gamma", "lambda"]), pair("lambda", "gamma"));
        assert_eq!(chosen(None, &["model", "latent"]), pair("model", "latent"));
        assert_eq!(chosen(Some("latent"), &["lambda"]), pair("latent", "lambda"));
        assert_eq!(chosen(None, &["lambda"]), None);
    }
}
