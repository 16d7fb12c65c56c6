//! Figures that go into a paper as they are, and onto a page: pure functions from data to SVG.
//!
//! - [`HeatMap`]: a metric over two parameters; [`Curves`]: over training; [`Scatter`]: against another metric;
//!   [`Strip`]: by group, a dot a run.
//! - [`Quantity`]: what an axis measures, and whether on a [log](Scaling) scale; [`Interval`], [`Band`] and [`Spread`]:
//!   means, and what is drawn around them. Nothing is computed here but places: whoever asks for a figure brings the
//!   means, and says what they are, which the figure then says.
//!
//! A figure is as [wide](Width) as one column of a paper or two, and all its coordinates are in points of 1/72 inch, so
//! that its letters have 5.5 to 8 points in print. It is XML that stands alone: no scripts, no style sheet, no ids, so
//! that any number of figures fit one page. Looks are attributes, which a page's style sheet overrides by the classes,
//! that all begin with `plot`: `.plot-ground` is the paper, `.plot-mean.plot-series-0` the mean of the first group.
//! Text is text, in whatever font without serifs there is. The same data gives the same bytes.
//!
//! Any data gives a figure: values that have no place, such as NaN, or 0 on a log scale, are left out, and the figure
//! says how many.

mod area;
mod axis;
mod broken_line;
mod categories;
mod colour;
mod contact_sheet;
mod curves;
mod heat_map;
mod interval;
mod legend;
mod look;
mod number;
mod omitted;
mod page;
mod quantity;
mod scale;
mod scatter;
mod strip;
mod svg;
mod text;
mod ticks;
mod viridis;

pub use acai_sweep::statistics::Spread;
pub use colour::shade;
pub use contact_sheet::{ContactSheet, Picture};
pub use curves::{CurveGroup, Curves, MeanPoint, Progress};
pub use heat_map::{Cell, Dimension, HeatMap};
pub use interval::{Band, Interval};
pub use number::figure;
pub use page::Width;
pub use quantity::Quantity;
pub use scale::Scaling;
pub use scatter::{Cross, Scatter, ScatterGroup, ScatterPoint};
pub use strip::{Dot, Strip, StripGroup};
