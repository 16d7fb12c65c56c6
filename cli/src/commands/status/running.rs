//! The runs of a sweep that are trained now, with the curve that each has come to.

use std::collections::HashMap;

use acai_proto::v1::{Curve, GetResultsRequest, ListPointsRequest, ListRunsRequest, Run, RunState};
use acai_sweep::metric::whole_name;

use super::super::metrics::{Curves, names};
use super::super::runs::list;
use crate::client::Client;
use crate::failure::Failure;
use crate::format::{mean_and_std, percent};
use crate::grid::Grid;
use crate::sparkline::sparkline;

/// Runs that are shown.
const SHOWN: usize = 20;
/// Points that a curve is drawn from.
const DRAWN: u32 = 200;

/// A line for each run that is trained, below headings; nothing if there is none. `asked` is the metric to show.
pub(super) async fn lines(
    client: &mut Client,
    sweep: &str,
    asked: Option<&str>,
    width: Option<usize>,
) -> Result<Vec<String>, Failure> {
    let states = vec![RunState::Running.into()];
    let request = ListRunsRequest { sweep: sweep.to_owned(), states, set_aside: false };
    let mut runs = list(client, request).await?;
    let more = runs.len().saturating_sub(SHOWN);
    runs.truncate(SHOWN);
    if runs.is_empty() {
        return Ok(Vec::new());
    }
    let metric = match asked {
        Some(metric) => Some(whole_name(metric)),
        None => usual(client, sweep).await?,
    };
    let curves = match &metric {
        Some(metric) => curves(client, sweep, metric, &runs).await?,
        None => HashMap::new(),
    };
    let headings = ["run", "trained", "worker", metric.as_deref().unwrap_or("metric"), "curve"];
    let row = |run: &Run| {
        let curve = curves.get(&run.number);
        let last = curve.and_then(|curve| curve.values.last());
        vec![
            format!("#{}", run.number),
            percent(run.step, run.total_steps),
            run.worker.clone(),
            last.map_or("-".to_owned(), |value| mean_and_std(*value, 0.0, 1)),
            curve.map_or(String::new(), |curve| sparkline(&curve.steps, &curve.values)),
        ]
    };
    let grid = Grid::new(&headings, runs.iter().map(row).collect()).keeping(2);
    let mut lines = grid.fit(width.map(|width| width.saturating_sub(2))).lines;
    if more > 0 {
        lines.push(format!("… and {more} more"));
    }
    Ok(lines)
}

/// What the sweep's tables are sorted by; before a run is completed the first score that was reported, or else the first metric.
async fn usual(client: &mut Client, sweep: &str) -> Result<Option<String>, Failure> {
    let request = GetResultsRequest { sweep: sweep.to_owned(), ..GetResultsRequest::default() };
    let tables = client.get_results(request).await?.into_inner().tables;
    if let Some(metric) = tables.into_iter().find_map(|table| table.metrics.into_iter().next()) {
        return Ok(Some(metric.name));
    }
    let names = names(client, sweep).await?;
    let score = names.iter().find(|name| name.starts_with(acai_sweep::metric::EVALUATION));
    Ok(score.or(names.first()).cloned())
}

async fn curves(
    client: &mut Client,
    sweep: &str,
    metric: &str,
    runs: &[Run],
) -> Result<HashMap<u32, Curve>, Failure> {
    let numbers = runs.iter().map(|run| run.number).collect();
    let (sweep, metric) = (sweep.to_owned(), metric.to_owned());
    let request = ListPointsRequest { sweep, numbers, metric, from_step: 0, most: DRAWN };
    let mut stream = Curves(client.list_points(request).await?.into_inner());
    let mut curves = HashMap::new();
    while let Some(curve) = stream.next().await? {
        curves.insert(curve.number, curve);
    }
    Ok(curves)
}
