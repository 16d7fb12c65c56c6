//! Pictures of runs, laid out by two parameters: how what a model does changes over them.

use acai_sweep::scalar::Scalar;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::area::Area;
use crate::colour::{FAINT_INK, GRID, INK};
use crate::heat_map::Dimension;
use crate::page::{HIGHEST, MARGIN, Page, Width};
use crate::svg::Element;
use crate::text::{Anchor, LABEL_SIZE, LEADING, MIDDLE, fitted_label, label, width as letters_width};

/// Pictures on a grid.
#[derive(Debug, Clone, PartialEq)]
pub struct ContactSheet {
    /// Above the figure; none if empty.
    pub title: String,
    /// The parameter from left to right.
    pub x: String,
    /// The parameter from the bottom to the top.
    pub y: String,
    /// One a cell; of two for the same cell the first is shown.
    pub pictures: Vec<Picture>,
    /// Of the figure.
    pub width: Width,
}

/// A picture of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// Value of the parameter from left to right.
    pub x: Scalar,
    /// Value of the parameter from the bottom to the top.
    pub y: Scalar,
    /// A whole PNG file.
    pub png: Vec<u8>,
    /// What a page shows under the pointer, such as the name of the run; none if empty.
    pub label: String,
}

/// Between two cells, in points.
const GAP: f64 = 2.0;
/// Letters of the values beside the rows have this much room at the most.
const BESIDE: f64 = 60.0;

impl ContactSheet {
    /// The figure, the same bytes for the same data. The pictures are in it.
    #[must_use]
    pub fn to_svg(&self) -> String {
        let mut page = Page::new(&self.title, self.width);
        let across = Dimension::of(self.pictures.iter().map(|picture| &picture.x));
        let down = Dimension::of(self.pictures.iter().map(|picture| &picture.y));
        let named = |parameter: &str, value: &String| format!("{parameter} = {value}");
        let beside: Vec<String> = down.names.iter().map(|value| named(&self.y, value)).collect();
        let room = beside.iter().map(|name| letters_width(name, LABEL_SIZE)).fold(0.0, f64::max).min(BESIDE);
        let (left, columns, rows) = (MARGIN + room + GAP, across.names.len().max(1), down.names.len().max(1));
        let width = ((page.right() - left) / columns as f64 - GAP).max(1.0);
        let highest = (HIGHEST / rows as f64 - GAP).max(1.0);
        let height = (width * self.aspect()).min(highest);
        let top = page.cursor + LABEL_SIZE * LEADING + GAP;
        let cell = |column: usize, row: usize| Area {
            left: left + column as f64 * (width + GAP),
            top: top + (rows - 1 - row) as f64 * (height + GAP),
            width,
            height,
        };
        for (column, value) in across.names.iter().enumerate() {
            let place = [cell(column, 0).x(0.5), page.cursor + LABEL_SIZE];
            let name = named(&self.x, value);
            page.push(fitted_label("plot-tick", &name, place, LABEL_SIZE, Anchor::Middle, width).fill(INK));
        }
        for (row, name) in beside.iter().enumerate() {
            let place = [left - GAP, cell(0, row).y(0.5) + LABEL_SIZE * MIDDLE];
            page.push(fitted_label("plot-tick", name, place, LABEL_SIZE, Anchor::End, room).fill(INK));
        }
        for row in 0..down.names.len() {
            for column in 0..across.names.len() {
                let is_here = |picture: &&Picture| {
                    across.place(&picture.x) == Some(column) && down.place(&picture.y) == Some(row)
                };
                page.push(drawn(self.pictures.iter().find(is_here), &cell(column, row)));
            }
        }
        page.cursor = top + rows as f64 * (height + GAP);
        let description = format!("{} pictures by {} and {}.", self.pictures.len(), self.x, self.y);
        page.finish("plot-contact-sheet", &description)
    }

    /// How much higher than wide the highest picture is.
    fn aspect(&self) -> f64 {
        let aspects = self.pictures.iter().filter_map(|picture| aspect(&picture.png));
        aspects.reduce(f64::max).unwrap_or(1.0)
    }
}

/// Of the size that a PNG file says of itself.
fn aspect(png: &[u8]) -> Option<f64> {
    let number = |from: usize| Some(u32::from_be_bytes(png.get(from..from + 4)?.try_into().ok()?));
    let (width, height) = (number(16)?, number(20)?);
    (width > 0 && height > 0).then(|| f64::from(height) / f64::from(width))
}

/// A picture in its cell; a frame where there is none.
fn drawn(picture: Option<&Picture>, cell: &Area) -> Element {
    let Some(picture) = picture else {
        let frame = cell.inside(0.5).rectangle("plot-missing").fill("none").stroke(GRID, 0.5);
        let place = [cell.x(0.5), cell.y(0.5) + LABEL_SIZE * MIDDLE];
        let words = label("plot-note", "–", place, LABEL_SIZE, Anchor::Middle).fill(FAINT_INK);
        return Element::group("plot-cell").child(frame).child(words);
    };
    let image = Element::new("image")
        .class("plot-picture")
        .number("x", cell.left)
        .number("y", cell.top)
        .number("width", cell.width)
        .number("height", cell.height)
        // Pixels stay what they are.
        .word("image-rendering", "pixelated")
        .word("href", format!("data:image/png;base64,{}", STANDARD.encode(&picture.png)));
    if picture.label.is_empty() { image } else { image.title(&picture.label) }
}
