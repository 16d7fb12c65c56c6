//! Curves over training: every seed thin, the mean of a group thick, with its band.

use acai_sweep::curve::{CurvePoint, MeanAt};
use acai_sweep::statistics::Spread;
use acai_sweep::training::IMAGES_PER_KIMG;

use crate::area::Area;
use crate::axis::Axes;
use crate::broken_line::BrokenLine;
use crate::interval::{Band, Interval};
use crate::legend::{self, Entry};
use crate::look::Look;
use crate::omitted::Omitted;
use crate::page::{Page, Width};
use crate::quantity::Quantity;
use crate::scale::{Scale, Scaling};
use crate::svg::{Element, Path};

/// A metric over training, for some groups of runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Curves {
    /// Above the figure; none if empty.
    pub title: String,
    /// What the axis at the bottom counts.
    pub progress: Progress,
    /// How that axis is laid out. On a log axis step 0 has no place.
    pub progress_scaling: Scaling,
    /// What the curves are of.
    pub metric: Quantity,
    /// What the intervals of means are; without it none are drawn.
    pub band: Option<Band>,
    /// In the order of the legend.
    pub groups: Vec<CurveGroup>,
    /// Of the figure.
    pub width: Width,
}

/// In what training is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Training steps.
    Steps,
    /// Units of 1024 images, which compares groups whose batches differ in size.
    Kimg,
}

/// Runs that differ in their seeds alone.
#[derive(Debug, Clone, PartialEq)]
pub struct CurveGroup {
    /// In the legend.
    pub name: String,
    /// Images that a training step takes: the size of a batch.
    pub images_per_step: u64,
    /// A curve each, in the order of its steps. Where a value is not finite the line has a gap.
    pub seeds: Vec<Vec<CurvePoint>>,
    /// In the order of its steps; may be empty. Where a mean is not finite the line has a gap.
    pub mean: Vec<MeanPoint>,
}

/// The mean of a group at a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeanPoint {
    /// Training steps done.
    pub step: u64,
    /// Seeds that have a value here. The legend shows the fewest and the most.
    pub n: usize,
    /// The mean, and the ends of the band.
    pub interval: Interval,
}

impl MeanPoint {
    /// A mean with a band of this spread.
    #[must_use]
    pub fn of(at: &MeanAt, spread: Spread) -> MeanPoint {
        let MeanAt { step, n, mean, std } = *at;
        let half = spread.of(u32::try_from(n).unwrap_or(u32::MAX), std).unwrap_or(f64::NAN);
        MeanPoint { step, n, interval: Interval { mean, low: mean - half, high: mean + half } }
    }
}

/// The width of a run's line, in points.
const SEED_LINE: f64 = 0.5;
/// The width of a mean's line, in points.
const MEAN_LINE: f64 = 1.5;

impl Curves {
    /// The figure, the same bytes for the same data.
    #[must_use]
    pub fn to_svg(&self) -> String {
        let mut page = Page::new(&self.title, self.width);
        let x = Scale::around(self.all_progress(), self.progress_scaling, 0.0);
        let y = Scale::around(self.all_values(), self.metric.scaling, 0.05);
        let axes = Axes::lay_out(&mut page, &x, &y, self.width.usual_height());
        let canvas = Canvas { figure: self, area: axes.area, x, y };
        let progress = self.progress.quantity(self.progress_scaling);
        page.push(axes.grid());
        // Layer by layer, so that no group hides the mean of another.
        for layer in [Canvas::band, Canvas::seeds, Canvas::mean] {
            let groups =
                self.groups.iter().enumerate().map(|(at, group)| layer(&canvas, group, Look::of(at)));
            page.push(Element::group("plot-layer").children(groups.flatten()));
        }
        page.push(axes.draw(&progress, &self.metric));
        legend::draw(&mut page, axes.area.left, &self.legend());
        for note in self.notes() {
            page.note(&note);
        }
        let seeds: usize = self.groups.iter().map(|group| group.seeds.len()).sum();
        let description = format!(
            "Curves of {} over {}: {} groups, {seeds} runs.",
            self.metric.name,
            progress.name,
            self.groups.len()
        );
        page.finish("plot-curves", &description)
    }

    fn all_progress(&self) -> impl Iterator<Item = f64> {
        self.groups.iter().flat_map(|group| {
            let seeds = group.seeds.iter().flatten().map(|point| point.step);
            let steps = seeds.chain(group.mean.iter().map(|point| point.step));
            steps.map(|step| self.progress.of(step, group))
        })
    }

    fn all_values(&self) -> impl Iterator<Item = f64> {
        self.groups.iter().flat_map(|group| {
            let seeds = group.seeds.iter().flatten().map(|point| point.value);
            let ends = |point: &MeanPoint| {
                let interval = point.interval;
                if self.band.is_some() { interval.values() } else { [interval.mean; 3] }
            };
            seeds.chain(group.mean.iter().flat_map(ends))
        })
    }

