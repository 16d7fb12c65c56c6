//! Axes of numbers: lines, ticks, labels and names.

use crate::area::Area;
use crate::colour::{FAINT_INK, GRID, INK};
use crate::page::{MARGIN, Page};
use crate::quantity::Quantity;
use crate::scale::Scale;
use crate::svg::Element;
use crate::text::{Anchor, LABEL_SIZE, MIDDLE, NAME_SIZE, fitted_label, label, no_values, width};
use crate::ticks::{Tick, Ticks, ticks};

/// Of a tick, in points.
const TICK: f64 = 3.0;
/// Between a tick and its label, and between labels and names, in points.
const GAP: f64 = 2.5;
/// Between two labels, in points.
const BETWEEN: f64 = 5.0;
/// What an axis of numbers takes below its area, in points.
pub(crate) const BELOW: f64 = TICK + GAP + LABEL_SIZE + GAP + NAME_SIZE + 2.0;
/// What the name of an axis takes beside its labels, in points.
pub(crate) const BESIDE_LABELS: f64 = NAME_SIZE + GAP + TICK + GAP;

/// Ticks whose labels do not touch along `length` points from left to right.
pub(crate) fn horizontal_ticks(scale: &Scale, length: f64) -> Ticks {
    let fits = |ticks: &Ticks| {
        ticks.major.windows(2).all(|pair| {
            let widths = pair.iter().map(|tick| width(&tick.label, LABEL_SIZE)).sum::<f64>() / 2.0;
            (pair[1].position - pair[0].position) * length >= widths + BETWEEN
        })
    };
    let most = ((length / 28.0) as usize).clamp(2, 12);
    (2..=most).rev().map(|most| ticks(scale, most)).find(fits).unwrap_or_else(|| ticks(scale, 1))
}

/// Ticks whose labels do not touch along `length` points from the bottom to the top.
pub(crate) fn vertical_ticks(scale: &Scale, length: f64) -> Ticks {
    ticks(scale, ((length / (LABEL_SIZE * 2.5)) as usize).clamp(1, 8))
}

/// Of the widest label, in points.
pub(crate) fn label_width(ticks: &Ticks) -> f64 {
    ticks.major.iter().map(|tick| width(&tick.label, LABEL_SIZE)).fold(0.0, f64::max)
}

/// Two axes of numbers, and the area between them.
pub(crate) struct Axes {
    pub(crate) area: Area,
    x: Ticks,
    y: Ticks,
    is_empty: bool,
    page_right: f64,
}

impl Axes {
    /// At the cursor of the page, which moves below them.
    pub(crate) fn lay_out(page: &mut Page, x: &Scale, y: &Scale, height: f64) -> Axes {
        let top = page.cursor + LABEL_SIZE / 2.0;
        let is_empty = x.is_empty || y.is_empty;
        let y = vertical_ticks(y, height);
        let left = MARGIN + BESIDE_LABELS + label_width(&y);
        let Room { left, width, ticks: x } = horizontal_room(x, left, page.right());
        page.cursor = top + height + BELOW;
        Axes { area: Area { left, top, width, height }, x, y, is_empty, page_right: page.right() }
    }

    /// Lines behind the data.
    pub(crate) fn grid(&self) -> Element {
        let x = self.x.major.iter().map(|tick| self.vertical_line(tick.position));
        let y = self.y.major.iter().map(|tick| {
            let y = self.area.y(tick.position);
            Element::line([self.area.left, y], [self.area.right(), y])
        });
        Element::group("plot-grid").stroke(GRID, 0.5).children(x.chain(y))
    }

    fn vertical_line(&self, position: f64) -> Element {
        let x = self.area.x(position);
        Element::line([x, self.area.top], [x, self.area.bottom()])
    }

    /// Both axes, with their names.
    pub(crate) fn draw(&self, x: &Quantity, y: &Quantity) -> Element {
        let axes = Element::group("plot-axes")
            .child(below(&self.area, self.page_right, &self.x, x))
            .child(beside(&self.area, &self.y, y, Side::Left));
        if self.is_empty { axes.child(no_values(&self.area)) } else { axes }
    }
}

/// Where an area with an axis of numbers below has room.
pub(crate) struct Room {
    /// In points from the left edge of the figure.
    pub(crate) left: f64,
    /// In points.
    pub(crate) width: f64,
    pub(crate) ticks: Ticks,
}

/// The room between `left` and `right` for an area whose first label may begin at the margin of the page, and whose
/// last label has to end at `right`.
pub(crate) fn horizontal_room(scale: &Scale, left: f64, right: f64) -> Room {
    let whole = right - left;
    // How much narrower the area is on its left and on its right if its labels take so much beyond its ends.
    let sides = |before: f64, after: f64| [(before - (left - MARGIN)).max(0.0), after.max(2.0)];
    let needed = |ticks: &Ticks, length: f64| {
        let half = |tick: &Tick| width(&tick.label, LABEL_SIZE) / 2.0;
        let before = ticks.major.iter().map(|tick| half(tick) - tick.position * length);
        let after = ticks.major.iter().map(|tick| half(tick) - (1.0 - tick.position) * length);
        sides(before.fold(0.0, f64::max), after.fold(0.0, f64::max))
    };
    let mut taken = needed(&horizontal_ticks(scale, whole), whole);
    loop {
        // On an axis without length labels reach half their width at the most, too, so that this ends.
        let length = (whole - taken[0] - taken[1]).max(0.0);
        let ticks = horizontal_ticks(scale, length);
        let needs = needed(&ticks, length);
        if needs[0] <= taken[0] && needs[1] <= taken[1] {
            return Room { left: left + taken[0], width: length, ticks };
        }
        // On a shorter axis labels reach further, and with other ticks too: never further than half their width, so
        // that no choice of ticks comes here twice.
        let half = label_width(&ticks) / 2.0;
        let most = sides(half, half);
        taken = [taken[0].max(most[0]), taken[1].max(most[1])];
    }
}

