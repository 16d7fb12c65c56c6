//! A cell of a heat map: its colour, its hatching and its numbers.

use crate::area::Area;
use crate::colour::{Colour, FAINT_INK, INK, NO_VALUE, PAPER};
use crate::heat_map::numbers::{Layout, Numbers};
use crate::svg::{Element, Path};
use crate::text::{Anchor, LEADING, MIDDLE, label, width};

/// Between lines of hatching, in points.
const HATCHING: f64 = 4.0;
/// A cell that has runs.
pub(crate) struct CellDrawing<'a> {
    pub(crate) area: Area,
    /// `None` where there is no value, or none that has a colour.
    pub(crate) colour: Option<Colour>,
    pub(crate) is_complete: bool,
    pub(crate) numbers: &'a Numbers,
    pub(crate) layout: Option<Layout>,
    pub(crate) title: String,
}

impl CellDrawing<'_> {
    pub(crate) fn draw(self) -> Element {
        let fill = self.colour.map_or_else(|| NO_VALUE.to_owned(), Colour::hex);
        let ink = self.colour.map_or(INK, Colour::ink);
        let kind = if self.is_complete { "plot-cell" } else { "plot-cell plot-incomplete" };
        let edge = (self.area.width.min(self.area.height) * 0.05).min(0.6);
        let mut cell = Element::group(kind)
            .title(self.title)
            .child(self.area.rectangle("plot-colour").fill(&fill).stroke(PAPER, edge));
        if !self.is_complete {
            cell = cell.child(hatching(&self.area, ink));
        }
        let Some(layout) = self.layout else { return cell };
        let lines = layout.text(self.numbers);
        let line_height = layout.size * LEADING;
        for (at, line) in lines.iter().enumerate() {
            let [x, y] = [self.area.x(0.5), self.area.y(0.5)];
            let y = y + (at as f64 - (lines.len() - 1) as f64 / 2.0) * line_height;
            if !self.is_complete {
                // Hatching does not run through digits.
                let half = width(line, layout.size) / 2.0 + 1.0;
                let plate = Area {
                    left: x - half,
                    top: y - line_height / 2.0,
                    width: 2.0 * half,
                    height: line_height,
                };
                cell = cell.child(plate.rectangle("plot-plate").fill(&fill));
            }
            let place = [x, y + layout.size * MIDDLE];
            cell = cell.child(label("plot-number", line, place, layout.size, Anchor::Middle).fill(ink));
        }
        cell
    }
}

/// Slanting lines over an area, that end at its edges.
pub(crate) fn hatching(area: &Area, ink: &str) -> Element {
    let (width, height) = (area.width, area.height);
    let distance = (HATCHING * std::f64::consts::SQRT_2).min((width + height) / 2.0);
    let lines = ((width + height) / distance) as usize;
    let mut path = Path::default();
    for at in 1..=lines {
        let length = at as f64 * distance;
        let (across, down) = (length.min(width), length.min(height));
        path.move_to([area.left + across, area.top + (length - across)]);
        path.line_to([area.left + (length - down), area.top + down]);
    }
    Element::path(&path).class("plot-hatching").fill("none").stroke(ink, 0.7)
}

/// A cell without runs: paper, and a dash where there is room.
pub(crate) fn empty(area: &Area, title: String) -> Element {
    let (x, y, half) = (area.x(0.5), area.y(0.5), (area.width / 4.0).min(3.0));
    Element::group("plot-cell plot-empty")
        .title(title)
        .child(area.inside(0.3).rectangle("plot-colour").fill(PAPER).stroke("#BFBFBF", 0.5))
        .child(Element::line([x - half, y], [x + half, y]).stroke(FAINT_INK, 0.6))
}

/// A frame that is seen on light and dark colours, and leaves room for one of these.
pub(crate) fn best_frame(area: &Area) -> Element {
    let frame = |margin: f64, colour: &str, width: f64| {
        area.inside(margin).rectangle("plot-best").fill("none").stroke(colour, width)
    };
    let dark = frame(0.0, INK, 1.8);
    let light = (area.width.min(area.height) >= 6.0).then(|| frame(1.4, PAPER, 1.0));
    Element::group("plot-best").child(dark).children(light)
}
