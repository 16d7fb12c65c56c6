//! A rectangle that data is drawn in.

use crate::svg::Element;

/// In points from the upper left corner of the figure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Area {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

impl Area {
    pub(crate) fn right(&self) -> f64 {
        self.left + self.width
    }

    pub(crate) fn bottom(&self) -> f64 {
        self.top + self.height
    }

    /// From 0 at the left to 1 at the right.
    pub(crate) fn x(&self, position: f64) -> f64 {
        self.left + position * self.width
    }

    /// From 0 at the bottom to 1 at the top.
    pub(crate) fn y(&self, position: f64) -> f64 {
        self.bottom() - position * self.height
    }

    /// As seen on the figure.
    pub(crate) fn rectangle(&self, class: &str) -> Element {
        Element::new("rect")
            .class(class)
            .number("x", self.left)
            .number("y", self.top)
            .number("width", self.width)
            .number("height", self.height)
    }

    /// The rectangle with `margin` cut off on each side.
    pub(crate) fn inside(&self, margin: f64) -> Area {
        Area {
            left: self.left + margin,
            top: self.top + margin,
            width: (self.width - 2.0 * margin).max(0.0),
            height: (self.height - 2.0 * margin).max(0.0),
        }
    }
}
