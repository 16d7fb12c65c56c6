//! How groups are told apart: by colour, and without it by dashes or by the shape of a marker.

use crate::colour::{PALETTE, PAPER};
use crate::svg::{Element, Path};

/// Of a line, in points; the first is drawn through.
const DASHES: [&str; 6] = ["", "5 2", "1.5 1.5", "6 1.5 1.5 1.5", "3 1.5", "8 2 1.5 2 1.5 2"];

/// Shapes of markers, that differ in grey as well.
const MARKERS: [Marker; 5] = [
    Marker::Circle,
    Marker::Polygon(&[[-0.9, -0.9], [0.9, -0.9], [0.9, 0.9], [-0.9, 0.9]]),
    Marker::Polygon(&[[0.0, -1.2], [1.15, 0.85], [-1.15, 0.85]]),
    Marker::Polygon(&[[0.0, -1.3], [1.1, 0.0], [0.0, 1.3], [-1.1, 0.0]]),
    Marker::Polygon(&[[0.0, 1.2], [1.15, -0.85], [-1.15, -0.85]]),
];

#[derive(Debug, Clone, Copy)]
enum Marker {
    Circle,
    /// Corners in multiples of the circle's radius.
    Polygon(&'static [[f64; 2]]),
}

/// The look of a group, by its place among the groups. Seven colours go with six dashes and five shapes, so that it
/// takes dozens of groups before two look the same.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    index: usize,
}

impl Look {
    pub(crate) fn of(index: usize) -> Look {
        Look { index }
    }

    pub(crate) fn colour(self) -> &'static str {
        PALETTE[self.index % PALETTE.len()]
    }

    /// `KIND` and the number of the colour, by which a page may restyle it.
    pub(crate) fn class(self, kind: &str) -> String {
        format!("{kind} plot-series-{}", self.index % PALETTE.len())
    }

    /// A line of `width` points in the group's colour and dashes.
    pub(crate) fn line(self, class: &str, path: &Path, width: f64) -> Element {
        let dashes = DASHES[self.index % DASHES.len()];
        let line = Element::path(path).class(&self.class(class)).fill("none").stroke(self.colour(), width);
        if dashes.is_empty() { line } else { line.word("stroke-dasharray", dashes) }
    }

    /// The group's shape in its colour, with an edge that keeps it apart from what lies beneath.
    pub(crate) fn marker(self, class: &str, [x, y]: [f64; 2], radius: f64) -> Element {
        let shape = match MARKERS[self.index % MARKERS.len()] {
            Marker::Circle => Element::circle([x, y], radius),
            Marker::Polygon(corners) => {
                let mut path =
                    Path::through(corners.iter().map(|[dx, dy]| [x + dx * radius, y + dy * radius]));
                path.close();
                Element::path(&path)
            }
        };
        shape.class(&self.class(class)).fill(self.colour()).stroke(PAPER, 0.4)
    }
}
