//! One metric against another: a point a run, a cross a row.

use acai_plot::Scatter;
use acai_sweep::metric::Metric;
use acai_sweep::results::{SEED, Table};
use axum::extract::{Path, State};
use axum::response::Response;
use maud::{Markup, PreEscaped, html};

use super::{controls, downloads};
use crate::asked::{Asked, link, of_sweep};
use crate::command::Form;
use crate::figures;
use crate::problem::{Problem, Result};
use crate::site::Site;
use crate::view::{PARTS, View};

/// Rows up to which a scatter is drawn on a page: no more can be told apart.
const ROWS: usize = 40;
/// Asks for the metric that goes up.
pub(crate) const AGAINST: &str = "against";

/// What is drawn of a dataset.
struct Drawn {
    table: Table,
    figure: Scatter,
}

/// The metric of the view, or the first of its tables, to the right, and up the one that is asked for, or another one.
fn axes(usual: &[Table], view: &View, asked: &Asked) -> Option<[Metric; 2]> {
    let all = || usual.iter().flat_map(|table| &table.metrics);
    let named = |name: &str| {
        let known = all().find(|metric| metric.name == name).cloned();
        known.unwrap_or(Metric { name: name.to_owned(), goal: None })
    };
    let x = view.metric.as_deref().map(named).or_else(|| all().next().cloned())?;
    let up = asked.question.get(AGAINST).map(acai_sweep::metric::whole_name);
    let y = up.as_deref().map(named).or_else(|| all().find(|metric| metric.name != x.name).cloned())?;
    (x != y).then_some([x, y])
}

/// `known` are the tables of the view, where these are at hand.
async fn draw(
    site: &Site,
    sweep: &str,
    (view, asked): (&View, &Asked),
    known: Option<&[Table]>,
) -> Result<Vec<Drawn>> {
    let every_metric = View { metric: None, ..view.clone() };
    let usual = match known.filter(|_| view.metric.is_none()) {
        Some(tables) => tables.to_vec(),
        None => every_metric.tables(site, sweep, &view.group_by).await?.tables,
    };
    let Some(axes) = axes(&usual, view, asked) else { return Ok(Vec::new()) };
    let has_both = usual.iter().all(|table| axes.iter().all(|axis| table.metrics.contains(axis)));
    let tables = match has_both {
        // The store need not be asked again.
        true => usual,
        false => view.tables_of(site, sweep, &view.group_by, axes.to_vec()).await?.tables,
    };
    let mut drawn = Vec::new();
    for table in tables {
        let place = |axis: &Metric| table.metrics.iter().position(|metric| metric.name == axis.name);
        let [Some(x), Some(y)] = axes.each_ref().map(place) else { continue };
        if let Some(figure) = figures::scatter(&table, [x, y], view.spread()?) {
            let metrics = [table.metrics[x].clone(), table.metrics[y].clone()].to_vec();
            drawn.push(Drawn { table: Table { metrics, ..table }, figure });
        }
    }
    Ok(drawn)
}

/// The figures of a page, and what chooses the metric that goes up.
pub(super) async fn section(
    (site, sweep): (&Site, &str),
    (view, asked): (&View, &Asked),
    (usual, scores): (&[Table], &[String]),
) -> Result<Markup> {
    if usual.iter().all(|table| table.rows.len() > ROWS) {
        return Ok(html! {});
    }
    let drawn = draw(site, sweep, (view, asked), Some(usual)).await?;
    let drawn: Vec<&Drawn> = drawn.iter().filter(|it| it.table.rows.len() <= ROWS).collect();
    let others = asked.question.with(AGAINST, "");
    Ok(html! {
        @if !drawn.is_empty() { section #scatter {
            h2 { "One metric against another" }
            form.controls action=(asked.path) aria-label="Against what" {
                @for (name, value) in others.pairs() { input type="hidden" name=(name) value=(value); }
                (controls::choice("Against", AGAINST, asked.question.get(AGAINST), scores, Some("another score")))
                button { "Show" }
            }
            div.figures { @for Drawn { table, figure } in drawn {
                figure {
                    (PreEscaped(figure.to_svg()))
                    figcaption { (table.dataset) }
                    (command(sweep, table, view, asked))
                }
            } }
        } }
    })
}

fn command(sweep: &str, table: &Table, view: &View, asked: &Asked) -> Markup {
    let name = |place: usize| table.metrics.get(place).map(|metric| metric.name.as_str());
    let question = asked.question.only(&PARTS).with("sort", "").with("dataset", &table.dataset);
    let figure =
        asked.question.only(&[AGAINST]).pairs().fold(question.clone(), |all, (name, it)| all.with(name, it));
    // A row a run.
    let group_by = [&table.group_by[..], &[SEED.to_owned()]].concat().join(",");
    let to = |end: &str, question| link(&format!("{}/{end}", of_sweep(sweep)), question);
    view.command(&["plot", "scatter", sweep])
        .option("x", name(0))
        .option("y", name(1))
        .option("dataset", Some(&table.dataset))
        .word("-o scatter.svg")
        .shown(&[
            Form::File("SVG", to("scatter.svg", &figure)),
            Form::File("CSV", to("results.csv", &question.with("metric", "").with("group-by", &group_by))),
        ])
}

pub(crate) async fn svg(
    State(site): State<Site>,
    Path(sweep): Path<String>,
    asked: Asked,
) -> Result<Response> {
    let view = View::of(&asked.question);
    let drawn = draw(&site, &sweep, (&view, &asked), None).await?;
    let first = drawn.first().ok_or_else(|| Problem::not_found("no run has values of two metrics yet"))?;
    Ok(downloads::svg(&format!("{sweep}-scatter.svg"), first.figure.to_svg()))
}
