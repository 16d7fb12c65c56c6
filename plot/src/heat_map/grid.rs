//! Where the cells of a heat map are.

use std::collections::BTreeMap;

use crate::area::Area;
use crate::categories::Names;
use crate::heat_map::dimension::{Dimension, Spacing};
use crate::heat_map::{Cell, HeatMap};

/// Row and column, counted from 0 at the upper left corner.
pub(crate) type Place = (usize, usize);

/// The cells by their places.
#[derive(Debug)]
pub(crate) struct Grid<'a> {
    figure: &'a HeatMap,
    columns: Dimension,
    rows: Dimension,
    /// From the top to the bottom.
    row_names: Vec<String>,
    /// Those that have runs.
    pub(crate) cells: BTreeMap<Place, &'a Cell>,
}

impl<'a> Grid<'a> {
    pub(crate) fn of(figure: &'a HeatMap) -> Grid<'a> {
        let columns = Dimension::of(figure.cells.iter().map(|cell| &cell.x));
        let rows = Dimension::of(figure.cells.iter().map(|cell| &cell.y));
        let mut row_names = rows.names.clone();
        if rows.are_numbers() {
            row_names.reverse();
        }
        let row = |cell: &Cell| {
            let place = rows.place(&cell.y)?;
            Some(if rows.are_numbers() { rows.len() - 1 - place } else { place })
        };
        let place = |cell: &'a Cell| Some(((row(cell)?, columns.place(&cell.x)?), cell));
        let cells =
            figure.cells.iter().filter(|cell| cell.runs > 0 || cell.n > 0).filter_map(place).collect();
        Grid { figure, columns, rows, row_names, cells }
    }

    /// How many rows there are, or one if there are none, for dividing by.
    pub(crate) fn row_count(&self) -> f64 {
        self.rows.len().max(1) as f64
    }

    /// As [`row_count`](Self::row_count).
    pub(crate) fn column_count(&self) -> f64 {
        self.columns.len().max(1) as f64
    }

    pub(crate) fn row_names(&self) -> Names<'_> {
        Names { names: &self.row_names, are_ticks: self.rows.spacing != Spacing::Categorical }
    }

    pub(crate) fn column_names(&self) -> Names<'_> {
        Names { names: &self.columns.names, are_ticks: self.columns.spacing != Spacing::Categorical }
    }

    /// The name of the axis at the bottom.
    pub(crate) fn x_name(&self) -> String {
        self.columns.axis_name(&self.figure.x)
    }

    /// The name of the axis at the left.
    pub(crate) fn y_name(&self) -> String {
        self.rows.axis_name(&self.figure.y)
    }

    /// `lambda = 0.5, gamma = 0.2`
    pub(crate) fn title(&self, (row, column): Place) -> String {
        let name = |names: &[String], at: usize| names.get(at).cloned().unwrap_or_default();
        let (x, y) = (name(&self.columns.names, column), name(&self.row_names, row));
        format!("{} = {x}, {} = {y}", self.figure.x, self.figure.y)
    }

    /// How many places have no runs.
    pub(crate) fn empty_count(&self) -> usize {
        (self.rows.len() * self.columns.len()).saturating_sub(self.cells.len())
    }

    /// Those without runs.
    pub(crate) fn empty_places(&self) -> impl Iterator<Item = Place> {
        let columns = self.columns.len();
        let places = (0..self.rows.len()).flat_map(move |row| (0..columns).map(move |column| (row, column)));
        places.filter(|place| !self.cells.contains_key(place))
    }

    /// The part of the whole that a cell has.
    pub(crate) fn area(&self, whole: &Area, (row, column): Place) -> Area {
        let (width, height) = (whole.width / self.column_count(), whole.height / self.row_count());
        Area { left: whole.left + column as f64 * width, top: whole.top + row as f64 * height, width, height }
    }
}
