//! Curves: the points of a metric of a run by their steps, thinned to as many as a picture can show.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use crate::statistics::mean_and_std;

/// A point of a curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CurvePoint {
    /// Training steps done.
    pub step: u64,
    /// Finite.
    pub value: f64,
}

/// What several curves come to at a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeanAt {
    /// Training steps done.
    pub step: u64,
    /// Curves that have a point here.
    pub n: usize,
    /// Of their values.
    pub mean: f64,
    /// Population standard deviation.
    pub std: f64,
}

/// The means of some curves at each step that any of them has a point at.
#[must_use]
pub fn means(curves: &[Vec<CurvePoint>]) -> Vec<MeanAt> {
    let mut by_step: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
    for point in curves.iter().flatten() {
        by_step.entry(point.step).or_default().push(point.value);
    }
    let mean = |(step, values): (u64, Vec<f64>)| {
        let (mean, std) = mean_and_std(&values)?;
        Some(MeanAt { step, n: values.len(), mean, std })
    };
    by_step.into_iter().filter_map(mean).collect()
}

/// A whole curve, thinned to at most `most` points.
#[must_use]
pub fn thinned(curve: &[CurvePoint], most: usize) -> Vec<CurvePoint> {
    let (Some(first), Some(last)) = (curve.first(), curve.last()) else { return Vec::new() };
    if curve.len() <= most {
        return curve.to_vec();
    }
    let mut thinner = Thinner::new(&(first.step..=last.step), most);
    curve.iter().for_each(|&point| thinner.push(point));
    thinner.finish()
}

/// Thins a curve while its points come in, in the order of their steps.
///
/// The steps are cut into spans of equal length, and of each span the points of the smallest and of the largest value are
/// kept: no peak is lost, however few points remain. The first and the last point are kept as well.
#[derive(Debug, Clone)]
pub struct Thinner {
    first_step: u64,
    /// Steps of a span.
    width: u64,
    last_span: u64,
    kept: Vec<CurvePoint>,
    span: Option<Span>,
    last: Option<CurvePoint>,
}

/// What is kept of the span that is being filled.
#[derive(Debug, Clone, Copy)]
struct Span {
    number: u64,
    lowest: CurvePoint,
    highest: CurvePoint,
}

impl Thinner {
    /// The fewest points that a curve can be thinned to: the first, the lowest, the highest and the last one.
    pub const FEWEST: usize = 4;

    /// Keeps at most `most` points, and at least [`FEWEST`](Self::FEWEST), of a curve whose steps are in `steps`. Points
    /// beyond these steps count to the last span.
    #[must_use]
    pub fn new(steps: &RangeInclusive<u64>, most: usize) -> Thinner {
        // The first and the last point take the place of one span.
        let spans = (most.max(Self::FEWEST) / 2 - 1) as u64;
        let length = steps.end().saturating_sub(*steps.start()).saturating_add(1);
        let width = length.div_ceil(spans).max(1);
        Thinner {
            first_step: *steps.start(),
            width,
            last_span: spans - 1,
            kept: Vec::new(),
            span: None,
            last: None,
        }
    }

    /// Takes the next point of the curve.
    pub fn push(&mut self, point: CurvePoint) {
        self.last = Some(point);
        if self.kept.is_empty() {
            self.kept.push(point);
            return;
        }
        let number = (point.step.saturating_sub(self.first_step) / self.width).min(self.last_span);
        match &mut self.span {
            Some(span) if span.number == number => {
                if point.value < span.lowest.value {
                    span.lowest = point;
                }
                if point.value > span.highest.value {
                    span.highest = point;
                }
            }
            _ => {
                self.close_span();
                self.span = Some(Span { number, lowest: point, highest: point });
            }
        }
    }

    /// The points that are kept, in the order of their steps.
    #[must_use]
    pub fn finish(mut self) -> Vec<CurvePoint> {
        self.close_span();
        if let Some(last) = self.last {
            self.keep(last);
        }
        self.kept
    }

    fn close_span(&mut self) {
        let Some(Span { lowest, highest, .. }) = self.span.take() else { return };
        let (earlier, later) =
            if lowest.step <= highest.step { (lowest, highest) } else { (highest, lowest) };
        self.keep(earlier);
        self.keep(later);
    }

    fn keep(&mut self, point: CurvePoint) {
        if self.kept.last().is_none_or(|kept| kept.step < point.step) {
            self.kept.push(point);
        }
    }
}
