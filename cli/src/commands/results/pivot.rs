//! Tables with a row for each value of some parameters and a column for each value of another. The dataset may be among them,
//! and so may the metric, as if both were parameters.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use acai_sweep::metric::Goal;
use acai_sweep::parameters::{Kind, Parameter};
use acai_sweep::results::{Aggregate, Row, Table};
use acai_sweep::training::Dataset;
use acai_tables::{Cell, Column, Compared, Figure, Line, Sheet, Style, Unit, value, why};
use anyhow::bail;

use super::{Question, all_parameters, ask, tables_of};
use crate::args::Pivot;
use crate::client::Client;
use crate::failure::Failure;
use crate::sorting::Key;

const DATASET: &str = "dataset";
const METRIC: &str = "metric";

/// The parameters that make a cell, after those that make a table of their own.
pub(super) fn group_by(pivot: &Pivot, asked: &[String]) -> Vec<String> {
    let own = || pivot.rows.iter().chain([&pivot.columns]);
    let others = asked.iter().filter(|name| own().all(|own| own != *name));
    others.chain(own()).filter(|name| ![DATASET, METRIC].contains(&name.as_str())).cloned().collect()
}

/// The value of a parameter, as text; empty where a row has none.
fn of(row: &Row, name: &str) -> String {
    row.group.iter().find(|(known, _)| known == name).map(|(_, it)| value(it)).unwrap_or_default()
}

/// Refuses cells in which runs differ in more than their seeds. The question's rows are the cells.
pub(super) async fn check(client: &mut Client, question: &Question<'_>) -> Result<(), Failure> {
    let group_by = all_parameters(client, question.sweeps).await?;
    let whole = ask(client, &Question { group_by, ..question.clone() }).await?;
    for table in &tables_of(&whole)? {
        let mut cells: BTreeMap<Vec<String>, &Row> = BTreeMap::new();
        for row in &table.rows {
            let cell: Vec<String> = question.group_by.iter().map(|name| of(row, name)).collect();
            match cells.get(&cell) {
                None => drop(cells.insert(cell, row)),
                Some(first) => differ(table, question, first, row)?,
            }
        }
    }
    Ok(())
}

/// Says in what two rows differ that are in one cell.
fn differ(table: &Table, question: &Question<'_>, a: &Row, b: &Row) -> anyhow::Result<()> {
    let Some(name) = table.group_by.iter().find(|name| of(a, name) != of(b, name)) else { return Ok(()) };
    let cell: Vec<String> = question.group_by.iter().map(|name| format!("{name}={}", of(a, name))).collect();
    let shown = |value: String| if value.is_empty() { "none".to_owned() } else { value };
    bail!(
        "runs of one cell ({}, {}) differ in `{name}`: {} and {}\nhint: --group-by {name} makes a table for each of its values, and --where '{name} = {}' chooses one",
        table.dataset,
        cell.join(", "),
        shown(of(a, name)),
        shown(of(b, name)),
        shown(of(a, name))
    )
}

/// A figure of a pivoted table: a metric of a row of the coordinator's table.
#[derive(Clone, Copy)]
struct Entry<'t> {
    table: &'t Table,
    row: &'t Row,
    /// Its place among the table's metrics.
    metric: usize,
}

impl Entry<'_> {
    fn field(&self, name: &str) -> String {
        match name {
            DATASET => self.table.dataset.clone(),
            METRIC => self.metric().0,
            name => of(self.row, name),
        }
    }

    fn metric(&self) -> (String, Option<Goal>) {
        let metric = self.table.metrics.get(self.metric);
        metric.map(|metric| (metric.name.clone(), metric.goal)).unwrap_or_default()
    }

    fn aggregate(&self) -> Option<&Aggregate> {
        self.row.aggregates.get(self.metric)?.as_ref()
    }

    /// The cell's row, as its values.
    fn down(&self, pivot: &Pivot) -> Vec<String> {
        pivot.rows.iter().map(|name| self.field(name)).collect()
    }
}

/// How a table is drawn.
pub(super) struct Drawing<'d> {
    pub(super) pivot: &'d Pivot,
    pub(super) style: &'d Style,
    /// The unit of figures that compare.
    pub(super) unit: &'d dyn Fn(&[&Aggregate]) -> Unit,
    /// Datasets that no worker has.
    pub(super) waiting: &'d [String],
}

impl Pivot {
    fn has(&self, name: &str) -> bool {
        self.columns == name || self.rows.iter().any(|row| row == name)
    }

    /// Figures of different datasets or metrics do not compare.
    fn compared(&self) -> Compared {
        let differs = |name: &String| [DATASET, METRIC].contains(&name.as_str());
        match (self.rows.iter().any(differs), differs(&self.columns)) {
            (false, false) => Compared::All,
            (true, false) => Compared::EachRow,
            (false, true) => Compared::EachColumn,
            (true, true) => Compared::None,
        }
    }
}