    fn legend(&self) -> Vec<Entry<'_>> {
        let common_n = self.common_n();
        let entry = |(at, group): (usize, &CurveGroup)| Entry {
            name: match group.n() {
                Some((fewest, most)) if fewest < most => format!("{} (n = {fewest}–{most})", group.name),
                Some((n, _)) if common_n.is_none() => format!("{} (n = {n})", group.name),
                _ => group.name.clone(),
            },
            sample: Box::new(move |[x, y]| {
                let path = Path::through([[x - 9.0, y], [x + 9.0, y]]);
                Look::of(at).line("plot-mean", &path, MEAN_LINE)
            }),
        };
        self.groups.iter().enumerate().map(entry).collect()
    }

    /// How many runs are behind every mean of every group, if that is the same number.
    fn common_n(&self) -> Option<usize> {
        let mut counts = self.groups.iter().filter_map(CurveGroup::n);
        let (n, most) = counts.next()?;
        (n == most && counts.all(|others| others == (n, n))).then_some(n)
    }

    fn notes(&self) -> Vec<String> {
        let n = self.common_n().map(|n| format!(" (n = {n})")).unwrap_or_default();
        let mut kinds = Vec::new();
        if self.groups.iter().any(|group| !group.seeds.is_empty()) {
            kinds.push("Thin: single runs.".to_owned());
        }
        if self.groups.iter().any(|group| !group.mean.is_empty()) {
            kinds.push(format!("Thick: mean{n}."));
            kinds.extend(self.band.map(|band| format!("Band: {}.", band.words())));
        }
        let mut notes = vec![kinds.join(" ")];
        notes.extend(self.omitted().notes());
        notes
    }

    fn omitted(&self) -> Omitted {
        let mut omitted = Omitted::default();
        for group in &self.groups {
            let mut count = |step, value| {
                let progress = self.progress.of(step, group);
                omitted.count(&[(progress, self.progress_scaling), (value, self.metric.scaling)]);
            };
            if group.seeds.is_empty() {
                group.mean.iter().for_each(|point| count(point.step, point.interval.mean));
            }
            group.seeds.iter().flatten().for_each(|point| count(point.step, point.value));
            if self.band.is_some() {
                let intervals = group.mean.iter().map(|point| point.interval);
                intervals.for_each(|interval| omitted.count_interval(interval, self.metric.scaling));
            }
        }
        omitted
    }
}

impl CurveGroup {
    /// How many runs are behind the means that are shown: the fewest and the most.
    fn n(&self) -> Option<(usize, usize)> {
        let counts = self.mean.iter().filter(|point| point.interval.mean.is_finite()).map(|point| point.n);
        Some((counts.clone().min()?, counts.max()?))
    }
}

impl Progress {
    fn of(self, step: u64, group: &CurveGroup) -> f64 {
        match self {
            Progress::Steps => step as f64,
            Progress::Kimg => step as f64 * group.images_per_step as f64 / IMAGES_PER_KIMG,
        }
    }

    fn quantity(self, scaling: Scaling) -> Quantity {
        let (name, unit) = match self {
            Progress::Steps => ("training steps", ""),
            Progress::Kimg => ("training images", "kimg"),
        };
        Quantity { name: name.to_owned(), unit: unit.to_owned(), scaling }
    }
}

/// Where the lines are drawn.
struct Canvas<'a> {
    figure: &'a Curves,
    area: Area,
    x: Scale,
    y: Scale,
}

impl Canvas<'_> {
    fn seeds(&self, group: &CurveGroup, look: Look) -> Vec<Element> {
        let line = |(at, seed): (usize, &Vec<CurvePoint>)| {
            let points = seed.iter().map(|point| self.place(group, point.step, point.value));
            BrokenLine::through(points).draw(
                |path| {
                    Element::path(path)
                        .class(&look.class("plot-seed"))
                        .fill("none")
                        .stroke(look.colour(), SEED_LINE)
                        .word("stroke-opacity", "0.5")
                        .title(format!("{}, run {} of {}", group.name, at + 1, group.seeds.len()))
                },
                |point| Element::circle(point, SEED_LINE).class(&look.class("plot-seed")).fill(look.colour()),
            )
        };
        group.seeds.iter().enumerate().flat_map(line).collect()
    }

    fn mean(&self, group: &CurveGroup, look: Look) -> Vec<Element> {
        let points = group.mean.iter().map(|point| self.place(group, point.step, point.interval.mean));
        BrokenLine::through(points).draw(
            |path| {
                look.line("plot-mean", path, MEAN_LINE).word("stroke-linejoin", "round").title(&group.name)
            },
            |point| Element::circle(point, MEAN_LINE).class(&look.class("plot-mean")).fill(look.colour()),
        )
    }

    fn band(&self, group: &CurveGroup, look: Look) -> Vec<Element> {
        if self.figure.band.is_none() {
            return Vec::new();
        }
        let ends = |point: &MeanPoint| {
            let Interval { mean, low, high } = point.interval;
            // The mean has to have a place, or nobody knows where the band belongs.
            self.place(group, point.step, mean)?;
            let [x, high] = self.place(group, point.step, high)?;
            low.is_finite().then(|| (x, self.area.y(self.y.position(low)), high))
        };
        let ends: Vec<Option<(f64, f64, f64)>> = group.mean.iter().map(ends).collect();
        let shape = |part: &[Option<(f64, f64, f64)>]| {
            let part: Vec<_> = part.iter().flatten().collect();
            if part.len() < 2 {
                return None;
            }
            let upper = part.iter().map(|&&(x, _, high)| [x, high]);
            let lower = part.iter().rev().map(|&&(x, low, _)| [x, low]);
            let mut path = Path::through(upper.chain(lower));
            path.close();
            Some(
                Element::path(&path)
                    .class(&look.class("plot-band"))
                    .fill(look.colour())
                    .word("fill-opacity", "0.16"),
            )
        };
        ends.split(Option::is_none).filter_map(shape).collect()
    }

    fn place(&self, group: &CurveGroup, step: u64, value: f64) -> Option<[f64; 2]> {
        let progress = self.figure.progress.of(step, group);
        let has_place = self.x.has_place(progress) && self.y.has_place(value);
        has_place.then(|| [self.area.x(self.x.position(progress)), self.area.y(self.y.position(value))])
    }
}
