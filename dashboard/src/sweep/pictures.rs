//! The filmstrip matrix: one pair of test images, interpolated by the model of each cell, all at one step of training.

use std::collections::{BTreeMap, BTreeSet};

use acai_plot::{ContactSheet, Picture, Width};
use acai_sweep::results::{Row, Table};
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use super::film::{Film, USUAL, number};
use super::grid::Grid;
use super::{controls, downloads, frame, progress};
use crate::asked::{Asked, link, of_sweep};
use crate::blob;
use crate::command::{Command, Form};
use crate::frame::document;
use crate::problem::{Problem, Result};
use crate::site::Site;
use crate::view::{PARTS, View, axes};
use crate::words;

/// Cells of a page at the most.
const CELLS: usize = 400;

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
                @if sheet.film.is_empty() { p.empty { "No run of seed " (sheet.seed) " has a picture " code { (sheet.film.name) } " yet." } }
                @for table in &sheet.tables { (sheet.matrix(&sweep, table)) (sheet.command(&sweep, table, &view, &asked)) }
            }
        }
    };
    Ok(document(&frame(&asked, &overview, "Pictures"), &content).into_response())
}

/// The pictures of a dataset as a figure, whole, as `acai plot sheet` draws them.
pub(crate) async fn svg(
    State(site): State<Site>,
    Path(sweep): Path<String>,
    asked: Asked,
) -> Result<Response> {
    let view = View::of(&asked.question);
    let sheet = Sheet::of(&site, &sweep, &view, &asked).await?;
    let rows = sheet.tables.first().map_or(&[][..], |table| &table.rows);
    let mut pictures = Vec::new();
    // A run that stands in several cells is read once.
    let mut read: BTreeMap<u32, Vec<u8>> = BTreeMap::new();
    for row in rows {
        let Some((number, step, sha256)) = sheet.of_row(row) else { continue };
        if let std::collections::btree_map::Entry::Vacant(place) = read.entry(number) {
            place.insert(blob::read(&site, sha256).await?);
        }
        let value = |name: &str| row.group.iter().find(|(known, _)| known == name).map(|(_, it)| it.clone());
        if let (Some(x), Some(y), Some(png)) =
            (value(&sheet.axes[0]), value(&sheet.axes[1]), read.get(&number))
        {
            pictures.push(Picture {
                x,
                y,
                png: png.clone(),
                label: format!("{sweep}/{number}, step {step}"),
            });
        }
    }
    if pictures.is_empty() {
        return Err(Problem::not_found(format!("no such run has a picture `{}`", sheet.film.name)));
    }
    let [x, y] = sheet.axes.each_ref().map(|name| words::parameter(name));
    let figure = ContactSheet { title: String::new(), x, y, pictures, width: Width::TwoColumns };
    Ok(downloads::svg(&format!("{sweep}-sheet.svg"), figure.to_svg()))
}

/// Pictures on a grid.
struct Sheet {
    film: Film,
    axes: [String; 2],
    varied: Vec<String>,
    seed: u64,
    seeds: BTreeSet<u64>,
    tables: Vec<Table>,
}

impl Sheet {
    async fn of(site: &Site, sweep: &str, view: &View, asked: &Asked) -> Result<Sheet> {
        let usual = view.tables(site, sweep, &[]).await?.tables;
        let varied = usual.into_iter().next().map(|table| table.group_by).unwrap_or_default();
        let (x, y) = axes(view, &varied).unwrap_or_else(|| {
            // A sweep of one parameter is one row.
            (varied.first().cloned().unwrap_or_else(|| "lambda".to_owned()), "model".to_owned())
        });
        let mut tables = view.tables(site, sweep, &[x.clone(), y.clone()]).await?.tables;
        let members = || tables.iter().flat_map(|table| &table.rows).flat_map(|row| &row.members);
        let seeds: BTreeSet<u64> = members().map(|member| member.seed).collect();
        let seed = number(asked, "seed")?.or(seeds.first().copied()).unwrap_or_default();
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
        let film = Film::of(site, sweep, numbers, asked).await?;
        Ok(Sheet { film, axes: [x, y], varied, seed, seeds, tables })
    }

    fn form(&self, asked: &Asked) -> Markup {
        let [x, y] = &self.axes;
        let seeds: Vec<String> = self.seeds.iter().map(ToString::to_string).collect();
        html! {
            form.controls #controls action=(asked.path) aria-label="What is shown" {
                (controls::choice("Columns", "x", Some(x), &self.varied, None))
                (controls::choice("Rows", "y", Some(y), &self.varied, None))
                (controls::choice("Seed", "seed", Some(&self.seed.to_string()), &seeds, None))
                (controls::fixed(&self.tables, &[x, y], asked))
                label.wide { "Runs for which" input type="search" name="where" value=[asked.question.get("where")] spellcheck="false"; }
                (self.film.controls())
                button { "Show" }
            }
        }
    }

    fn matrix(&self, sweep: &str, table: &Table) -> Markup {
        let [x, y] = &self.axes;
        let grid = Grid::of(table, [x, y]);
        let (columns, rows) = (grid.columns.names(), grid.rows.names());
        html! {
            section {
                h2 { (table.dataset) }
                div.scroll { table.film {
                    thead { tr {
                        th scope="col" { (words::parameter(y)) " ↓ " (words::parameter(x)) " →" }
                        @for name in columns { th scope="col" { (words::parameter(x)) " = " (name) } }
                    } }
                    tbody { @for (row, name) in rows.iter().enumerate() { tr {
                        th scope="row" { (name) }
                        @for column in 0..columns.len() { td { (self.cell(sweep, grid.at(column, row))) } }
                    } } }
                } }
            }
        }
    }

    /// The run of a row whose picture is shown, the step, and the picture's digest: of several runs the first that has one.
    fn of_row(&self, row: &Row) -> Option<(u32, u64, &str)> {
        row.members.iter().find_map(|member| {
            let (step, sha256) = self.film.shown(member.number)?;
            Some((member.number, step, sha256))
        })
    }

    fn cell(&self, sweep: &str, row: Option<&Row>) -> Markup {
        let Some(row) = row else { return html! { span.empty { "no run" } } };
        let strip =
            |(number, ..): (u32, u64, &str)| self.film.strip(sweep, number, &words::group(&row.group));
        if let Some(strip) = self.of_row(row).and_then(strip) {
            return strip;
        }
        let state = row.members.first().map(|member| words::state(member.state));
        html! { span.empty { @match state { Some(state) => (state), None => "no run of this seed" } } }
    }

    fn command(&self, sweep: &str, table: &Table, view: &View, asked: &Asked) -> Markup {
        let [x, y] = &self.axes;
        let filter = Some(view.filter.as_str()).filter(|filter| !filter.is_empty());
        let names = [&PARTS[..], &["seed", "name", "step"]].concat();
        let question = asked.question.only(&names).with("dataset", &table.dataset);
        let svg = link(&format!("{}/sheet.svg", of_sweep(sweep)), &question);
        Command::acai(&["plot", "sheet", sweep])
            .option("x", Some(x))
            .option("y", Some(y))
            .option("seed", Some(&self.seed.to_string()))
            .option("name", Some(&self.film.name).filter(|name| *name != USUAL).map(String::as_str))
            .option("where", filter)
            .option("dataset", Some(&table.dataset))
            .word("-o sheet.svg")
            .shown(&[Form::File("SVG", svg)])
    }
}
