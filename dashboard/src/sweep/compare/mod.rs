//! Cells or runs side by side: a condition each.

mod differences;
mod sides;

use std::collections::BTreeSet;

use acai_plot::{CurveGroup, Width};
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use self::sides::{SIDES, Side, Sides};
use super::film::Film;
use super::{curves, downloads, frame};
use crate::asked::{Asked, link, of_run, of_sweep};
use crate::command::{Form, forms};
use crate::frame::document;
use crate::numbers;
use crate::problem::{Problem, Result};
use crate::site::Site;
use crate::view::View;
use crate::words;

/// Strips of images of a page at the most.
const STRIPS: usize = 64;

pub(crate) async fn page(
    State(site): State<Site>,
    Path(sweep): Path<String>,
    asked: Asked,
) -> Result<Response> {
    let overview = site.use_cases.sweep(&sweep).await?.overview;
    let sides = Sides::of(&site, &sweep, &asked).await?;
    let groups = sides.curves(&site, &sweep).await?;
    let pictures = Pictures::of(&site, &sweep, &sides, &asked).await?;
    let to = |end: &str| link(&format!("{}/{end}", of_sweep(&sweep)), &asked.question);
    let content = html! {
        h1 { "Compare" }
        (form(&asked, &sides, &pictures))
        @if sides.sides.is_empty() {
            p.empty { "Name two conditions or more, such as " code { "lambda = 0" } " and " code { "lambda = 0.5" }
                "; or choose rows in the table of the " a href=(of_sweep(&sweep)) { "overview" } "." }
        } @else {
            (table(&sweep, &sides)?)
            (forms(&[Form::File("CSV", to("compare.csv")), Form::Text("LaTeX", to("compare.tex"))]))
            (differences::section(&sides, to("differences.csv")))
            (overlaid(&sides, groups, to("compare.svg"))?)
            (pictures.section(&sweep, &sides))
            (commands(&sweep, &sides))
        }
    };
    Ok(document(&frame(&asked, &overview, "Compare"), &content).into_response())
}

/// The sides as rows, with all digits.
pub(crate) async fn csv(
    State(site): State<Site>,
    Path(sweep): Path<String>,
    asked: Asked,
) -> Result<Response> {
    let sides = Sides::of(&site, &sweep, &asked).await?;
    downloads::csv_of(&format!("{sweep}-compared"), &[sides.table()], &[])
}

/// The sides as rows of a paper's table.
pub(crate) async fn latex(
    State(site): State<Site>,
    Path(sweep): Path<String>,
    asked: Asked,
) -> Result<Response> {
    let sides = Sides::of(&site, &sweep, &asked).await?;
    Ok(downloads::latex_of(&format!("{sweep}-compared"), &[sides.table()], sides.view.spread()?, &[]))
}

pub(crate) async fn differences_csv(
    State(site): State<Site>,
    Path(sweep): Path<String>,
    asked: Asked,
) -> Result<Response> {
    let sides = Sides::of(&site, &sweep, &asked).await?;
    downloads::rows(&format!("{sweep}-differences"), &differences::HEADINGS, &differences::rows(&sides))
}

/// The curves of all sides as a figure.
pub(crate) async fn svg(
    State(site): State<Site>,
    Path(sweep): Path<String>,
    asked: Asked,
) -> Result<Response> {
    let sides = Sides::of(&site, &sweep, &asked).await?;
    let groups = sides.curves(&site, &sweep).await?;
    let metric = sides.metric.as_deref().filter(|_| !groups.is_empty());
    let metric = metric.ok_or_else(|| Problem::not_found("no run has points to draw yet"))?;
    let svg = curves::svg_of(metric, groups, sides.view.spread()?, Width::OneColumn);
    Ok(downloads::svg(&format!("{sweep}-compared.svg"), svg))
}

fn form(asked: &Asked, sides: &Sides, pictures: &Pictures) -> Markup {
    let open = sides.sides.len().max(1) + 1;
    html! {
        form.controls #controls action=(asked.path) aria-label="What is compared" {
            @for place in 0..open.min(SIDES) {
                label.wide { "Runs for which"
                    input type="search" name="with" value=[sides.sides.get(place).map(|side| side.name.as_str())]
                        placeholder="lambda = 0.5 and gamma = 0" spellcheck="false"; }
            }
            @if !pictures.film.is_empty() { (pictures.film.controls()) }
            button { "Compare" }
        }
    }
}

