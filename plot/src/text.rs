//! Text on a figure: sizes, an estimate of widths, and what to do when there is no room.

use crate::area::Area;
use crate::colour::FAINT_INK;
use crate::svg::Element;

/// A list that ends in a generic family: figures need no font of their own.
pub(crate) const FONTS: &str = "Helvetica, Arial, sans-serif";
/// Of titles and of the names of axes, in points.
pub(crate) const NAME_SIZE: f64 = 8.0;
/// Of ticks, legends and notes, in points.
pub(crate) const LABEL_SIZE: f64 = 7.0;
/// From one line of text to the next, as a multiple of its size.
pub(crate) const LEADING: f64 = 1.25;
/// From the middle of a digit to the line that it stands on, as a multiple of its size.
pub(crate) const MIDDLE: f64 = 0.36;

/// Which end of a text is at its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// A text that stands on the line at `place`.
pub(crate) fn label(
    class: &str,
    text: impl Into<String>,
    [x, y]: [f64; 2],
    size: f64,
    anchor: Anchor,
) -> Element {
    let element = Element::new("text").class(class).number("x", x).number("y", y).number("font-size", size);
    let element = match anchor {
        Anchor::Start => element,
        Anchor::Middle => element.word("text-anchor", "middle"),
        Anchor::End => element.word("text-anchor", "end"),
    };
    element.text(text)
}

/// As [`label`], shortened to `room` points, with the whole text as its title if that cuts it.
pub(crate) fn fitted_label(
    class: &str,
    text: &str,
    place: [f64; 2],
    size: f64,
    anchor: Anchor,
    room: f64,
) -> Element {
    let short = shorten(text, size, room);
    let is_cut = short != text;
    let label = label(class, short, place, size, anchor);
    if is_cut { label.title(text) } else { label }
}

/// Says in the middle of an area why nothing else is there.
pub(crate) fn no_values(area: &Area) -> Element {
    label("plot-note", "no values", [area.x(0.5), area.y(0.5)], LABEL_SIZE, Anchor::Middle).fill(FAINT_INK)
}

/// At most how wide a text becomes, in points: the widths of DejaVu Sans, the widest of the usual fonts without serifs.
pub(crate) fn width(text: &str, size: f64) -> f64 {
    text.chars().map(character_width).sum::<f64>() * size / 1000.0
}

/// The text itself, or as much of its beginning as `room` in points allows, and an ellipsis.
pub(crate) fn shorten(text: &str, size: f64, room: f64) -> String {
    if width(text, size) <= room {
        return text.to_owned();
    }
    let room = room - width("…", size);
    let mut used = 0.0;
    let fits = |character: &char| {
        used += character_width(*character) * size / 1000.0;
        used <= room
    };
    let beginning: String = text.chars().take_while(fits).collect();
    format!("{}…", beginning.trim_end())
}

/// Names of different things, in `room` points each. If one has no room, the words that all begin with go first, so
/// that what is different is seen.
pub(crate) fn fit_all(names: &[String], size: f64, room: f64) -> Vec<String> {
    let is_short = names.iter().all(|name| width(name, size) <= room);
    let shared = if is_short { "" } else { shared_words(names) };
    let name = |name: &String| match name.strip_prefix(shared) {
        Some(rest) if !shared.is_empty() => shorten(&format!("…{rest}"), size, room),
        _ => shorten(name, size, room),
    };
    names.iter().map(name).collect()
}

/// What several names all begin with, to the end of a word.
fn shared_words(names: &[String]) -> &str {
    let [first, others @ ..] = names else { return "" };
    let length = |name: &String| {
        let equal = first.char_indices().zip(name.chars()).take_while(|((_, one), other)| one == other);
        equal.map(|((at, letter), _)| at + letter.len_utf8()).last().unwrap_or_default()
    };
    let Some(shared) = others.iter().map(length).min() else { return "" };
    let end = first[..shared].rfind([' ', '/', ',']).map_or(0, |at| at + 1);
    &first[..end]
}

/// The text in at most `most` lines of `room` points; what does not fit is cut, with an ellipsis.
pub(crate) fn wrap(text: &str, size: f64, room: f64, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let is_last = lines.len() == most;
        match lines.last_mut() {
            Some(line) if is_last || width(line, size) + width(" ", size) + width(word, size) <= room => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
        if lines.len() == most && lines.last().is_some_and(|line| width(line, size) > room) {
            break;
        }
    }
    lines.iter().map(|line| shorten(line, size, room)).collect()
}

/// In thousandths of the size.
fn character_width(character: char) -> f64 {
    let printable = (character as usize).checked_sub(0x20).and_then(|at| ASCII_WIDTHS.get(at));
    match character {
        _ if printable.is_some() => printable.copied().unwrap_or_default().into(),
        '⁰' | '¹' | '²' | '³' | '⁴'..='⁹' => 401.0,
        '⁻' => 528.0,
        '…' => 1000.0,
        // Letters with accents, Greek and Cyrillic, of which few are wider than this.
        '\u{a0}'..='\u{10ff}' => 800.0,
        // Chinese, Japanese, Korean, and pictures.
        _ => 1300.0,
    }
}

/// From the space to the tilde.
const ASCII_WIDTHS: [u16; 95] = [
    318, 401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361, 318, 337, 636, 636, 636, 636, 636,
    636, 636, 636, 636, 636, 337, 337, 838, 838, 838, 531, 1000, 684, 686, 698, 770, 632, 575, 775, 752, 295,
    295, 656, 557, 863, 748, 787, 603, 787, 695, 635, 611, 732, 684, 989, 685, 611, 685, 390, 337, 390, 838,
    500, 500, 613, 635, 550, 635, 615, 352, 635, 634, 278, 278, 579, 278, 974, 634, 612, 635, 635, 411, 521,
    392, 634, 592, 818, 592, 592, 525, 636, 337, 636, 838,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_too_long_ends_in_an_ellipsis_and_fits() {
        let short = shorten("eval/mean_distance", 7.0, 40.0);
        assert!(short.ends_with('…') && width(&short, 7.0) <= 40.0, "{short}");
        assert_eq!(shorten("eval", 7.0, 40.0), "eval");
    }

    #[test]
    fn names_without_room_lose_the_words_that_all_begin_with() {
        let names = ["learning_rate = 0.1", "learning_rate = 0.01"].map(str::to_owned);
        assert_eq!(fit_all(&names, 7.0, 40.0), ["…0.1", "…0.01"]);
        assert_eq!(fit_all(&names, 7.0, 400.0), names, "there is room");
        assert_eq!(fit_all(&names[..1], 7.0, 40.0), ["learning_…"], "there is nothing to tell it from");
    }

    #[test]
    fn a_long_title_is_broken_between_words_and_cut_after_the_last_line() {
        assert_eq!(wrap("one two three", 10.0, 45.0, 5), ["one two", "three"]);
        let lines = wrap(&"word ".repeat(50), 10.0, 60.0, 2);
        assert_eq!(lines.len(), 2);
        assert!(lines[1].ends_with('…') && lines.iter().all(|line| width(line, 10.0) <= 60.0), "{lines:?}");
    }
}
