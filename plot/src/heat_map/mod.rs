//! A metric over two parameters: a cell for each pair of values.

mod cell;
mod colour_bar;
mod dimension;
mod drawing;
mod grid;
mod numbers;

use acai_sweep::metric::Goal;
use acai_sweep::scalar::Scalar;

pub use crate::heat_map::dimension::Dimension;
use crate::heat_map::drawing::Drawing;
use crate::page::Width;
use crate::quantity::Quantity;
use acai_sweep::statistics::Spread;

/// A metric over two parameters. Numbers are laid out by size, from left to right and from the bottom to the top; words
/// in the order in which they come, from left to right and from the top to the bottom.
#[derive(Debug, Clone, PartialEq)]
pub struct HeatMap {
    /// Above the figure; none if empty.
    pub title: String,
    /// The parameter from left to right.
    pub x: String,
    /// The parameter from the bottom to the top.
    pub y: String,
    /// What the colours show.
    pub metric: Quantity,
    /// What follows ± in the cells.
    pub spread: Spread,
    /// Which cells are marked as the best; none without it.
    pub goal: Option<Goal>,
    /// One for each pair of values that has runs. Of several for the same pair the last counts.
    pub cells: Vec<Cell>,
    /// Of the figure.
    pub width: Width,
}

/// The runs of a pair of values.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// Of the parameter from left to right.
    pub x: Scalar,
    /// Of the parameter from the bottom to the top.
    pub y: Scalar,
    /// In the unit of the metric; not finite where no run has a value.
    pub mean: f64,
    /// What follows ±, in the unit of the metric; not finite where it is not known.
    pub spread: f64,
    /// Runs that have a value.
    pub n: usize,
    /// Runs that there are. The cell is incomplete, and hatched, if they are more than `n`.
    pub runs: usize,
    /// Why runs have no value, such as `2 diverged`; may be empty.
    pub why: String,
}

impl HeatMap {
    /// The figure, the same bytes for the same data.
    #[must_use]
    pub fn to_svg(&self) -> String {
        Drawing::of(self).to_svg()
    }
}

impl Cell {
    /// The mean, if there is one.
    fn value(&self) -> Option<f64> {
        Some(self.mean).filter(|mean| mean.is_finite() && self.n > 0)
    }

    fn is_complete(&self) -> bool {
        self.n >= self.runs && self.value().is_some()
    }
}
