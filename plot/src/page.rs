//! The figure as a whole: its size, its title, and what is said under it.

use crate::area::Area;
use crate::colour::{FAINT_INK, INK, PAPER};
use crate::svg::Element;
use crate::text::{Anchor, FONTS, LABEL_SIZE, LEADING, NAME_SIZE, label, wrap};

/// How wide a figure is, so that a paper need not scale it and its letters keep their size. How high it is follows from
/// what it shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Width {
    /// One column of two, 84 mm.
    #[default]
    OneColumn,
    /// Both columns, 174 mm.
    TwoColumns,
}

const POINTS_PER_MM: f64 = 72.0 / 25.4;
/// Left free on all sides, in points.
pub(crate) const MARGIN: f64 = 3.0;
/// No figure's data is higher than this many points: with title and notes around it must fit a page.
pub(crate) const HIGHEST: f64 = 560.0;

impl Width {
    fn millimetres(self) -> f64 {
        match self {
            Width::OneColumn => 84.0,
            Width::TwoColumns => 174.0,
        }
    }

    /// In points of 1/72 inch, the unit of all coordinates.
    pub(crate) fn points(self) -> f64 {
        self.millimetres() * POINTS_PER_MM
    }

    /// How high the part with the data is, in points, where nothing else decides.
    pub(crate) fn usual_height(self) -> f64 {
        match self {
            Width::OneColumn => 140.0,
            Width::TwoColumns => 210.0,
        }
    }
}

/// A figure that is being drawn from its top to its bottom.
#[derive(Debug)]
pub(crate) struct Page {
    width: Width,
    title: String,
    content: Vec<Element>,
    /// Points from the top that are taken.
    pub(crate) cursor: f64,
}

impl Page {
    /// With the title on top, if there is one.
    pub(crate) fn new(title: &str, width: Width) -> Page {
        let mut page = Page { width, title: title.to_owned(), content: Vec::new(), cursor: MARGIN };
        page.lines("plot-title", title, NAME_SIZE, INK, 3);
        if page.cursor > MARGIN {
            page.cursor += 4.0;
        }
        page
    }

    /// In points.
    pub(crate) fn right(&self) -> f64 {
        self.width.points() - MARGIN
    }

    pub(crate) fn push(&mut self, element: Element) {
        self.content.push(element);
    }

    /// A sentence under what was drawn until now.
    pub(crate) fn note(&mut self, text: &str) {
        self.lines("plot-note", text, LABEL_SIZE - 0.5, FAINT_INK, 4);
    }

    fn lines(&mut self, class: &str, text: &str, size: f64, colour: &str, most: usize) {
        for line in wrap(text, size, self.right() - MARGIN, most) {
            let place = [MARGIN, self.cursor + size];
            self.content.push(label(class, line, place, size, Anchor::Start).fill(colour));
            self.cursor += size * LEADING;
        }
    }

    /// The whole as a file, or for the middle of a page of HTML. `kind` is its class, `description` what it shows, in
    /// words.
    pub(crate) fn finish(self, kind: &str, description: &str) -> String {
        let [width, height] = [self.width.points(), self.cursor + MARGIN];
        let ground = Area { left: 0.0, top: 0.0, width, height }.rectangle("plot-ground").fill(PAPER);
        let two_decimals = |value: f64| (value * 100.0).ceil() / 100.0;
        let [view_width, view_height] = [width, height].map(two_decimals);
        Element::new("svg")
            .word("xmlns", "http://www.w3.org/2000/svg")
            .class(&format!("plot {kind}"))
            .word("role", "img")
            .word("width", format!("{}mm", self.width.millimetres()))
            .word("height", format!("{:.2}mm", height / POINTS_PER_MM))
            .word("viewBox", format!("0 0 {view_width} {view_height}"))
            .word("font-family", FONTS)
            .title(if self.title.is_empty() { description } else { &self.title })
            .child(Element::new("desc").text(description))
            .child(ground)
            .children(self.content)
            .to_xml()
    }
}
