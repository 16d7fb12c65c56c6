//! Colours: an even scale for values, and a palette for groups.

use crate::viridis::VIRIDIS;

/// Okabe and Ito's palette for the colour-blind without its yellow, which is lost on white paper, and the darkest
/// first.
pub(crate) const PALETTE: [&str; 7] =
    ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"];

/// Of text and lines.
pub(crate) const INK: &str = "#000000";
/// Of ticks, frames and what should not draw the eye.
pub(crate) const FAINT_INK: &str = "#595959";
/// Of lines behind the data.
pub(crate) const GRID: &str = "#E3E3E3";
/// Of paper.
pub(crate) const PAPER: &str = "#FFFFFF";
/// Of a cell that has runs and no value.
pub(crate) const NO_VALUE: &str = "#D9D9D9";

/// A colour of the scale, from dark at 0 to light at 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Colour(u32);

impl Colour {
    pub(crate) fn at(position: f64) -> Colour {
        let last = VIRIDIS.len() - 1;
        let at = (position.clamp(0.0, 1.0) * last as f64).round() as usize;
        Colour(VIRIDIS[at.min(last)])
    }

    pub(crate) fn hex(self) -> String {
        format!("#{:06X}", self.0)
    }

    /// Black or white, whichever is easier to read on this colour. Its contrast is 4.5 to 1 or more on every colour.
    pub(crate) fn ink(self) -> &'static str {
        if self.contrast(1.0) > self.contrast(0.0) { PAPER } else { INK }
    }

    /// Red, green and blue.
    pub(crate) fn rgb(self) -> [u8; 3] {
        let [_, red, green, blue] = self.0.to_be_bytes();
        [red, green, blue]
    }

    /// With a colour of this luminance, from 1 to 21, as the accessibility guidelines of the web (WCAG) define it.
    fn contrast(self, luminance: f64) -> f64 {
        let (one, other) = (self.luminance() + 0.05, luminance + 0.05);
        one.max(other) / one.min(other)
    }

    /// From 0 to 1.
    fn luminance(self) -> f64 {
        let [_, red, green, blue] = self.0.to_be_bytes().map(|part| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }
}

/// The colour of the scale at a position from 0 to 1, as red, green and blue; and whether dark letters are easier to read on it
/// than light ones. For who draws without SVG, as terminals do.
#[must_use]
pub fn shade(position: f64) -> ([u8; 3], bool) {
    let colour = Colour::at(position);
    (colour.rgb(), colour.ink() == INK)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> impl Iterator<Item = Colour> {
        VIRIDIS.into_iter().map(Colour)
    }

    #[test]
    fn text_is_readable_on_every_colour() {
        for colour in all() {
            let ink = if colour.ink() == PAPER { 1.0 } else { 0.0 };
            assert!(colour.contrast(ink) >= 4.5, "{}", colour.hex());
        }
    }

    #[test]
    fn larger_values_are_lighter_so_that_the_scale_reads_in_grey() {
        // Neighbours may be equal but for rounding to 256 steps.
        assert!(all().step_by(3).map(Colour::luminance).is_sorted_by(|one, next| one < next));
    }

    #[test]
    fn positions_beyond_the_scale_have_the_colours_of_its_ends() {
        assert_eq!(
            [-1.0, 0.0, 1.0, 9.0].map(|at| Colour::at(at).hex()),
            ["#440154", "#440154", "#FDE725", "#FDE725"]
        );
    }
}
