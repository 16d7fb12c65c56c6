//! `acai metrics`

use std::collections::BTreeMap;
use std::path::Path;

use acai_proto::v1::{Curve, ListMetricsRequest, ListPointsRequest, Selection};
use anyhow::ensure;
use serde_json::{Value, json};
use tonic::Streaming;

use super::control::selections;
use super::export::add_curve;
use super::runs::Come;
use crate::args::{MetricsArguments, MetricsFormat as Format};
use crate::client::{Client, connect};
use crate::failure::Failure;
use crate::format::{csv, csv_rows, mean_and_std, state};
use crate::grid::Grid;
use crate::output::Output;
use crate::points_file::PointsWriter;
use crate::sparkline::sparkline;

/// Points that a curve in a table is drawn from.
const DRAWN: u32 = 200;

pub(super) async fn metrics(arguments: MetricsArguments, output: Output) -> Result<(), Failure> {
    let format = arguments.format();
    let mut client = connect(&arguments.at).await?;
    let (mut table, mut documents) = (Vec::new(), Vec::new());
    let mut file = arguments.output.as_deref().map(|path| create(path, arguments.force)).transpose()?;
    if format == Format::Csv {
        output.data(&csv(&["sweep", "run", "seed", "state", "metric", "step", "value"], Vec::new())?)?;
    }
    for Selection { sweep, numbers } in selections(arguments.targets) {
        let metrics = match arguments.metrics.as_slice() {
            [] => names(&mut client, &sweep).await?,
            metrics => metrics.to_vec(),
        };
        for metric in metrics {
            let most = arguments.points.unwrap_or(if format == Format::Table { DRAWN } else { 0 });
            let request = ListPointsRequest {
                sweep: sweep.clone(),
                numbers: numbers.clone(),
                metric: metric.clone(),
                from_step: arguments.from_step,
                most,
            };
            let mut curves = Curves(client.list_points(request).await?.into_inner());
            while let Some(curve) = curves.next().await? {
                match format {
                    Format::Table => table.push(summary(&sweep, &metric, &curve)),
                    Format::Csv if curve.steps.is_empty() => {}
                    Format::Csv => output.data(&rows(&sweep, &metric, &curve)?)?,
                    Format::Json => documents.push(document(&sweep, &metric, &curve)),
                    Format::Parquet => {
                        if let Some(file) = &mut file {
                            add_curve(file, (&sweep, &metric), &curve)?;
                        }
                    }
                }
            }
        }
    }
    match format {
        Format::Csv => {}
        Format::Parquet => file.map_or(Ok(()), PointsWriter::finish)?,
        Format::Json => output.data(&json!({"version": 1, "curves": documents}).to_string())?,
        Format::Table if table.is_empty() => output.note("no run has reported a metric yet"),
        Format::Table => {
            let grid = Grid::new(&HEADINGS, table).keeping(4);
            output.data(&grid.fit(output.wide(arguments.width.wide).width()).to_string())?;
        }
    }
    Ok(())
}

/// Begins a file of points; one that is there is replaced only with `force`.
fn create(path: &Path, force: bool) -> anyhow::Result<PointsWriter> {
    ensure!(force || !path.exists(), "`{}` exists\nhint: --force replaces it", path.display());
    PointsWriter::create(path)
}

pub(super) async fn names(client: &mut Client, sweep: &str) -> Result<Vec<String>, Failure> {
    let request = ListMetricsRequest { sweep: sweep.to_owned() };
    Ok(client.list_metrics(request).await?.into_inner().metrics)
}

/// Runs whose curves a table of runs shows at the most. Of more runs it shows the last values alone, which are known without
/// reading the points.
const CURVES: usize = 1000;

/// What a metric of each of these runs has come to, by number, of those that have one; with the way there if it `has_curves`
/// and the runs are not too many.
pub(super) async fn come_to(
    client: &mut Client,
    sweep: &str,
    metric: &str,
    numbers: Vec<u32>,
    has_curves: bool,
) -> Result<BTreeMap<u32, Come>, Failure> {
    let (sweep, metric) = (sweep.to_owned(), metric.to_owned());
    let has_curves = has_curves && numbers.len() <= CURVES;
    let most = if has_curves { DRAWN } else { 1 };
    let request = ListPointsRequest { sweep, numbers, metric, from_step: 0, most };
    let mut curves = Curves(client.list_points(request).await?.into_inner());
    let mut come = BTreeMap::new();
    while let Some(curve) = curves.next().await? {
        let line = has_curves.then(|| sparkline(&curve.steps, &curve.values));
        come.extend(curve.values.last().map(|&last| (curve.number, Come { last, curve: line })));
    }
    Ok(come)
}

/// Curves with their parts put together.
pub(super) struct Curves(pub(super) Streaming<Curve>);

impl Curves {
    pub(super) async fn next(&mut self) -> Result<Option<Curve>, tonic::Status> {
        let Some(mut curve) = self.0.message().await? else { return Ok(None) };
        while curve.more {
            let Some(part) = self.0.message().await? else { break };
            curve.steps.extend(part.steps);
            curve.values.extend(part.values);
            curve.more = part.more;
        }
        Ok(Some(curve))
    }
}

/// A curve as CSV, a point a line.
fn rows(sweep: &str, metric: &str, curve: &Curve) -> anyhow::Result<String> {
    let row = |(step, value): (&u64, &f64)| {
        let (run, seed) = (curve.number.to_string(), curve.seed.to_string());
        let point = [step.to_string(), value.to_string()];
        [vec![sweep.to_owned(), run, seed, state(curve.state), metric.to_owned()], point.to_vec()].concat()
    };
    let points = curve.steps.iter().zip(&curve.values);
    csv_rows(points.map(row))
}

fn document(sweep: &str, metric: &str, curve: &Curve) -> Value {
    json!({
        "sweep": sweep,
        "number": curve.number,
        "seed": curve.seed,
        "state": state(curve.state),
        "metric": metric,
        "thinned": curve.thinned,
        "steps": curve.steps,
        "values": curve.values,
    })
}

const HEADINGS: [&str; 9] = ["run", "seed", "state", "metric", "step", "last", "lowest", "highest", "curve"];

/// A curve as people see it, in one line.
fn summary(sweep: &str, metric: &str, curve: &Curve) -> Vec<String> {
    let values = curve.values.iter().copied();
    let figure = |value: Option<f64>| value.map_or("-".to_owned(), |value| mean_and_std(value, 0.0, 1));
    vec![
        format!("{sweep}/{}", curve.number),
        curve.seed.to_string(),
        state(curve.state),
        metric.to_owned(),
        curve.steps.last().map_or("-".to_owned(), ToString::to_string),
        figure(values.clone().last()),
        figure(values.clone().reduce(f64::min)),
        figure(values.reduce(f64::max)),
        sparkline(&curve.steps, &curve.values),
    ]
}