/// The tables: one for each dataset, unless that is pivoted, and each value of the other parameters that make a row.
pub(super) fn sheets(tables: &[Table], drawing: &Drawing<'_>) -> Vec<Sheet> {
    let mut parts: Vec<((usize, String), Vec<Entry<'_>>)> = Vec::new();
    for (place, table) in tables.iter().enumerate() {
        let others = table.group_by.iter().filter(|name| !drawing.pivot.has(name));
        let others: Vec<&String> = others.collect();
        let metrics = if drawing.pivot.has(METRIC) { table.metrics.len() } else { 1 };
        for row in &table.rows {
            let part = others.iter().map(|name| format!("{name}={}", of(row, name)));
            let part = part.collect::<Vec<_>>().join(", ");
            let key = (if drawing.pivot.has(DATASET) { 0 } else { place }, part);
            let entries = (0..metrics).map(|metric| Entry { table, row, metric });
            match parts.iter_mut().find(|(known, _)| *known == key) {
                Some((_, known)) => known.extend(entries),
                None => parts.push((key, entries.collect())),
            }
        }
    }
    parts.sort_by(|(a, _), (b, _)| a.cmp(b));
    parts.retain(|(_, entries)| !entries.is_empty());
    parts.into_iter().map(|((_, part), entries)| sheet(part, &entries, drawing)).collect()
}

fn sheet(part: String, entries: &[Entry<'_>], drawing: &Drawing<'_>) -> Sheet {
    let Drawing { pivot, .. } = drawing;
    let (n, best, units) = (common_n(entries), best(entries, drawing), units(entries, drawing));
    let places = places(entries, pivot);
    let cell = |down: &[String], across: &String| {
        let place = *places.get(down)?.get(across)?;
        let figure = figure(&entries[place], n, (unit(&entries[place], &units), drawing))?;
        Some(Figure { is_best: best[place], ..figure })
    };
    let across = values(entries, &pivot.columns);
    let headings = across.iter().map(|value| heading(value, (entries, &units), pivot));
    let columns = pivot.rows.iter().cloned().map(Column::Parameter).chain(headings).collect();
    let line = |down: &Vec<String>| {
        let labels = pivot.rows.iter().zip(down).map(|(name, value)| label(name, value, entries, &units));
        let figures = across.iter().map(|across| cell(down, across).map_or(Cell::Empty, Cell::Figure));
        Line { is_best: false, cells: labels.chain(figures).collect() }
    };
    Sheet {
        dataset: if pivot.has(DATASET) { String::new() } else { entries[0].table.dataset.clone() },
        part,
        columns,
        lines: rows(entries, pivot).iter().map(line).collect(),
        first: Some(entries[0].metric()).filter(|(name, _)| !pivot.has(METRIC) && !name.is_empty()),
        compared: pivot.compared(),
        n,
    }
}

/// Where the entry of a cell is: by the cell's row, then by its column. Of several in a cell it is the first.
fn places(entries: &[Entry<'_>], pivot: &Pivot) -> BTreeMap<Vec<String>, BTreeMap<String, usize>> {
    let mut places: BTreeMap<Vec<String>, BTreeMap<String, usize>> = BTreeMap::new();
    for (place, entry) in entries.iter().enumerate() {
        let row = places.entry(entry.down(pivot)).or_default();
        row.entry(entry.field(&pivot.columns)).or_insert(place);
    }
    places
}

/// The figure of an entry; `n` is how many runs most are of.
fn figure(entry: &Entry<'_>, n: Option<usize>, (unit, drawing): (Unit, &Drawing<'_>)) -> Option<Figure> {
    let (row, aggregate) = (entry.row, entry.aggregate()?);
    let figure = drawing.style.figure(aggregate, row.completed, unit);
    let why = why(row, &entry.table.dataset, drawing.waiting);
    let why = why.unwrap_or_else(|| "the others have no value".to_owned());
    let note = (aggregate.n < row.runs).then(|| format!("{} of {} runs: {why}", aggregate.n, row.runs));
    Some(Figure { n: Some(aggregate.n).filter(|own| n != Some(*own)), note, ..figure })
}

/// The unit of each metric: that of all its figures.
fn units(entries: &[Entry<'_>], drawing: &Drawing<'_>) -> BTreeMap<String, Unit> {
    let mut figures: BTreeMap<String, Vec<&Aggregate>> = BTreeMap::new();
    for entry in entries {
        figures.entry(entry.metric().0).or_default().extend(entry.aggregate());
    }
    figures.into_iter().map(|(metric, figures)| (metric, (drawing.unit)(&figures))).collect()
}

/// The unit of an entry: that of its metric.
fn unit(entry: &Entry<'_>, units: &BTreeMap<String, Unit>) -> Unit {
    units.get(&entry.metric().0).copied().unwrap_or(Unit::ONE)
}

/// An entry of the metric that a row or a column is about, if metrics are pivoted there.
fn of_metric<'e, 't>(field: &str, value: &str, entries: &'e [Entry<'t>]) -> Option<&'e Entry<'t>> {
    entries.iter().find(|entry| field == METRIC && entry.metric().0 == value)
}

/// The heading of a column.
fn heading(value: &str, (entries, units): (&[Entry<'_>], &BTreeMap<String, Unit>), pivot: &Pivot) -> Column {
    let name = &pivot.columns;
    match of_metric(name, value, entries) {
        Some(entry) => {
            let ((name, goal), unit) = (entry.metric(), unit(entry, units));
            Column::Metric { name, goal, of: None, unit }
        }
        None => {
            // A row that is about a metric says its own.
            let unit = if pivot.has(METRIC) { Unit::ONE } else { unit(&entries[0], units) };
            let parameter =
                Some(name.clone()).filter(|_| matches!(Key::from(value.to_owned()), Key::Number(_)));
            Column::At { parameter, value: value.to_owned(), unit }
        }
    }
}

/// What stands before a row.
fn label(name: &str, value: &str, entries: &[Entry<'_>], units: &BTreeMap<String, Unit>) -> Cell {
    match of_metric(name, value, entries) {
        Some(entry) => {
            let ((name, goal), unit) = (entry.metric(), unit(entry, units));
            Cell::Metric { name, goal, unit }
        }
        None => Cell::Text(value.to_owned()),
    }
}

/// Which entries are best among those that they compare with.
fn best(entries: &[Entry<'_>], drawing: &Drawing<'_>) -> Vec<bool> {
    let key = |entry: &Entry<'_>| match drawing.pivot.compared() {
        Compared::All => Vec::new(),
        Compared::EachRow => entry.down(drawing.pivot),
        Compared::EachColumn => vec![entry.field(&drawing.pivot.columns)],
        Compared::None => [entry.down(drawing.pivot), vec![entry.field(&drawing.pivot.columns)]].concat(),
    };
    let mut groups: BTreeMap<Vec<String>, Vec<usize>> = BTreeMap::new();
    for (place, entry) in entries.iter().enumerate() {
        groups.entry(key(entry)).or_default().push(place);
    }
    let mut best = vec![false; entries.len()];
    for group in groups.into_values().filter(|_| drawing.pivot.compared() != Compared::None) {
        let rows: Vec<&Row> = group.iter().map(|&place| entries[place].row).collect();
        let (first, (_, goal)) = (entries[group[0]].metric, entries[group[0]].metric());
        for (place, is_best) in group.into_iter().zip(drawing.style.best(&rows, first, goal)) {
            best[place] = is_best;
        }
    }
    best
}

/// How many runs the figures are of that lack none, if they agree.
fn common_n(entries: &[Entry<'_>]) -> Option<usize> {
    let of =
        |entry: &Entry<'_>| entry.aggregate().map(|aggregate| aggregate.n).filter(|n| *n == entry.row.runs);
    let mut ns = entries.iter().filter_map(of);
    let first = ns.next()?;
    ns.all(|n| n == first).then_some(first)
}

/// The rows of a table, in the order of their values.
fn rows(entries: &[Entry<'_>], pivot: &Pivot) -> Vec<Vec<String>> {
    let order = |name: &String| values(entries, name).into_iter().zip(0..).collect();
    let order: Vec<BTreeMap<String, usize>> = pivot.rows.iter().map(order).collect();
    let places = |down: &Vec<String>| -> Vec<Option<usize>> {
        down.iter().zip(&order).map(|(value, order)| order.get(value).copied()).collect()
    };
    let mut rows: Vec<Vec<String>> = entries.iter().map(|entry| entry.down(pivot)).collect();
    rows.sort_by_cached_key(places);
    rows.dedup();
    rows
}

/// The values of a field: metrics in the tables' order, numbers in theirs, and words as they are declared.
fn values(entries: &[Entry<'_>], name: &str) -> Vec<String> {
    let mut known = BTreeSet::new();
    let fields = entries.iter().map(|entry| entry.field(name));
    let mut values: Vec<String> = fields.filter(|value| known.insert(value.clone())).collect();
    if name != METRIC {
        values.sort_by(|a, b| order(name, a, b));
    }
    values
}

fn order(name: &str, a: &str, b: &str) -> Ordering {
    let declared = |value: &str| match Parameter::find(name).map(|parameter| &parameter.kind) {
        Ok(Kind::Word(words)) => words.iter().position(|word| *word == value),
        Ok(Kind::Dataset) => Dataset::NAMED.iter().position(|dataset| dataset.name() == value),
        _ => None,
    };
    match (declared(a), declared(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        (a, b) if a.is_some() != b.is_some() => b.is_some().cmp(&a.is_some()),
        _ => Key::from(a.to_owned()).order(&Key::from(b.to_owned())),
    }
}
