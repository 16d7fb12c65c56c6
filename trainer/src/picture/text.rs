//! Letters of 8 × 8 dots.

use font8x8::{BASIC_FONTS, GREEK_FONTS, UnicodeFonts};

/// Dots of a letter from left to right, with the gap to the next.
pub(super) const WIDTH: usize = 8;
/// Dots of a letter from top to bottom.
pub(super) const HEIGHT: usize = 8;

/// Black dots (x, y) of a letter; one that the font lacks is a question mark.
pub(super) fn dots(letter: char) -> impl Iterator<Item = (usize, usize)> {
    let known = BASIC_FONTS.get(letter).or_else(|| GREEK_FONTS.get(letter));
    let rows = known.or_else(|| BASIC_FONTS.get('?')).unwrap_or_default();
    let is_black = move |(x, y): &(usize, usize)| rows[*y] >> x & 1 == 1;
    (0..HEIGHT).flat_map(|y| (0..WIDTH).map(move |x| (x, y))).filter(is_black)
}
