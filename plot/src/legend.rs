//! Which group looks how.

use crate::colour::INK;
use crate::page::{MARGIN, Page};
use crate::svg::Element;
use crate::text::{Anchor, LABEL_SIZE, MIDDLE, fit_all, label, width};

/// Rows that a legend has at most; what does not fit is counted.
const MOST_ROWS: usize = 6;
/// Of a row, in points.
const ROW: f64 = 10.0;
/// Of a sample, in points.
const SAMPLE: f64 = 18.0;
/// Between a sample and its name, in points.
const GAP: f64 = 4.0;
/// Between two entries of a row, in points.
const BETWEEN: f64 = 9.0;

/// Draws a sample of a look around a middle, 18 points wide.
pub(crate) type Sample<'a> = Box<dyn Fn([f64; 2]) -> Element + 'a>;

/// A name and how it looks.
pub(crate) struct Entry<'a> {
    pub(crate) name: String,
    pub(crate) sample: Sample<'a>,
}

/// Draws as many entries as have room at the cursor of the page, from `left` on, and says how many more there are.
pub(crate) fn draw(page: &mut Page, left: f64, entries: &[Entry<'_>]) {
    if entries.is_empty() {
        return;
    }
    let room = page.right() - left;
    let names: Vec<String> = entries.iter().map(|entry| entry.name.clone()).collect();
    let names = fit_all(&names, LABEL_SIZE, room - SAMPLE - GAP);
    let places = places(&names, room);
    let shown = if entries.len() > places.len() { places.len().saturating_sub(1) } else { entries.len() };
    let text = |text: &str, x: f64, y: f64| {
        label("plot-legend-name", text, [x, y + LABEL_SIZE * MIDDLE], LABEL_SIZE, Anchor::Start)
    };
    let mut legend = Element::group("plot-legend").fill(INK);
    let mut rows = 0;
    for (at, place) in places.iter().enumerate() {
        let (x, y) = (left + place.x, page.cursor + (place.row as f64 + 0.5) * ROW);
        rows = place.row + 1;
        let Some(entry) = entries.get(at).filter(|_| at < shown) else {
            legend = legend.child(text(&format!("and {} more", entries.len() - shown), x, y));
            continue;
        };
        let name = text(&names[at], x + SAMPLE + GAP, y);
        let name = if names[at] == entry.name { name } else { name.title(&entry.name) };
        legend = legend.child((entry.sample)([x + SAMPLE / 2.0, y])).child(name);
    }
    page.push(legend);
    page.cursor += rows as f64 * ROW + MARGIN;
}

/// Where an entry begins.
struct Place {
    /// In points from the left of the legend.
    x: f64,
    /// From the top, from 0 on.
    row: usize,
}

/// A row of entries side by side, if they fit; else columns of equal width, and no more than the rows that are allowed.
fn places(names: &[String], room: f64) -> Vec<Place> {
    let own_width = |name: &String| SAMPLE + GAP + width(name, LABEL_SIZE) + BETWEEN;
    let widths: Vec<f64> = names.iter().map(own_width).collect();
    if widths.iter().sum::<f64>() - BETWEEN <= room {
        let begin = |x: &mut f64, width: f64| {
            let begin = *x;
            *x += width;
            Some(Place { x: begin, row: 0 })
        };
        return widths.into_iter().scan(0.0, begin).collect();
    }
    let column = widths.into_iter().fold(0.0, f64::max).min(room);
    let columns = ((room + BETWEEN) / column).floor().max(1.0) as usize;
    let place = |at: usize| Place { x: (at % columns) as f64 * column, row: at / columns };
    (0..names.len().min(columns * MOST_ROWS)).map(place).collect()
}
