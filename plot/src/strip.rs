//! One metric by group, a dot a run: what a table of means hides. Groups are rows, so that their names need not be
//! turned.

use crate::area::Area;
use crate::axis::{self, Room, horizontal_room};
use crate::categories::{Names, NamesBeside};
use crate::colour::{GRID, INK};
use crate::interval::{Band, Interval};
use crate::look::Look;
use crate::omitted::Omitted;
use crate::page::{HIGHEST, MARGIN, Page, Width};
use crate::quantity::Quantity;
use crate::scale::Scale;
use crate::svg::Element;
use crate::text::no_values;

/// A metric of some groups of runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Strip {
    /// Above the figure; none if empty.
    pub title: String,
    /// From left to right.
    pub metric: Quantity,
    /// What the intervals around means span; without it none are drawn.
    pub band: Option<Band>,
    /// From the top to the bottom.
    pub groups: Vec<StripGroup>,
    /// Of the figure.
    pub width: Width,
}

/// Runs in a row of their own.
#[derive(Debug, Clone, PartialEq)]
pub struct StripGroup {
    /// Beside the row.
    pub name: String,
    /// A run each. What has no place on the axis is left out.
    pub dots: Vec<Dot>,
    /// Where the line is drawn, if one should be.
    pub mean: Option<Interval>,
}

/// A run.
#[derive(Debug, Clone, PartialEq)]
pub struct Dot {
    /// In the unit of the axis.
    pub value: f64,
    /// What a page shows under the pointer, such as the name of the run; none if empty.
    pub label: String,
}

/// The height of a row where there is room, in points.
const ROW: f64 = 17.0;
/// Of a dot, in points.
const RADIUS: f64 = 2.1;

impl Strip {
    /// The figure, the same bytes for the same data.
    #[must_use]
    pub fn to_svg(&self) -> String {
        let mut page = Page::new(&self.title, self.width);
        let names: Vec<String> = self.groups.iter().map(|group| group.name.clone()).collect();
        let height = (names.len() as f64 * ROW).clamp(2.0 * ROW, HIGHEST);
        let beside =
            NamesBeside::lay_out(Names { names: &names, are_ticks: false }, height, page.right() * 0.45);
        let scale = Scale::around(self.all_values(), self.metric.scaling, 0.05);
        let Room { left, width, ticks } = horizontal_room(&scale, MARGIN + beside.width(), page.right());
        let area = Area { left, top: page.cursor, width, height };
        page.cursor = area.bottom() + axis::BELOW;

        let row_height = height / names.len().max(1) as f64;
        let row = |at: usize| Area { top: area.top + at as f64 * row_height, height: row_height, ..area };
        let vertical =
            |position: f64| Element::line([area.x(position), area.top], [area.x(position), area.bottom()]);
        page.push(
            Element::group("plot-grid")
                .stroke(GRID, 0.5)
                .children(ticks.major.iter().map(|tick| vertical(tick.position))),
        );
        for (at, group) in self.groups.iter().enumerate() {
            let row = Row { area: row(at), scale: &scale, look: Look::of(at) };
            let interval = group.mean.as_ref();
            page.push(
                Element::group("plot-row")
                    .title(&group.name)
                    .children(
                        interval.filter(|_| self.band.is_some()).and_then(|interval| row.band(interval)),
                    )
                    .children(row.dots(&group.dots))
                    .children(interval.and_then(|interval| row.mean(interval))),
            );
        }
        page.push(beside.draw(&area));
        page.push(axis::below(&area, page.right(), &ticks, &self.metric));
        if scale.is_empty {
            page.push(no_values(&area));
        }
        for note in self.notes().into_iter().chain(beside.note()) {
            page.note(&note);
        }
        let runs: usize = self.groups.iter().map(|group| group.dots.len()).sum();
        let description = format!("{} of {runs} runs in {} groups.", self.metric.name, self.groups.len());
        page.finish("plot-strip", &description)
    }

    fn all_values(&self) -> impl Iterator<Item = f64> {
        self.groups.iter().flat_map(|group| {
            let dots = group.dots.iter().map(|dot| dot.value);
            let ends = |interval: Interval| {
                if self.band.is_some() { interval.values() } else { [interval.mean; 3] }
            };
            dots.chain(group.mean.into_iter().flat_map(ends))
        })
    }

    /// What was left out, to be said.
    fn omitted(&self) -> Omitted {
        let mut omitted = Omitted::default();
        for group in &self.groups {
            group.dots.iter().for_each(|dot| omitted.count(&[(dot.value, self.metric.scaling)]));
            if let Some(mean) = group.mean.filter(|_| self.band.is_some()) {
                omitted.count_interval(mean, self.metric.scaling);
            }
        }
        omitted
    }

