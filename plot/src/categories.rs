//! Axes of names: a place for each, and as many of them as there is room for.

use crate::area::Area;
use crate::colour::INK;
use crate::svg::Element;
use crate::text::{Anchor, LABEL_SIZE, LEADING, MIDDLE, fit_all, label, width};

/// Between the area and the names, in points.
const GAP: f64 = 3.0;
/// Between two names, in points.
const BETWEEN: f64 = 4.0;
/// Of a name that is turned by half a right angle: how far it goes to the left, and down, for each point of its width.
const SLOPE: f64 = std::f64::consts::FRAC_1_SQRT_2;

/// Names along a side of an area.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Names<'a> {
    pub(crate) names: &'a [String],
    /// Whether they are the ticks of an even scale, so that some of them tell the others.
    pub(crate) are_ticks: bool,
}

impl Names<'_> {
    /// Which of them are shown when they are `step` points apart and need `needed`: the first, and each so-manieth.
    fn every(&self, step: f64, needed: f64) -> usize {
        let every = ((needed / step).ceil() as usize).max(1);
        if !self.are_ticks {
            return every;
        }
        let nice = (0..)
            .flat_map(|power| [1, 2, 5].map(|digit| 10usize.saturating_pow(power).saturating_mul(digit)));
        nice.into_iter().find(|&nice| nice >= every).unwrap_or(every)
    }

    /// One of them, as it is shown, with the whole as its title if that is another text.
    fn label(&self, at: usize, shown: &str, place: [f64; 2], anchor: Anchor) -> Element {
        let label = label("plot-tick", shown, place, LABEL_SIZE, anchor);
        if self.names[at] == shown { label } else { label.title(&self.names[at]) }
    }

    /// Says that names are left out, if any are that nobody can tell.
    fn note(&self, every: usize, what: &str) -> Option<String> {
        (every > 1 && !self.are_ticks).then(|| format!("One {what} in {every} is named."))
    }
}

/// Names under an area, in the middles of columns of equal width.
pub(crate) struct NamesBelow<'a> {
    names: Names<'a>,
    /// As much of each as has room.
    shown: Vec<String>,
    turned: bool,
    every: usize,
}

impl<'a> NamesBelow<'a> {
    /// Where names would touch they are turned, and those that are ticks are left out. Names that are turned have room
    /// as far as the edge of the page, which is `left` of the area.
    pub(crate) fn lay_out(names: Names<'a>, left: f64, area_width: f64) -> NamesBelow<'a> {
        let column = area_width / names.names.len().max(1) as f64;
        let widest = widest(names.names);
        if names.are_ticks || widest + BETWEEN <= column {
            let every = names.every(column, widest + BETWEEN);
            return NamesBelow { names, shown: names.names.to_vec(), turned: false, every };
        }
        let room = ((left + column / 2.0) / SLOPE - LABEL_SIZE).clamp(0.0, 70.0);
        let every = names.every(column, LABEL_SIZE * LEADING / SLOPE);
        NamesBelow { names, shown: fit_all(names.names, LABEL_SIZE, room), turned: true, every }
    }

    /// What the names take below the area, in points.
    pub(crate) fn height(&self) -> f64 {
        let turned = (widest(&self.shown) + LABEL_SIZE) * SLOPE;
        GAP + if self.turned { turned } else { LABEL_SIZE }
    }

    pub(crate) fn draw(&self, area: &Area) -> Element {
        let column = area.width / self.shown.len().max(1) as f64;
        let name = |at: usize| {
            let (x, y) = (area.left + (at as f64 + 0.5) * column, area.bottom() + GAP);
            if !self.turned {
                let place = [x, y + LABEL_SIZE * 0.8];
                return self.names.label(at, &self.shown[at], place, Anchor::Middle);
            }
            let [x, y] = [x, y].map(|end| end + LABEL_SIZE * MIDDLE * SLOPE);
            self.names
                .label(at, &self.shown[at], [x, y], Anchor::End)
                .word("transform", format!("rotate(-45 {x:.2} {y:.2})"))
        };
        Element::group("plot-axis").fill(INK).children((0..self.shown.len()).step_by(self.every).map(name))
    }

    /// Says that names are left out, if any are that nobody can tell.
    pub(crate) fn note(&self) -> Option<String> {
        self.names.note(self.every, "column")
    }
}

/// Names on the left of an area, in the middles of rows of equal height, from the top to the bottom.
pub(crate) struct NamesBeside<'a> {
    names: Names<'a>,
    /// As much of each as has room.
    shown: Vec<String>,
    every: usize,
}

impl<'a> NamesBeside<'a> {
    /// `room` in points is the most that names may take.
    pub(crate) fn lay_out(names: Names<'a>, area_height: f64, room: f64) -> NamesBeside<'a> {
        let row = area_height / names.names.len().max(1) as f64;
        let shown = fit_all(names.names, LABEL_SIZE, room - GAP);
        NamesBeside { names, shown, every: names.every(row, LABEL_SIZE * LEADING) }
    }

    /// What the names take on the left of the area, in points.
    pub(crate) fn width(&self) -> f64 {
        GAP + widest(&self.shown)
    }

    pub(crate) fn draw(&self, area: &Area) -> Element {
        let row = area.height / self.shown.len().max(1) as f64;
        let name = |at: usize| {
            let place = [area.left - GAP, area.top + (at as f64 + 0.5) * row + LABEL_SIZE * MIDDLE];
            self.names.label(at, &self.shown[at], place, Anchor::End)
        };
        Element::group("plot-axis").fill(INK).children((0..self.shown.len()).step_by(self.every).map(name))
    }

    /// Says that names are left out, if any are that nobody can tell.
    pub(crate) fn note(&self) -> Option<String> {
        self.names.note(self.every, "row")
    }
}

/// In points.
fn widest(names: &[String]) -> f64 {
    names.iter().map(|name| width(name, LABEL_SIZE)).fold(0.0, f64::max)
}
