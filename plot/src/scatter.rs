//! One metric against another, a point a run.

use crate::area::Area;
use crate::axis::Axes;
use crate::interval::{Band, Interval};
use crate::legend::{self, Entry};
use crate::look::Look;
use crate::omitted::Omitted;
use crate::page::{Page, Width};
use crate::quantity::Quantity;
use crate::scale::Scale;
use crate::svg::{Element, Path};

/// Two metrics of some groups of runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Scatter {
    /// Above the figure; none if empty.
    pub title: String,
    /// From left to right.
    pub x: Quantity,
    /// From the bottom to the top.
    pub y: Quantity,
    /// What the arms of the crosses at the means span; without it they are short.
    pub band: Option<Band>,
    /// In the order of the legend.
    pub groups: Vec<ScatterGroup>,
    /// Of the figure.
    pub width: Width,
}

/// Runs with a marker and a colour of their own.
#[derive(Debug, Clone, PartialEq)]
pub struct ScatterGroup {
    /// In the legend.
    pub name: String,
    /// A run each. What has no place on an axis is left out.
    pub points: Vec<ScatterPoint>,
    /// Where a cross is drawn, if one should be.
    pub mean: Option<Cross>,
}

/// A run.
#[derive(Debug, Clone, PartialEq)]
pub struct ScatterPoint {
    /// In the unit of its axis.
    pub x: f64,
    /// In the unit of its axis.
    pub y: f64,
    /// What a page shows under the pointer, such as the name of the run; none if empty.
    pub label: String,
}

/// The mean of a group in both metrics.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cross {
    /// In the unit of its axis.
    pub x: Interval,
    /// In the unit of its axis.
    pub y: Interval,
}

/// The radius of a marker, in points.
const POINT: f64 = 2.3;
/// Of a cross, in points.
const SMALL_ARM: f64 = 3.0;

impl Scatter {
    /// The figure, the same bytes for the same data.
    #[must_use]
    pub fn to_svg(&self) -> String {
        let mut page = Page::new(&self.title, self.width);
        let points = || self.groups.iter().flat_map(|group| &group.points);
        let ends =
            |interval: Interval| if self.band.is_some() { interval.values() } else { [interval.mean; 3] };
        let x_values = points().map(|point| point.x).chain(self.crosses().flat_map(|cross| ends(cross.x)));
        let y_values = points().map(|point| point.y).chain(self.crosses().flat_map(|cross| ends(cross.y)));
        let x = Scale::around(x_values, self.x.scaling, 0.05);
        let y = Scale::around(y_values, self.y.scaling, 0.05);
        let axes = Axes::lay_out(&mut page, &x, &y, self.width.usual_height());
        let canvas = Canvas { area: axes.area, x, y, has_arms: self.band.is_some() };

        page.push(axes.grid());
        let groups = || self.groups.iter().enumerate().map(|(at, group)| (group, Look::of(at)));
        let points = groups().flat_map(|(group, look)| canvas.points(group, look));
        page.push(Element::group("plot-layer").children(points));
        let crosses = groups().filter_map(|(group, look)| canvas.cross(group.mean.as_ref()?, look));
        page.push(Element::group("plot-layer").children(crosses));
        page.push(axes.draw(&self.x, &self.y));
        legend::draw(&mut page, axes.area.left, &self.legend());
        for note in self.notes() {
            page.note(&note);
        }
        let runs: usize = self.groups.iter().map(|group| group.points.len()).sum();
        let description =
            format!("{} against {}: {} groups, {runs} runs.", self.y.name, self.x.name, self.groups.len());
        page.finish("plot-scatter", &description)
    }

    fn crosses(&self) -> impl Iterator<Item = &Cross> {
        self.groups.iter().filter_map(|group| group.mean.as_ref())
    }

    fn legend(&self) -> Vec<Entry<'_>> {
        let entry = |(at, group): (usize, &ScatterGroup)| Entry {
            name: group.name.clone(),
            sample: Box::new(move |middle| Look::of(at).marker("plot-point", middle, POINT)),
        };
        self.groups.iter().enumerate().map(entry).collect()
    }

    fn notes(&self) -> Vec<String> {
        let mut kinds = "Markers: single runs.".to_owned();
        if self.crosses().next().is_some() {
            kinds.push_str(" Crosses: means.");
            if let Some(band) = self.band {
                kinds.push_str(&format!(" Arms: {}.", band.words()));
            }
        }
        let mut notes = vec![kinds];
        notes.extend(self.omitted().notes());
        notes
    }

    fn omitted(&self) -> Omitted {
        let mut omitted = Omitted::default();
        for point in self.groups.iter().flat_map(|group| &group.points) {
            omitted.count(&[(point.x, self.x.scaling), (point.y, self.y.scaling)]);
        }
        for cross in self.crosses().filter(|_| self.band.is_some()) {
            omitted.count_interval(cross.x, self.x.scaling);
            omitted.count_interval(cross.y, self.y.scaling);
        }
        omitted
    }
}

/// Where the points are drawn.
struct Canvas {
    area: Area,
    x: Scale,
    y: Scale,
    has_arms: bool,
}

impl Canvas {
    fn points(&self, group: &ScatterGroup, look: Look) -> Vec<Element> {
        let marker = |point: &ScatterPoint| {
            let marker = look.marker("plot-point", self.place(point.x, point.y)?, POINT);
            let label = if point.label.is_empty() { &group.name } else { &point.label };
            Some(marker.word("fill-opacity", "0.5").title(label))
        };
        group.points.iter().filter_map(marker).collect()
    }

    /// Arms in full colour, which are seen on points that are paler.
    fn cross(&self, cross: &Cross, look: Look) -> Option<Element> {
        let (x, y) = (cross.x, cross.y);
        let middle = self.place(x.mean, y.mean)?;
        let mut path = Path::default();
        let mut arm = |ends: [[f64; 2]; 2]| {
            path.move_to(ends[0]);
            path.line_to(ends[1]);
        };
        if self.has_arms && x.has_ends() {
            arm([x.low, x.high].map(|end| [self.area.x(self.x.position(end)), middle[1]]));
        }
        if self.has_arms && y.has_ends() {
            arm([y.low, y.high].map(|end| [middle[0], self.area.y(self.y.position(end))]));
        }
        // Where no arms are known a small cross is left.
        arm([-SMALL_ARM, SMALL_ARM].map(|length| [middle[0] + length, middle[1]]));
        arm([-SMALL_ARM, SMALL_ARM].map(|length| [middle[0], middle[1] + length]));
        Some(Element::path(&path).class(&look.class("plot-cross")).fill("none").stroke(look.colour(), 1.5))
    }

    fn place(&self, x: f64, y: f64) -> Option<[f64; 2]> {
        let has_place = self.x.has_place(x) && self.y.has_place(y);
        has_place.then(|| [self.area.x(self.x.position(x)), self.area.y(self.y.position(y))])
    }
}
