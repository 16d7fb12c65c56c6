//! Rows of a table laid out by two parameters, a row a cell.

use std::collections::HashMap;

use acai_plot::Dimension;
use acai_sweep::results::{Row, Table};
use acai_sweep::scalar::Scalar;

pub(super) struct Grid<'t> {
    pub(super) columns: Dimension,
    pub(super) rows: Dimension,
    /// By column and row; where several rows of the table have one place, the first of them.
    cells: HashMap<(usize, usize), &'t Row>,
}

impl<'t> Grid<'t> {
    pub(super) fn of(table: &'t Table, [x, y]: [&str; 2]) -> Grid<'t> {
        let columns = Dimension::of(table.rows.iter().filter_map(|row| value(row, x)));
        let rows = Dimension::of(table.rows.iter().filter_map(|row| value(row, y)));
        let mut cells = HashMap::new();
        for row in &table.rows {
            let place = |name: &str, dimension: &Dimension| dimension.place(value(row, name)?);
            if let (Some(column), Some(line)) = (place(x, &columns), place(y, &rows)) {
                cells.entry((column, line)).or_insert(row);
            }
        }
        Grid { columns, rows, cells }
    }

    pub(super) fn at(&self, column: usize, row: usize) -> Option<&'t Row> {
        self.cells.get(&(column, row)).copied()
    }
}

fn value<'r>(row: &'r Row, name: &str) -> Option<&'r Scalar> {
    row.group.iter().find(|(known, _)| known == name).map(|(_, value)| value)
}
