//! Rows in the order of a column.

use acai_sweep::results::{Row, Table};
use acai_sweep::scalar::Scalar;
use acai_sweep::spelling::did_you_mean;

use crate::asked::Question;
use crate::problem::{Problem, Result};

/// How many runs are completed.
pub(crate) const N: &str = "n";

/// A column, and whether the largest comes first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Order {
    column: String,
    is_descending: bool,
}

/// What rows are compared by: numbers before words.
#[derive(PartialEq, PartialOrd)]
enum Key {
    Number(f64),
    Word(String),
}

impl Order {
    /// As the question asks for, if it does: `sort=lambda`, or `sort=-lambda` for the largest first.
    pub(crate) fn of(question: &Question) -> Option<Order> {
        let word = question.get("sort")?;
        let (column, is_descending) = word.strip_prefix('-').map_or((word, false), |column| (column, true));
        Some(Order { column: column.to_owned(), is_descending })
    }

    /// As the command line has it.
    pub(crate) fn word(&self) -> String {
        format!("{}{}", if self.is_descending { "-" } else { "" }, self.column)
    }

    /// Sorts the rows of these tables. One that lacks the column stays as it is, where another has it.
    pub(crate) fn sort(&self, tables: &mut [Table]) -> Result<()> {
        let columns = |table: &Table| {
            let metrics = table.metrics.iter().map(|metric| metric.name.clone());
            table.group_by.iter().cloned().chain(metrics).chain([N.to_owned()]).collect::<Vec<_>>()
        };
        let known: Vec<String> = tables.iter().flat_map(columns).collect();
        if !tables.is_empty() && !known.contains(&self.column) {
            let hint = did_you_mean(&self.column, known.iter().map(String::as_str));
            let hint =
                hint.unwrap_or_else(|| format!("the headings are links that sort: {}", known.join(", ")));
            return Err(Problem::question(
                "sort",
                format!("names no column `{}`\nhint: {hint}", self.column),
            ));
        }
        for table in tables.iter_mut().filter(|table| columns(table).contains(&self.column)) {
            let metric = table.metrics.iter().position(|metric| metric.name == self.column);
            table.rows.sort_by(|a, b| match (self.key(a, metric), self.key(b, metric)) {
                (Some(a), Some(b)) => {
                    let (a, b) = if self.is_descending { (b, a) } else { (a, b) };
                    a.partial_cmp(&b).unwrap_or(std::cmp::Ordering::Equal)
                }
                // What has no value is last either way.
                (a, b) => b.is_some().cmp(&a.is_some()),
            });
        }
        Ok(())
    }

    fn key(&self, row: &Row, metric: Option<usize>) -> Option<Key> {
        match metric {
            Some(place) => Some(Key::Number(row.aggregates.get(place).copied().flatten()?.mean)),
            None if self.column == N => Some(Key::Number(row.completed as f64)),
            None => Some(match row.group.iter().find(|(name, _)| *name == self.column)?.1.clone() {
                Scalar::Int(value) => Key::Number(value as f64),
                Scalar::Float(value) => Key::Number(value),
                Scalar::Word(word) => Key::Word(word),
            }),
        }
    }

    /// How this column is sorted, in the word of a heading, and what asks for the other way.
    pub(crate) fn heading(order: Option<&Order>, column: &str) -> (Option<&'static str>, String) {
        match order.filter(|order| order.column == column) {
            Some(Order { is_descending: true, .. }) => (Some("descending"), column.to_owned()),
            Some(_) => (Some("ascending"), format!("-{column}")),
            None => (None, column.to_owned()),
        }
    }
}
