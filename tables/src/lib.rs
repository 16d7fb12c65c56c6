//! Tables of results, as people, papers and programs read them: pure functions from the rows of
//! [`acai_sweep::results`] to text. The command line and the dashboard print the same.
//!
//! A [`Sheet`] has the headings and cells that a format draws, such as [`latex`]; a [`Style`] says how figures are shown in
//! it. [`csv`] has every figure with all its digits, and needs neither.

mod figure;
mod flat;
mod latex;
mod missing;
mod power;
mod sheet;
mod style;

pub use figure::{Digits, figure, number, value};
pub use flat::{csv, same_everywhere};
pub use latex::{latex, unit};
pub use missing::why;
pub use sheet::{Cell, Column, Compared, Figure, Line, Sheet, Unit};
pub use style::{Aggregation, Best, Scale, Style};