    fn notes(&self) -> Vec<String> {
        let mut kinds = "Dots: single runs".to_owned();
        if self.groups.iter().any(|group| group.mean.is_some()) {
            kinds.push_str("; line: mean");
            if let Some(band) = self.band {
                kinds.push_str(&format!("; shade: {}", band.words()));
            }
        }
        let mut notes = vec![format!("{kinds}.")];
        notes.extend(self.omitted().notes());
        notes
    }
}

/// Where a group is drawn.
struct Row<'a> {
    area: Area,
    scale: &'a Scale,
    look: Look,
}

impl Row<'_> {
    fn middle(&self) -> f64 {
        self.area.y(0.5)
    }

    fn x(&self, value: f64) -> f64 {
        self.area.x(self.scale.position(value))
    }

    fn band(&self, interval: &Interval) -> Option<Element> {
        if !self.scale.has_place(interval.mean) || !interval.has_ends() {
            return None;
        }
        let [left, right] = [interval.low, interval.high].map(|end| self.x(end));
        let height = self.area.height * 0.6;
        let top = self.middle() - height / 2.0;
        let band = Area { left, top, width: (right - left).max(0.0), height };
        let band = band.rectangle(&self.look.class("plot-band"));
        Some(band.fill(self.look.colour()).word("fill-opacity", "0.16"))
    }

    fn dots(&self, dots: &[Dot]) -> Vec<Element> {
        let mut dots: Vec<&Dot> = dots.iter().filter(|dot| self.scale.has_place(dot.value)).collect();
        dots.sort_by(|one, other| one.value.total_cmp(&other.value));
        let mut lanes = Lanes::of(self.area.height);
        let dot = |dot: &Dot| {
            let x = self.x(dot.value);
            let radius = RADIUS.min(self.area.height / 2.0);
            let marker = Element::circle([x, self.middle() + lanes.take(x)], radius);
            let marker = marker.class(&self.look.class("plot-point")).fill(self.look.colour());
            let marker = marker.word("fill-opacity", "0.85");
            if dot.label.is_empty() { marker } else { marker.title(&dot.label) }
        };
        dots.into_iter().map(dot).collect()
    }

    /// Over the dots, which may be many.
    fn mean(&self, interval: &Interval) -> Option<Element> {
        let (x, half) = (self.x(interval.mean), self.area.height * 0.42);
        let line = Element::line([x, self.middle() - half], [x, self.middle() + half]);
        self.scale.has_place(interval.mean).then(|| line.class("plot-mean").stroke(INK, 1.2))
    }
}

/// Lines above and below each other, on which dots that would touch are kept apart.
struct Lanes {
    /// Where on each lane the last dot is, in points; the middle lane is the first.
    last: Vec<f64>,
}

impl Lanes {
    /// As many as a row of this height has room for, an odd number.
    fn of(row_height: f64) -> Lanes {
        let on_each_side = ((row_height / 2.0 - RADIUS).max(0.0) / (2.0 * RADIUS)) as usize;
        Lanes { last: vec![f64::NEG_INFINITY; 2 * on_each_side + 1] }
    }

    /// How far below the middle the next dot belongs, in points. Dots come from left to right.
    fn take(&mut self, x: f64) -> f64 {
        let free = self.last.iter().position(|last| x - last >= 2.0 * RADIUS);
        // Where all are taken dots overlap, least on the lane whose last dot is the farthest away.
        let farthest =
            (0..self.last.len()).min_by(|&one, &other| self.last[one].total_cmp(&self.last[other]));
        let lane = free.or(farthest).unwrap_or_default();
        if let Some(last) = self.last.get_mut(lane) {
            *last = x;
        }
        let distance = lane.div_ceil(2) as f64 * 2.0 * RADIUS;
        if lane % 2 == 0 { distance } else { -distance }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_that_would_touch_are_moved_apart_and_stay_in_their_row() {
        let mut lanes = Lanes::of(ROW);
        let offsets: Vec<f64> = [10.0, 10.0, 10.0, 10.0, 30.0].iter().map(|&x| lanes.take(x)).collect();
        assert_eq!(offsets[..3], [0.0, -2.0 * RADIUS, 2.0 * RADIUS]);
        assert_eq!(offsets[4], 0.0);
        assert!(offsets.iter().all(|offset| offset.abs() + RADIUS <= ROW / 2.0));
    }
}
