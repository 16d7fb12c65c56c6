//! How many runs of a shape a GPU trains at a time, found by trying.

use std::collections::BTreeMap;

/// For the first group of a shape.
const FIRST: u32 = 8;
/// Runs of a group at the most.
const MOST: u32 = 256;
/// So many times as many images per second are worth twice as many runs.
const GAIN: f64 = 1.2;
/// As long as no larger share of the device's memory is in use, twice as many runs probably fit.
const ROOM: f64 = 0.5;

/// What is known of each shape.
#[derive(Debug, Default)]
pub(crate) struct Sizes {
    shapes: BTreeMap<String, Size>,
    /// The shape of the group that began last: the next one probably has that too.
    last: Option<String>,
}

/// The size of groups of one shape.
#[derive(Debug, Clone, Copy)]
struct Size {
    runs: u32,
    /// The size that trained the most images per second, and how many.
    best: Option<(u32, f64)>,
    /// Whether nothing larger is tried any more.
    is_found: bool,
}

/// How a group has trained that was full.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Measured {
    pub(crate) runs: u32,
    pub(crate) images_per_second: f64,
    /// The share of the device's memory that was in use, as far as its driver tells.
    pub(crate) memory: Option<f64>,
}

impl Sizes {
    /// For a group whose shape nobody knows before it is granted.
    pub(super) fn next(&self) -> u32 {
        self.last.as_deref().map_or(FIRST, |shape| self.of(shape))
    }

    /// For a group of this shape.
    pub(super) fn of(&self, shape: &str) -> u32 {
        self.shapes.get(shape).map_or(FIRST, |size| size.runs)
    }

    /// A group of this shape begins.
    pub(super) fn begins(&mut self, shape: &str) {
        self.last = Some(shape.to_owned());
    }

    /// Whether a measurement of a group of so many runs of this shape would tell anything.
    pub(super) fn wants(&self, shape: &str, runs: u32) -> bool {
        self.of(shape) == runs && self.shapes.get(shape).is_none_or(|size| !size.is_found)
    }

    /// A full group of this shape has trained for a while. Twice as many runs are tried as long as that brings enough, and
    /// memory allows; otherwise what was best stays.
    pub(super) fn measured(&mut self, shape: &str, measured: Measured) {
        if !self.wants(shape, measured.runs) {
            return;
        }
        let size = self.size(shape);
        let pays = size.best.is_none_or(|(_, best)| measured.images_per_second >= GAIN * best);
        if pays {
            size.best = Some((measured.runs, measured.images_per_second));
        }
        let has_room = measured.memory.is_some_and(|share| share < ROOM);
        if pays && has_room && size.runs < MOST {
            size.runs = (size.runs * 2).min(MOST);
        } else {
            size.runs = size.best.map_or(size.runs, |(runs, _)| runs);
            size.is_found = true;
        }
    }

    /// So many runs of this shape did not fit into memory.
    pub(super) fn lacks_memory(&mut self, shape: &str, runs: u32) {
        let size = self.size(shape);
        if runs <= size.runs {
            size.runs = (runs / 2).max(1);
            size.is_found = true;
        }
    }

    fn size(&mut self, shape: &str) -> &mut Size {
        let first = Size { runs: FIRST, best: None, is_found: false };
        self.shapes.entry(shape.to_owned()).or_insert(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What sizes are tried of shape `a` when groups of each size train so many images per second, and leave memory or not.
    fn tried(rate: impl Fn(u32) -> f64, memory: impl Fn(u32) -> Option<f64>) -> Vec<u32> {
        let mut sizes = Sizes::default();
        let mut tried = vec![sizes.of("a")];
        while let Some(&runs) = tried.last().filter(|runs| sizes.wants("a", **runs)) {
            let measured = Measured { runs, images_per_second: rate(runs), memory: memory(runs) };
            sizes.measured("a", measured);
            tried.push(sizes.of("a"));
        }
        tried
    }

    #[test]
    fn the_size_doubles_as_long_as_that_brings_enough() {
        let saturates = |runs: u32| f64::from(runs.min(40)) * 100.0;
        assert_eq!(tried(saturates, |_| Some(0.1)), [8, 16, 32, 64, 128, 64], "40 is 1.25 times 32");
        let saturates = |runs: u32| f64::from(runs.min(36)) * 100.0;
        assert_eq!(tried(saturates, |_| Some(0.1)), [8, 16, 32, 64, 32], "36 is less than 1.2 times 32");
        assert_eq!(tried(|_| 100.0, |_| Some(0.1)), [8, 16, 8]);
        assert_eq!(tried(f64::from, |_| Some(0.1)), [8, 16, 32, 64, 128, 256, 256]);
    }

    #[test]
    fn the_size_stays_when_half_of_the_memory_is_in_use_or_nobody_knows_how_much_is() {
        assert_eq!(tried(f64::from, |runs| Some(f64::from(runs) / 60.0)), [8, 16, 32, 32]);
        assert_eq!(tried(f64::from, |_| None), [8, 8]);
    }

    #[test]
    fn half_as_many_runs_are_trained_from_then_on_when_memory_lacks() {
        let mut sizes = Sizes::default();
        sizes.measured("a", Measured { runs: 8, images_per_second: 100.0, memory: Some(0.4) });
        assert_eq!(sizes.of("a"), 16);
        sizes.lacks_memory("a", 16);
        assert!(sizes.of("a") == 8 && !sizes.wants("a", 8));
        sizes.lacks_memory("a", 11);
        assert_eq!(sizes.of("a"), 8, "a group that was granted before");
        for left in [4, 2, 1, 1] {
            sizes.lacks_memory("a", sizes.of("a"));
            assert_eq!(sizes.of("a"), left);
        }
    }

    #[test]
    fn shapes_are_apart_and_what_was_measured_of_other_sizes_says_nothing() {
        let mut sizes = Sizes::default();
        assert_eq!(sizes.next(), 8);
        sizes.begins("a");
        sizes.measured("a", Measured { runs: 5, images_per_second: 900.0, memory: Some(0.1) });
        assert_eq!(sizes.of("a"), 8, "the group was not full");
        sizes.measured("a", Measured { runs: 8, images_per_second: 100.0, memory: Some(0.1) });
        assert_eq!((sizes.of("a"), sizes.next(), sizes.of("b")), (16, 16, 8));
        sizes.begins("b");
        assert_eq!(sizes.next(), 8);
    }
}
