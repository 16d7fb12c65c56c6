//! How a heat map is put together.

use acai_sweep::metric::Goal;

use crate::area::Area;
use crate::axis::{name_below, name_beside};
use crate::categories::{NamesBelow, NamesBeside};
use crate::colour::{Colour, INK, NO_VALUE};
use crate::heat_map::cell::{CellDrawing, best_frame, empty, hatching};
use crate::heat_map::colour_bar;
use crate::heat_map::grid::{Grid, Place};
use crate::heat_map::numbers::{Layout, Notation, Numbers};
use crate::heat_map::{Cell, HeatMap};
use crate::legend::{self, Entry};
use crate::page::{HIGHEST, MARGIN, Page};
use crate::scale::{Scale, Scaling};
use crate::svg::Element;
use crate::text::{NAME_SIZE, no_values, width};
use crate::ticks::{Ticks, ticks};

/// Of a row whose cells have numbers in them, in points.
const ROW: f64 = 30.0;
/// The narrowest row where there is room, in points.
const NARROW_ROW: f64 = 9.0;
/// The widest column, in points.
const COLUMN: f64 = 72.0;
/// The part with data is as high as the names beside it are long, between these, in points.
const LOWEST: std::ops::RangeInclusive<f64> = 60.0..=140.0;
/// Beyond this, cells without runs are left to the paper.
const MOST_EMPTY: usize = 10_000;

/// A heat map, and what follows from its values.
pub(crate) struct Drawing<'a> {
    figure: &'a HeatMap,
    grid: Grid<'a>,
    colours: Scale,
    bar_ticks: Ticks,
    /// Of the cells that have runs, in the grid's order.
    numbers: Vec<Numbers>,
}

/// Where the parts of a figure are.
struct Parts<'g> {
    cells: Area,
    /// `None` where numbers have no room.
    layout: Option<Layout>,
    row_names: NamesBeside<'g>,
    column_names: NamesBelow<'g>,
}

impl<'a> Drawing<'a> {
    pub(crate) fn of(figure: &'a HeatMap) -> Drawing<'a> {
        let grid = Grid::of(figure);
        let values = || grid.cells.values().filter_map(|cell| cell.value());
        let colours = Scale::around(values(), figure.metric.scaling, 0.0);
        let bar_ticks = ticks(&colours, 5);
        // Cells agree with the colour bar beside them.
        let notation = match figure.metric.scaling {
            Scaling::Log if !values().all(|mean| (0.01..1e5).contains(&mean)) => Notation::Powers,
            Scaling::Log | Scaling::Linear => Notation::Units(bar_ticks.factor),
        };
        let numbers = grid.cells.values().map(|cell| Numbers::of(cell, notation)).collect();
        Drawing { figure, grid, colours, bar_ticks, numbers }
    }

    pub(crate) fn to_svg(&self) -> String {
        let mut page = Page::new(&self.figure.title, self.figure.width);
        let parts = self.lay_out(&page);
        let Parts { cells, row_names, column_names, .. } = &parts;
        let name_line = cells.bottom() + column_names.height() + 3.0 + NAME_SIZE * 0.8;

        page.push(self.empty_cells(cells));
        page.push(self.cells(&parts));
        if self.grid.cells.is_empty() {
            page.push(no_values(cells));
        }
        for best in self.best() {
            page.push(best_frame(&self.grid.area(cells, best)));
        }
        page.push(row_names.draw(cells));
        page.push(column_names.draw(cells));
        page.push(name_beside(cells, MARGIN + NAME_SIZE * 0.8, &self.grid.y_name()));
        page.push(name_below(cells, name_line, page.right(), &self.grid.x_name()));
        page.push(colour_bar::draw(cells, &self.bar_ticks, &self.figure.metric));
        page.cursor = name_line + NAME_SIZE * 0.5 + 2.0;

        legend::draw(&mut page, MARGIN, &self.legend());
        for note in self.notes(&parts) {
            page.note(&note);
        }
        page.finish("plot-heat-map", &self.description())
    }

    fn lay_out(&self, page: &Page) -> Parts<'_> {
        let (rows, columns) = (self.grid.row_count(), self.grid.column_count());
        let names_room = page.right() * 0.3;
        let names_width = NamesBeside::lay_out(self.grid.row_names(), HIGHEST, names_room).width();
        let left = MARGIN + NAME_SIZE + 3.0 + names_width;
        let room = page.right() - left - colour_bar::room(&self.bar_ticks);
        let column = (room / columns).min(COLUMN);
        let has_numbers = Layout::that_fits(&self.numbers, column, ROW).is_some();
        let row = if has_numbers { ROW } else { column.clamp(NARROW_ROW, ROW) };
        let names = [self.grid.y_name(), self.figure.metric.label(self.bar_ticks.factor)];
        let longest = names.iter().map(|name| width(name, NAME_SIZE)).fold(0.0, f64::max);
        let height = (rows * row).max(longest.clamp(*LOWEST.start(), *LOWEST.end())).min(HIGHEST);
        let cells = Area { left, top: page.cursor + 2.0, width: column * columns, height };
        Parts {
            cells,
            layout: Layout::that_fits(&self.numbers, column, height / rows),
            row_names: NamesBeside::lay_out(self.grid.row_names(), height, names_room),
            column_names: NamesBelow::lay_out(self.grid.column_names(), left, cells.width),
        }
    }