fn table(sweep: &str, sides: &Sides) -> Result<Markup> {
    let spread = sides.view.spread()?;
    Ok(html! {
        div.scroll { table {
            thead { tr { th scope="col" { "± " (spread.words()) }
                @for side in &sides.sides { th.value scope="col" { code { (side.name) } } } } }
            tbody {
                tr { th scope="row" { "runs" } @for side in &sides.sides { td.value {
                    @for member in side.members() {
                        a href=(of_run(sweep, member.number)) title={ "seed " (member.seed) ", " (member.state) } { "#" (member.number) } " "
                    }
                } } }
                @for metric in sides.metrics() { tr {
                    th scope="row" { (metric.name) }
                    @for side in &sides.sides { td.value { @if let Some(it) = side.aggregate(&metric.name) {
                        (numbers::mean(&it, spread)) small { " (n=" (it.n) ")" }
                    } } }
                } }
            }
        } }
    })
}

fn overlaid(sides: &Sides, groups: Vec<CurveGroup>, svg: String) -> Result<Markup> {
    let (Some(metric), false) = (&sides.metric, groups.is_empty()) else { return Ok(html! {}) };
    let drawn = curves::svg_of(metric, groups, sides.view.spread()?, Width::TwoColumns);
    Ok(html! { section {
        h2 { (words::metric(metric)) }
        figure.curves { div.drawn { (maud::PreEscaped(drawn)) } }
        (forms(&[Form::File("SVG", svg)]))
    } })
}

/// The images of the sides' runs, a row a seed.
struct Pictures {
    film: Film,
    seeds: Vec<u64>,
    /// Seeds that are not shown.
    left_out: usize,
}

impl Pictures {
    async fn of(site: &Site, sweep: &str, sides: &Sides, asked: &Asked) -> Result<Pictures> {
        let members = || sides.sides.iter().flat_map(Side::members);
        let all: BTreeSet<u64> = members().map(|member| member.seed).collect();
        let (mut seeds, mut strips) = (Vec::new(), 0);
        for seed in &all {
            strips += members().filter(|member| member.seed == *seed).count();
            if strips > STRIPS && !seeds.is_empty() {
                break;
            }
            seeds.push(*seed);
        }
        let shown = members().filter(|member| seeds.contains(&member.seed)).map(|member| member.number);
        let film = Film::of(site, sweep, shown.take(4 * STRIPS).collect(), asked).await?;
        Ok(Pictures { film, left_out: all.len() - seeds.len(), seeds })
    }

    fn section(&self, sweep: &str, sides: &Sides) -> Markup {
        let strips = |place: usize, seed: u64| -> Vec<Markup> {
            let side = &sides.sides[place];
            let members = side.members().iter().filter(|member| member.seed == seed);
            let about = format!("{}, seed {seed}", side.name);
            members.filter_map(|member| self.film.strip(sweep, member.number, &about)).collect()
        };
        html! {
            @if !self.film.is_empty() { section #pictures {
                h2 { "Pictures" }
                p.small { "One pair of test images and one step for all; sliders above." }
                div.scroll { table.film.sides {
                    thead { tr { th scope="col" { "seed" } @for side in &sides.sides { th scope="col" { code { (side.name) } } } } }
                    tbody { @for seed in &self.seeds { tr {
                        th scope="row" { (seed) }
                        @for place in 0..sides.sides.len() { td {
                            @let strips = strips(place, *seed);
                            @if strips.is_empty() { span.empty { "no picture yet" } }
                            @for strip in strips { (strip) }
                        } }
                    } } }
                } }
                @if self.left_out > 0 { p.small { (self.left_out) " more seeds are not shown: a condition such as " code { "seed = 3" } " chooses others." } }
            } }
        }
    }
}

fn commands(sweep: &str, sides: &Sides) -> Markup {
    html! {
        @for side in &sides.sides {
            (View { filter: side.name.clone(), ..sides.view.clone() }.command(&["results", sweep]).option("group-by", Some("dataset")).shown(&[]))
        }
    }
}
