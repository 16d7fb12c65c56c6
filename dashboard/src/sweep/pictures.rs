//! The filmstrip matrix: one pair of test images, interpolated by the model of each cell, all at one step of training.

use std::collections::{BTreeMap, BTreeSet};

use acai_plot::Dimension;
use acai_sweep::results::{Row, Table};
use acai_sweep::scalar::Scalar;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use serde_json::json;
use tokio_stream::StreamExt as _;

use super::{controls, frame, progress};
use crate::asked::{Asked, of_run};
use crate::blob;
use crate::command::Command;
use crate::frame::document;
use crate::problem::{Problem, Result};
use crate::site::Site;
use crate::view::{View, axes};
use crate::words;

/// The picture that is shown unless another one is asked for.
pub(crate) const USUAL: &str = "interpolations.png";
/// Cells of a page at the most.
const CELLS: usize = 400;
/// Pixels of a row of images in a picture, and between two rows, as the trainer draws them.
const IMAGE: u32 = 32;
const GUTTER: u32 = 2;

/// A picture of a run at a step: its digest.
type Frames = BTreeMap<u64, String>;

pub(crate) async fn page(
    State(site): State<Site>,
    Path(sweep): Path<String>,
    asked: Asked,
) -> Result<Response> {
    let overview = site.use_cases.sweep(&sweep).await?.overview;
    let view = View::of(&asked.question);
    let sheet = Sheet::of(&site, &sweep, &view, &asked).await;
    let content = html! {
        h1 { "Pictures" }
        (progress::bar(&overview))
        @match &sheet {
            Err(problem) => section.problem role="alert" { pre { (problem.message()) } },
            Ok(sheet) => {
                (sheet.form(&asked))
                @if sheet.frames.is_empty() { p.empty { "No run of seed " (sheet.seed) " has a picture " code { (sheet.name) } " yet." } }
                @for table in &sheet.tables { (sheet.matrix(&sweep, table)) }
                (sheet.command(&sweep, &view))
            }
        }
    };
    Ok(document(&frame(&asked, &overview, "Pictures"), &content).into_response())
}

/// Pictures on a grid.
struct Sheet {
    name: String,
    names: Vec<String>,
    axes: [String; 2],
    varied: Vec<String>,
    seed: u64,
    seeds: BTreeSet<u64>,
    pair: u32,
    step: Option<u64>,
    tables: Vec<Table>,
    /// By run.
    frames: BTreeMap<u32, Frames>,
    /// Width and height of a picture in pixels.
    size: (u32, u32),
}

