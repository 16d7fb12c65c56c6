//! What a page shows, as files.

use acai_coordinator::use_cases::{ResultTables, Which};
use acai_sweep::parameters::PARAMETERS;
use acai_sweep::results::Table;
use acai_sweep::scalar::Scalar;
use acai_sweep::statistics::Spread;
use acai_tables::{Sheet, Style};
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use tokio_stream::StreamExt as _;

use crate::asked::Asked;
use crate::figures;
use crate::problem::{Problem, Result};
use crate::site::Site;
use crate::view::{View, axes};

const CSV: &str = "text/csv; charset=utf-8";

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
    Ok(text(source))
}

/// The rows of a view with all digits, as `acai results --format csv` prints them.
pub(crate) async fn csv(
    State(site): State<Site>,
    Path(sweep): Path<String>,
    asked: Asked,
) -> Result<Response> {
    let view = View::of(&asked.question);
    let results = view.rows(&site, &sweep).await?;
    let whole = view.tables(&site, &sweep, &all_parameters(&site, &sweep).await?).await?;
    let fixed = acai_tables::same_everywhere(&whole.tables);
    csv_of(&sweep, &results.tables, &fixed)
}

/// Tables as a file; `fixed` is what is the same in all their runs.
pub(crate) fn csv_of(name: &str, tables: &[Table], fixed: &[(String, Scalar)]) -> Result<Response> {
    let text = acai_tables::csv(tables, fixed, &[]).map_err(|error| Problem::broken(&error.to_string()))?;
    Ok(file(&format!("{name}.csv"), CSV, text.into_bytes()))
}

/// All parameters that rows can be made of.
async fn all_parameters(site: &Site, sweep: &str) -> Result<Vec<String>> {
    let mut runs = site.use_cases.runs(sweep, Vec::new(), Which::Plan).await?;
    // All runs of a sweep have its own parameters.
    let first = runs.next().await.transpose()?;
    let own = first.into_iter().flat_map(|run| run.configuration.own().keys().cloned().collect::<Vec<_>>());
    Ok(PARAMETERS.iter().map(|parameter| parameter.name.to_owned()).chain(own).collect())
}

/// The rows of a view as a paper has them, as `acai results --format latex` prints them.
pub(crate) async fn latex(
    State(site): State<Site>,
    Path(sweep): Path<String>,
    asked: Asked,
) -> Result<Response> {
    let status = site.use_cases.status(&sweep).await?;
    let view = View::of(&asked.question);
    let tables = view.rows(&site, &sweep).await?.tables;
    Ok(latex_of(&sweep, &tables, view.spread()?, &status.waiting_for_datasets))
}

/// Tables for a paper, as text; `waiting` are datasets that no worker has.
pub(crate) fn latex_of(sweep: &str, tables: &[Table], spread: Spread, waiting: &[String]) -> Response {
    let style = Style::usual(spread);
    let sheet = |table: &Table| Sheet::of_table(table, &style, acai_tables::unit, waiting);
    let sheets: Vec<Sheet> = tables.iter().map(sheet).collect();
    text(acai_tables::latex(sweep, &sheets, &style) + "\n")
}

/// Text that browsers show.
fn text(text: String) -> Response {
    ([(CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}

/// Rows below headings, as a file.
pub(crate) fn rows(name: &str, headings: &[&str], rows: &[Vec<String>]) -> Result<Response> {
    let written = || -> std::result::Result<Vec<u8>, csv::Error> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(headings)?;
        rows.iter().try_for_each(|row| writer.write_record(row))?;
        writer.into_inner().map_err(|error| error.into_error().into())
    };
    let written = written().map_err(|error| Problem::broken(&error.to_string()))?;
    Ok(file(&format!("{name}.csv"), CSV, written))
}
