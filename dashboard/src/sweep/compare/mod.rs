//! Cells or runs side by side: a condition each.

use acai_plot::{CurveGroup, Width};
use acai_sweep::comparison::{Comparison, Observation, compare};
use acai_sweep::metric::Metric;
use acai_sweep::results::{Aggregate, Member, Table};
use acai_sweep::scalar::Scalar;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use super::{curves, frame};
use crate::asked::{Asked, of_run, of_sweep};
use crate::frame::document;
use crate::numbers;
use crate::problem::{Problem, Result};
use crate::site::Site;
use crate::view::View;
use crate::words;

/// Sides of a page at the most.
const SIDES: usize = 8;

/// Runs for which a condition holds, on one dataset.
struct Side {
    name: String,
    table: Option<Table>,
    curves: Vec<CurveGroup>,
}

pub(crate) async fn page(
    State(site): State<Site>,
    Path(sweep): Path<String>,
    asked: Asked,
) -> Result<Response> {
    let overview = site.use_cases.sweep(&sweep).await?.overview;
    let conditions: Vec<&str> = asked.question.all("with").collect();
    if conditions.len() > SIDES {
        return Err(Problem::question(
            "with",
            format!("names {} sides: a page compares {SIDES}", conditions.len()),
        ));
    }
    let view = View::of(&asked.question);
    let metric = metric(&site, &sweep, &view).await?;
    let mut sides = Vec::new();
    for condition in &conditions {
        sides.push(side(&site, &sweep, condition, &view, metric.as_deref()).await?);
    }
    let content = html! {
        h1 { "Compare" }
        (form(&asked, &conditions))
        @if sides.is_empty() {
            p.empty { "Name two conditions or more, such as " code { "lambda = 0" } " and " code { "lambda = 0.5" }
                "; or choose rows in the table of the " a href=(of_sweep(&sweep)) { "overview" } "." }
        } @else {
            (table(&sweep, &sides, &view)?)
            @if sides.len() > 1 { (differences(&sides)) }
            (overlaid(&sides, metric.as_deref(), &view)?)
            (commands(&sweep, &conditions, &view))
        }
    };
    Ok(document(&frame(&asked, &overview, "Compare"), &content).into_response())
}

/// The metric whose curves are shown.
async fn metric(site: &Site, sweep: &str, view: &View) -> Result<Option<String>> {
    if view.metric.is_some() {
        return Ok(view.metric.clone());
    }
    let all = View { filter: String::new(), ..view.clone() };
    let tables = all.tables(site, sweep, &[]).await?.tables;
    Ok(tables.iter().find_map(|table| table.metrics.first()).map(|metric| metric.name.clone()))
}

async fn side(site: &Site, sweep: &str, condition: &str, outer: &View, metric: Option<&str>) -> Result<Side> {
    let filter = match outer.filter.as_str() {
        "" => condition.to_owned(),
        filter => format!("({filter}) and ({condition})"),
    };
    // All runs of a dataset are one row: a table has no column of its dataset.
    let one_row = ["dataset".to_owned()];
    let view = View { filter, metric: None, group_by: one_row.to_vec(), ..outer.clone() };
    let tables = view.tables(site, sweep, &one_row).await?.tables;
    if tables.len() > 1 {
        let datasets = tables.iter().map(|table| table.dataset.as_str()).collect::<Vec<_>>().join(", ");
        let words = format!(
            "`{condition}` holds for runs on {datasets}: scores on different datasets do not compare\nhint: add `and dataset = {}`",
            tables[0].dataset
        );
        return Err(Problem::question("with", words));
    }
    let table = tables.into_iter().next();
    let mut side = Side { name: condition.to_owned(), table, curves: Vec::new() };
    if let Some(metric) = metric {
        let of_metric = View { metric: Some(metric.to_owned()), ..view };
        let drawn = curves::draw(site, sweep, &of_metric).await?;
        side.curves = drawn.first().map(<[CurveGroup]>::to_vec).unwrap_or_default();
        side.curves.iter_mut().for_each(|group| condition.clone_into(&mut group.name));
    }
    Ok(side)
}

fn form(asked: &Asked, conditions: &[&str]) -> Markup {
    let open = conditions.len().max(1) + 1;
    html! {
        form.controls #controls action=(asked.path) aria-label="What is compared" {
            @for place in 0..open.min(SIDES) {
                label.wide { "Runs for which" input type="search" name="with" value=[conditions.get(place)]
                    placeholder="lambda = 0.5 and gamma = 0" spellcheck="false"; }
            }
            button { "Compare" }
        }
    }
}