impl Sheet {
    async fn of(site: &Site, sweep: &str, view: &View, asked: &Asked) -> Result<Sheet> {
        let number = |name: &'static str| {
            let text = asked.question.get(name);
            let parsed = text.map(str::parse::<u64>).transpose();
            parsed.map_err(|_| Problem::question(name, "is no number"))
        };
        let usual = view.tables(site, sweep, &[]).await?.tables;
        let varied = usual.into_iter().next().map(|table| table.group_by).unwrap_or_default();
        let (x, y) = axes(view, &varied).unwrap_or_else(|| {
            // A sweep of one parameter is one row.
            (varied.first().cloned().unwrap_or_else(|| "lambda".to_owned()), "model".to_owned())
        });
        let mut tables = view.tables(site, sweep, &[x.clone(), y.clone()]).await?.tables;
        let members = || tables.iter().flat_map(|table| &table.rows).flat_map(|row| &row.members);
        let seeds: BTreeSet<u64> = members().map(|member| member.seed).collect();
        let seed = number("seed")?.or(seeds.first().copied()).unwrap_or_default();
        for row in tables.iter_mut().flat_map(|table| &mut table.rows) {
            row.members.retain(|member| member.seed == seed);
        }
        let numbers =
            tables.iter().flat_map(|table| &table.rows).flat_map(|row| &row.members).map(|it| it.number);
        let numbers: BTreeSet<u32> = numbers.collect();
        if numbers.len() > CELLS {
            let words = format!(
                "leaves {} runs of seed {seed}: a page shows {CELLS}\nhint: `lambda <= 0.5`, or `dataset = …`",
                numbers.len()
            );
            return Err(Problem::question("where", words));
        }
        let name = asked.question.get("name").unwrap_or(USUAL).to_owned();
        let (names, frames) = frames(site, sweep, numbers, &name).await?;
        let size = match frames.values().find_map(|frames| frames.values().next_back()) {
            Some(sha256) => size(&blob::read(site, sha256).await?).unwrap_or((IMAGE, IMAGE)),
            None => (IMAGE, IMAGE),
        };
        let pair = u32::try_from(number("pair")?.unwrap_or_default()).unwrap_or_default();
        let step = number("step")?;
        Ok(Sheet { name, names, axes: [x, y], varied, seed, seeds, pair, step, tables, frames, size })
    }

    /// Rows of images in a picture.
    fn pairs(&self) -> u32 {
        ((self.size.1 + GUTTER) / (IMAGE + GUTTER)).max(1)
    }

    fn steps(&self) -> Vec<u64> {
        let steps: BTreeSet<u64> = self.frames.values().flat_map(|frames| frames.keys().copied()).collect();
        steps.into_iter().collect()
    }

    fn form(&self, asked: &Asked) -> Markup {
        let [x, y] = &self.axes;
        let steps = self.steps();
        let last = steps.last().copied().unwrap_or_default();
        let step = self.step.unwrap_or(last);
        let place = steps.partition_point(|known| *known <= step).saturating_sub(1);
        let seeds: Vec<String> = self.seeds.iter().map(ToString::to_string).collect();
        html! {
            form.controls #controls action=(asked.path) aria-label="What is shown" {
                (controls::choice("Picture", "name", Some(&self.name), &self.names, None))
                (controls::choice("→", "x", Some(x), &self.varied, None))
                (controls::choice("↓", "y", Some(y), &self.varied, None))
                (controls::choice("Seed", "seed", Some(&self.seed.to_string()), &seeds, None))
                (controls::fixed(&self.tables, &[x, y], asked))
                label.wide { "Runs for which" input type="search" name="where" value=[asked.question.get("where")] spellcheck="false"; }
                label.scrub { "Pair " output { (self.pair + 1) }
                    input type="range" name="pair" min="0" max=(self.pairs() - 1) value=(self.pair); }
                label.scrub { "Step " output { (step) }
                    // Scripts scrub over the steps that there are; without them a step is typed.
                    input type="number" name="step" min="0" value=(step) data-steps=(json!(steps)) data-place=(place); }
                button { "Show" }
            }
        }
    }

    fn matrix(&self, sweep: &str, table: &Table) -> Markup {
        let [x, y] = &self.axes;
        let of = |name: &str| {
            let name = name.to_owned();
            move |row: &'_ Row| value(row, &name).cloned()
        };
        let (x_values, y_values): (Vec<Scalar>, Vec<Scalar>) =
            (table.rows.iter().filter_map(of(x)).collect(), table.rows.iter().filter_map(of(y)).collect());
        let (columns, rows) = (Dimension::of(x_values.iter()), Dimension::of(y_values.iter()));
        let find = |column: usize, row: usize| {
            table.rows.iter().find(|candidate| {
                let is_at = |name: &str, dimension: &Dimension, place: usize| {
                    value(candidate, name).and_then(|value| dimension.place(value)) == Some(place)
                };
                is_at(x, &columns, column) && is_at(y, &rows, row)
            })
        };
        html! {
            section {
                h2 { (table.dataset) }
                div.scroll { table.film {
                    thead { tr {
                        th scope="col" { (words::parameter(y)) " ↓ " (words::parameter(x)) " →" }
                        @for name in columns.names() { th scope="col" { (words::parameter(x)) " = " (name) } }
                    } }
                    tbody { @for row in 0..rows.names().len() { tr {
                        th scope="row" { (rows.names()[row]) }
                        @for column in 0..columns.names().len() { td { (self.cell(sweep, find(column, row))) } }
                    } } }
                } }
            }
        }
    }

    /// The picture of a cell's run: of several, that of the first that has one.
    fn cell(&self, sweep: &str, row: Option<&Row>) -> Markup {
        let Some(row) = row else { return html! { span.empty { "no run" } } };
        let with = row.members.iter().find_map(|member| Some((member, self.frames.get(&member.number)?)));
        let Some((member, frames)) = with else {
            let state = row.members.first().map(|member| words::state(member.state));
            return html! { span.empty { @match state { Some(state) => (state), None => "no run of this seed" } } };
        };
        let shown = match self.step {
            Some(step) => frames.range(..=step).next_back().or(frames.iter().next()),
            None => frames.iter().next_back(),
        };
        let Some((step, sha256)) = shown else { return html! {} };
        let (width, height) = self.size;
        let pair = self.pair.min(self.pairs() - 1);
        html! {
            a href=(of_run(sweep, member.number)) {
                svg.strip viewBox={ "0 " (pair * (IMAGE + GUTTER)) " " (width) " " (IMAGE) } role="img"
                    data-frames=(json!(frames)) data-row=(IMAGE + GUTTER)
                    aria-label={ (words::group(&row.group)) ": " (self.name) " of run " (member.number) " at step " (step) }
                { image href=(blob::path(sha256)) width=(width) height=(height) {} }
            }
        }
    }

    fn command(&self, sweep: &str, view: &View) -> Markup {
        let [x, y] = &self.axes;
        let filter = Some(view.filter.as_str()).filter(|filter| !filter.is_empty());
        Command::acai(&["plot", "sheet", sweep])
            .option("x", Some(x))
            .option("y", Some(y))
            .option("seed", Some(&self.seed.to_string()))
            .option("name", Some(&self.name).filter(|name| *name != USUAL).map(String::as_str))
            .option("where", filter)
            .word("-o sheet.svg")
            .shown(&[])
    }
}

fn value<'r>(row: &'r Row, name: &str) -> Option<&'r Scalar> {
    row.group.iter().find(|(known, _)| known == name).map(|(_, value)| value)
}

/// Names of the pictures of these runs, and those of one name by run and step.
async fn frames(
    site: &Site,
    sweep: &str,
    numbers: BTreeSet<u32>,
    name: &str,
) -> Result<(Vec<String>, BTreeMap<u32, Frames>)> {
    let (mut names, mut frames) = (BTreeSet::new(), BTreeMap::<u32, Frames>::new());
    if numbers.is_empty() {
        return Ok((Vec::new(), frames));
    }
    let mut artifacts = site.use_cases.artifacts(sweep, numbers.into_iter().collect()).await?;
    while let Some(artifact) = artifacts.next().await {
        let record = artifact?;
        if is_picture(&record.artifact.name) {
            names.insert(record.artifact.name.clone());
        }
        if record.artifact.name == name {
            frames.entry(record.number).or_default().insert(record.artifact.step, record.artifact.sha256);
        }
    }
    Ok((names.into_iter().collect(), frames))
}

pub(crate) fn is_picture(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, end)| end.eq_ignore_ascii_case("png"))
}

/// Width and height that a PNG file says of itself.
fn size(png: &[u8]) -> Option<(u32, u32)> {
    let number = |from: usize| Some(u32::from_be_bytes(png.get(from..from + 4)?.try_into().ok()?));
    Some((number(16)?, number(20)?)).filter(|(width, height)| *width > 0 && *height > 0)
}
