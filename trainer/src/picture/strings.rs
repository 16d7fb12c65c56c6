//! Strings as text, a line each.

use std::fmt::Write as _;

use tch::Tensor;

use crate::data::strings::texts;
use crate::medium::most_likely;

/// The most likely strings of examples `[rows, columns, symbols, 1, 32]`: a row's below each other, each behind what its column
/// is called, and a line without text between rows.
#[must_use]
pub fn strips(columns: &[String], rows: &Tensor) -> String {
    let widest = columns.iter().map(|column| column.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for row in 0..rows.size()[0] {
        if row > 0 {
            text.push('\n');
        }
        for (column, string) in columns.iter().zip(texts(&most_likely(&rows.get(row)))) {
            let _ = writeln!(text, "{column:widest$}  {string}");
        }
    }
    text
}
