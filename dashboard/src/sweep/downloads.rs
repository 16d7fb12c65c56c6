//! What a page shows, as files.

use acai_coordinator::use_cases::ResultTables;
use acai_sweep::results::Table;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

use crate::asked::Asked;
use crate::figures;
use crate::problem::{Problem, Result};
use crate::site::Site;
use crate::view::{View, axes};
use crate::words;

pub(crate) async fn heat_map(
    State(site): State<Site>,
    Path(sweep): Path<String>,
    asked: Asked,
) -> Result<Response> {
    let view = View::of(&asked.question);
    let (x, y) = match (&view.x, &view.y) {
        (Some(x), Some(y)) => (x.clone(), y.clone()),
        _ => {
            let usual = view.tables(&site, &sweep, &[]).await?;
            let varied = usual.tables.into_iter().next().map(|table| table.group_by).unwrap_or_default();
            let too_few = || Problem::question("x", "is missing: the sweep varies fewer than two parameters");
            axes(&view, &varied).ok_or_else(too_few)?
        }
    };
    let results = view.tables(&site, &sweep, &[x.clone(), y.clone()]).await?;
    let map = figures::heat_map(one(&results)?, [&x, &y], view.spread()?);
    Ok(svg(&format!("{sweep}-plane.svg"), map.to_svg()))
}

pub(crate) async fn scatter(
    State(site): State<Site>,
    Path(sweep): Path<String>,
    asked: Asked,
) -> Result<Response> {
    let view = View::of(&asked.question);
    let results = view.tables(&site, &sweep, &view.group_by).await?;
    let figure = figures::scatter(one(&results)?, [0, 1], view.spread()?);
    let figure = figure.ok_or_else(|| Problem::not_found("no run has values of two metrics yet"))?;
    Ok(svg(&format!("{sweep}-scatter.svg"), figure.to_svg()))
}

/// The first of the tables; a file has one figure.
fn one(results: &ResultTables) -> Result<&Table> {
    results.tables.first().ok_or_else(|| Problem::not_found("the sweep has no runs on this dataset"))
}

pub(crate) fn svg(name: &str, svg: String) -> Response {
    file(name, "image/svg+xml", svg.into_bytes())
}

fn file(name: &str, content_type: &str, content: Vec<u8>) -> Response {
    // Sweeps have names of letters, digits, points and dashes.
    let disposition = format!("attachment; filename=\"{name}\"");
    ([(CONTENT_TYPE, content_type.to_owned()), (CONTENT_DISPOSITION, disposition)], content).into_response()
}

/// The sweep's own file.
pub(crate) async fn yaml(State(site): State<Site>, Path(sweep): Path<String>) -> Result<Response> {
    let source = site.use_cases.sweep(&sweep).await?.file.source;
    Ok(([(CONTENT_TYPE, "text/plain; charset=utf-8")], source).into_response())
}

/// The table, a row a line: every mean with its population standard deviation and how many runs it is of.
pub(crate) async fn csv(
    State(site): State<Site>,
    Path(sweep): Path<String>,
    asked: Asked,
) -> Result<Response> {
    let view = View::of(&asked.question);
    let results = view.tables(&site, &sweep, &view.group_by).await?;
    let written = written(&results.tables)
        .map_err(|error| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    Ok(file(&format!("{sweep}.csv"), "text/csv; charset=utf-8", written))
}

fn written(tables: &[Table]) -> std::result::Result<Vec<u8>, csv::Error> {
    let mut parameters: Vec<&String> = Vec::new();
    let mut metrics: Vec<&String> = Vec::new();
    for table in tables {
        for (known, names) in [
            (&mut parameters, table.group_by.iter().collect::<Vec<_>>()),
            (&mut metrics, table.metrics.iter().map(|metric| &metric.name).collect()),
        ] {
            names.into_iter().for_each(|name| {
                if !known.contains(&name) {
                    known.push(name);
                }
            });
        }
    }
    metrics.sort();
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut headings = vec!["dataset".to_owned()];
    headings.extend(parameters.iter().map(|name| (*name).clone()));
    headings.extend(["runs", "completed", "best"].map(str::to_owned));
    headings.extend(metrics.iter().flat_map(|name| ["mean", "std", "n"].map(|of| format!("{name}_{of}"))));
    writer.write_record(&headings)?;
    for table in tables {
        for row in &table.rows {
            let of_group = |name: &&String| {
                let value = row.group.iter().find(|(known, _)| known == *name);
                value.map(|(_, value)| words::value(value)).unwrap_or_default()
            };
            let mut cells = vec![table.dataset.clone()];
            cells.extend(parameters.iter().map(of_group));
            cells.extend([row.runs.to_string(), row.completed.to_string(), row.best.to_string()]);
            for name in &metrics {
                let place = table.metrics.iter().position(|metric| metric.name == **name);
                let aggregate = place.and_then(|place| row.aggregates.get(place).copied().flatten());
                let std = aggregate.filter(|it| it.n > 1).map(|it| it.std.to_string());
                cells.push(aggregate.map(|it| it.mean.to_string()).unwrap_or_default());
                cells.push(std.unwrap_or_default());
                cells.push(aggregate.map_or(0, |it| it.n).to_string());
            }
            writer.write_record(&cells)?;
        }
    }
    writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))
}