/// An axis under its area.
pub(crate) fn below(area: &Area, page_right: f64, ticks: &Ticks, quantity: &Quantity) -> Element {
    let y = area.bottom();
    let mut axis = Element::group("plot-axis");
    let tick = |position: f64, length: f64| {
        Element::line([area.x(position), y], [area.x(position), y + length]).stroke(FAINT_INK, 0.6)
    };
    axis = axis.child(Element::line([area.left, y], [area.right(), y]).stroke(FAINT_INK, 0.6));
    for &position in &ticks.minor {
        axis = axis.child(tick(position, TICK / 2.0));
    }
    for major in &ticks.major {
        let place = [area.x(major.position), y + TICK + GAP + LABEL_SIZE * 0.8];
        axis = axis
            .child(tick(major.position, TICK))
            .child(label("plot-tick", &major.label, place, LABEL_SIZE, Anchor::Middle).fill(INK));
    }
    let name_at = y + TICK + GAP + LABEL_SIZE + GAP + NAME_SIZE * 0.8;
    axis.child(name_below(area, name_at, page_right, &quantity.label(ticks.factor)))
}

/// The name of an axis, on the line at `y` under the middle of its area, as wide as the page allows.
pub(crate) fn name_below(area: &Area, y: f64, page_right: f64, name: &str) -> Element {
    let middle = area.x(0.5);
    let room = 2.0 * (middle - MARGIN).min(page_right - middle);
    fitted_label("plot-name", name, [middle, y], NAME_SIZE, Anchor::Middle, room).fill(INK)
}

/// On which side of its area an axis is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Left,
    Right,
}

/// An axis beside its area, with the name along it.
pub(crate) fn beside(area: &Area, ticks: &Ticks, quantity: &Quantity, side: Side) -> Element {
    let (x, outwards, anchor) = match side {
        Side::Left => (area.left, -1.0, Anchor::End),
        Side::Right => (area.right(), 1.0, Anchor::Start),
    };
    let tick = |position: f64, length: f64| {
        let y = area.y(position);
        Element::line([x, y], [x + outwards * length, y]).stroke(FAINT_INK, 0.6)
    };
    let mut axis = Element::group("plot-axis");
    axis = axis.child(Element::line([x, area.top], [x, area.bottom()]).stroke(FAINT_INK, 0.6));
    for &position in &ticks.minor {
        axis = axis.child(tick(position, TICK / 2.0));
    }
    for major in &ticks.major {
        let place = [x + outwards * (TICK + GAP), area.y(major.position) + LABEL_SIZE * MIDDLE];
        axis = axis
            .child(tick(major.position, TICK))
            .child(label("plot-tick", &major.label, place, LABEL_SIZE, anchor).fill(INK));
    }
    let labels = TICK + GAP + label_width(ticks) + GAP;
    let name_at = match side {
        Side::Left => x - labels - NAME_SIZE * 0.2,
        Side::Right => x + labels + NAME_SIZE * 0.8,
    };
    axis.child(name_beside(area, name_at, &quantity.label(ticks.factor)))
}

/// The name of an axis, from the bottom to the top on the vertical line at `x`.
pub(crate) fn name_beside(area: &Area, x: f64, name: &str) -> Element {
    let y = area.y(0.5);
    fitted_label("plot-name", name, [x, y], NAME_SIZE, Anchor::Middle, area.height)
        .word("transform", format!("rotate(-90 {x:.2} {y:.2})"))
        .fill(INK)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scale::Scaling;

    #[test]
    fn labels_never_touch_nor_leave_the_page_however_many_digits_they_need() {
        for (low, high) in
            [(0.0, 1.0), (123_456.781, 123_456.782), (-1e300, 1e300), (1e-7, 3.0), (1e-48, 2.8)]
        {
            for scaling in [Scaling::Linear, Scaling::Log] {
                let scale = Scale::around([low, high], scaling, 0.05);
                for right in (50..500).step_by(10).map(f64::from) {
                    let Room { left, width: length, ticks } = horizontal_room(&scale, MARGIN, right);
                    let end = |at: usize, side: f64| {
                        let tick = &ticks.major[at];
                        left + tick.position * length + side * width(&tick.label, LABEL_SIZE) / 2.0
                    };
                    assert!(end(0, -1.0) >= MARGIN - 1e-9, "{low} to {high} up to {right}: {ticks:?}");
                    let last = ticks.major.len() - 1;
                    assert!(end(last, 1.0) <= right + 1e-9, "{low} to {high} up to {right}: {ticks:?}");
                    for at in 1..ticks.major.len() {
                        assert!(end(at - 1, 1.0) < end(at, -1.0), "{low} to {high} up to {right}: {ticks:?}");
                    }
                }
            }
        }
    }
}