    fn empty_cells(&self, whole: &Area) -> Element {
        let group = Element::group("plot-cells");
        if self.grid.empty_count() > MOST_EMPTY {
            return group;
        }
        let cell = |place| {
            let title = format!("{}: no runs", self.grid.title(place));
            empty(&self.grid.area(whole, place), title)
        };
        group.children(self.grid.empty_places().map(cell))
    }

    fn cells(&self, parts: &Parts<'_>) -> Element {
        let cell = |((&place, cell), numbers): ((&Place, &&Cell), &Numbers)| {
            let numbers_in_title = Numbers::of(cell, Notation::Units(0)).sentence();
            let why = if cell.why.is_empty() { String::new() } else { format!(" ({})", cell.why) };
            CellDrawing {
                area: self.grid.area(&parts.cells, place),
                colour: self.colour(cell),
                is_complete: cell.is_complete(),
                numbers,
                layout: parts.layout,
                title: format!("{}: {numbers_in_title}{why}", self.grid.title(place)),
            }
            .draw()
        };
        Element::group("plot-cells").children(self.grid.cells.iter().zip(&self.numbers).map(cell))
    }

    fn colour(&self, cell: &Cell) -> Option<Colour> {
        let mean = cell.value().filter(|&mean| self.colours.has_place(mean))?;
        Some(Colour::at(self.colours.position(mean)))
    }

    /// Those with the best mean, which are several only where their means are equal.
    fn best(&self) -> Vec<Place> {
        let means = || self.grid.cells.iter().filter_map(|(&place, cell)| Some((place, cell.value()?)));
        let best = match self.figure.goal {
            Some(Goal::Minimize) => means().map(|(_, mean)| mean).reduce(f64::min),
            Some(Goal::Maximize) => means().map(|(_, mean)| mean).reduce(f64::max),
            None => None,
        };
        means().filter(|(_, mean)| Some(*mean) == best).map(|(place, _)| place).collect()
    }

    fn incomplete_count(&self) -> usize {
        self.grid.cells.values().filter(|cell| !cell.is_complete()).count()
    }

    fn legend(&self) -> Vec<Entry<'static>> {
        let sample = |[x, y]: [f64; 2]| Area { left: x - 9.0, top: y - 3.5, width: 18.0, height: 7.0 };
        let mut entries = Vec::new();
        if let Some(goal) = self.figure.goal.filter(|_| !self.best().is_empty()) {
            let which = match goal {
                Goal::Minimize => "smallest",
                Goal::Maximize => "largest",
            };
            let name = format!("best ({which})");
            entries.push(Entry { name, sample: Box::new(move |middle| best_frame(&sample(middle))) });
        }
        if self.incomplete_count() > 0 {
            let drawing = move |middle| {
                let area = sample(middle);
                let ground = area.rectangle("plot-colour").fill(NO_VALUE);
                Element::group("plot-incomplete").child(ground).child(hatching(&area, INK))
            };
            entries.push(Entry { name: "runs missing".to_owned(), sample: Box::new(drawing) });
        }
        if self.grid.empty_count() > 0 {
            let drawing = move |middle| empty(&sample(middle), "no runs".to_owned());
            entries.push(Entry { name: "no runs".to_owned(), sample: Box::new(drawing) });
        }
        entries
    }

    fn notes(&self, parts: &Parts<'_>) -> Vec<String> {
        let mut notes = Vec::new();
        if !self.grid.cells.is_empty() {
            notes.extend(parts.layout.map(|layout| {
                let spread = crate::interval::words(self.figure.spread);
                if layout.has_spread() {
                    format!("Cells: mean ± {spread} of n runs.")
                } else {
                    "Cells: mean.".to_owned()
                }
            }));
        }
        let without_colour =
            self.grid.cells.values().filter(|cell| cell.value().is_some() && self.colour(cell).is_none());
        let without_colour = without_colour.count();
        if without_colour > 0 {
            notes.push(format!(
                "Grey: {without_colour} means that are not positive have no colour on a log scale."
            ));
        }
        notes.extend(parts.row_names.note());
        notes.extend(parts.column_names.note());
        notes
    }

    fn description(&self) -> String {
        let best: Vec<String> = self.best().into_iter().map(|place| self.grid.title(place)).collect();
        let best = if best.is_empty() { String::new() } else { format!(" Best: {}.", best.join("; ")) };
        format!(
            "{} by {} and {}: {} cells with runs, {} of them incomplete, {} without runs.{best}",
            self.figure.metric.name,
            self.figure.x,
            self.figure.y,
            self.grid.cells.len(),
            self.incomplete_count(),
            self.grid.empty_count(),
        )
    }
}
