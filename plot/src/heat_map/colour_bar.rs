//! What the colours of a heat map mean.

use crate::area::Area;
use crate::axis::{self, BESIDE_LABELS, Side, label_width};
use crate::colour::{Colour, FAINT_INK};
use crate::quantity::Quantity;
use crate::svg::Element;
use crate::ticks::Ticks;

/// In points.
const WIDTH: f64 = 8.0;
/// Between the cells and the bar, in points.
const GAP: f64 = 7.0;
/// Steps of colour, too many to be seen.
const STEPS: usize = 64;

/// What the bar takes beside the cells, in points.
pub(crate) fn room(ticks: &Ticks) -> f64 {
    GAP + WIDTH + BESIDE_LABELS + label_width(ticks)
}

/// A bar on the right of the cells, as high as these.
pub(crate) fn draw(cells: &Area, ticks: &Ticks, quantity: &Quantity) -> Element {
    let area = Area { left: cells.right() + GAP, width: WIDTH, ..*cells };
    let step = |at: usize| {
        let share = |at: usize| at as f64 / STEPS as f64;
        let top = area.y(share(at + 1));
        // Each step reaches to the bottom, under those before, so that no seams show.
        let height = area.bottom() - top;
        let colour = Colour::at(at as f64 / (STEPS - 1) as f64);
        Area { top, height, ..area }.rectangle("plot-colour").fill(&colour.hex())
    };
    Element::group("plot-colour-bar")
        .children((0..STEPS).rev().map(step))
        .child(area.rectangle("plot-frame").fill("none").stroke(FAINT_INK, 0.5))
        .child(axis::beside(&area, ticks, quantity, Side::Right))
}
