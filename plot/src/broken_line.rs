//! Lines with gaps.

use crate::svg::{Element, Path};

/// A line through those of its points that have a place; one that is alone between gaps becomes a dot.
#[derive(Debug, Default)]
pub(crate) struct BrokenLine {
    line: Option<Path>,
    dots: Vec<[f64; 2]>,
}

impl BrokenLine {
    /// Where a point is absent the line has a gap.
    pub(crate) fn through(points: impl IntoIterator<Item = Option<[f64; 2]>>) -> BrokenLine {
        let points: Vec<Option<[f64; 2]>> = points.into_iter().collect();
        let mut broken = BrokenLine::default();
        for part in points.split(Option::is_none) {
            let part: Vec<[f64; 2]> = part.iter().copied().flatten().collect();
            match *part {
                [] => {}
                [alone] => broken.dots.push(alone),
                [first, ..] => {
                    let line = broken.line.get_or_insert_default();
                    line.move_to(first);
                    part.iter().skip(1).for_each(|&point| line.line_to(point));
                }
            }
        }
        broken
    }

    /// As elements: at most one line, and the dots.
    pub(crate) fn draw(
        &self,
        line: impl Fn(&Path) -> Element,
        dot: impl Fn([f64; 2]) -> Element,
    ) -> Vec<Element> {
        self.line.iter().map(line).chain(self.dots.iter().copied().map(dot)).collect()
    }
}