/// The metrics that any side has, in the order of the first that has them.
fn metrics(sides: &[Side]) -> Vec<Metric> {
    let mut metrics: Vec<Metric> = Vec::new();
    for metric in sides.iter().filter_map(|side| side.table.as_ref()).flat_map(|table| &table.metrics) {
        if metrics.iter().all(|known| known.name != metric.name) {
            metrics.push(metric.clone());
        }
    }
    metrics
}

impl Side {
    fn place(&self, metric: &str) -> Option<usize> {
        self.table.as_ref()?.metrics.iter().position(|known| known.name == metric)
    }

    fn aggregate(&self, metric: &str) -> Option<Aggregate> {
        self.table.as_ref()?.rows.first()?.aggregates.get(self.place(metric)?).copied().flatten()
    }

    fn members(&self) -> &[Member] {
        self.table.as_ref().and_then(|table| table.rows.first()).map_or(&[], |row| &row.members)
    }
}

fn table(sweep: &str, sides: &[Side], view: &View) -> Result<Markup> {
    let spread = view.spread()?;
    Ok(html! {
        div.scroll { table {
            thead { tr { th scope="col" { "± " (spread.words()) } @for side in sides { th.value scope="col" { code { (side.name) } } } } }
            tbody {
                tr { th scope="row" { "runs" } @for side in sides { td.value {
                    @for member in side.members() {
                        a href=(of_run(sweep, member.number)) title={ "seed " (member.seed) ", " (member.state) } { "#" (member.number) } " "
                    }
                } } }
                @for metric in metrics(sides) { tr {
                    th scope="row" { (metric.name) }
                    @for side in sides { td.value { @if let Some(it) = side.aggregate(&metric.name) {
                        (numbers::mean(&it, spread)) small { " (n=" (it.n) ")" }
                    } } }
                } }
            }
        } }
    })
}

/// Differences from the first side by pairs of the same seed, for each metric.
fn differences(sides: &[Side]) -> Markup {
    let of = |place: usize| Scalar::Int(i64::try_from(place).unwrap_or(i64::MAX));
    let compared = |metric: &Metric| -> Vec<Comparison> {
        let observations = sides.iter().enumerate().flat_map(|(place, side)| {
            let column = side.place(&metric.name);
            side.members().iter().filter_map(move |member| {
                let value = member.values.get(column?).copied().flatten()?;
                Some(Observation { group: vec![("side".to_owned(), of(place))], seed: member.seed, value })
            })
        });
        compare(&observations.collect::<Vec<_>>(), &vec![("side".to_owned(), of(0))], metric.goal)
    };
    let all: Vec<(Metric, Vec<Comparison>)> =
        metrics(sides).into_iter().map(|metric| (metric.clone(), compared(&metric))).collect();
    let cell = |comparisons: &[Comparison], place: usize| {
        let group = vec![("side".to_owned(), of(place))];
        let found = comparisons.iter().find(|comparison| comparison.group == group)?.differences?;
        let better =
            found.better.map(|better| format!(", {better}/{} seeds better", found.n)).unwrap_or_default();
        let p = found.p.map(|p| format!(", p = {p:.3}")).unwrap_or_default();
        Some(format!("{} (n={}{better}{p})", acai_plot::figure(found.mean, found.confidence95), found.n))
    };
    html! {
        section {
            h2 { "Differences from " code { (sides[0].name) } }
            p.small { "By pairs of the same seed: mean ± 95 % interval (t); p by Holm, over the sides of a row." }
            div.scroll { table {
                thead { tr { th scope="col" { "metric" } @for side in &sides[1..] { th.value scope="col" { code { (side.name) } } } } }
                tbody { @for (metric, comparisons) in &all { tr {
                    th scope="row" { (metric.name) }
                    @for place in 1..sides.len() { td.value { (cell(comparisons, place).unwrap_or_else(|| "no common seed".to_owned())) } }
                } } }
            } }
        }
    }
}

fn overlaid(sides: &[Side], metric: Option<&str>, view: &View) -> Result<Markup> {
    let groups: Vec<CurveGroup> = sides.iter().flat_map(|side| side.curves.clone()).collect();
    let (Some(metric), false) = (metric, groups.is_empty()) else { return Ok(html! {}) };
    let svg = curves::svg_of(metric, groups, view.spread()?, Width::TwoColumns);
    Ok(
        html! { section { h2 { (words::metric(metric)) } figure.curves { div.drawn { (maud::PreEscaped(svg)) } } } },
    )
}

fn commands(sweep: &str, conditions: &[&str], view: &View) -> Markup {
    html! {
        @for condition in conditions {
            (View { filter: (*condition).to_owned(), ..view.clone() }.command(&["results", sweep]).option("group-by", Some("dataset")).shown(&[]))
        }
    }
}
