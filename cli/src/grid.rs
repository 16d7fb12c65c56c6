//! Rows under their headings, without lines, as wide as there is room for.

use acai_sweep::spelling::printable;
use comfy_table::{ContentArrangement, Table};

/// Spaces between columns.
const GAP: usize = 2;
/// A column of free text is cut to no less than this.
const SHORTEST: usize = 16;

/// A table for people.
pub(crate) struct Grid {
    headings: Vec<String>,
    rows: Vec<Vec<String>>,
    /// Columns from the left that are never left out.
    kept: usize,
    /// The column of free text, if there is one: its end may be missing.
    free: Option<usize>,
}

/// The table as it fits.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fitted {
    /// One or several for the headings, then one for each row.
    pub(crate) lines: Vec<String>,
    /// How many lines the headings take.
    pub(crate) heading: usize,
    /// What is left out, and how to see it.
    pub(crate) note: Option<String>,
}

impl Grid {
    pub(crate) fn new<S: AsRef<str>>(headings: &[S], rows: Vec<Vec<String>>) -> Grid {
        // Names and messages are others'.
        let headings = headings.iter().map(|heading| printable(heading.as_ref())).collect();
        let rows = rows.into_iter().map(|row| row.iter().map(|cell| printable(cell)).collect()).collect();
        Grid { headings, rows, kept: 1, free: None }
    }

    /// Never leaves out the first columns.
    pub(crate) fn keeping(mut self, columns: usize) -> Grid {
        self.kept = columns;
        self
    }

    /// May cut the texts of the last column.
    pub(crate) fn free_text_last(mut self) -> Grid {
        self.free = self.headings.len().checked_sub(1);
        self
    }

    /// All of it, in as many columns of letters as there are; in at most `width` by breaking headings, cutting free text, and
    /// leaving out columns, those on the right first.
    pub(crate) fn fit(mut self, width: Option<usize>) -> Fitted {
        let Some(width) = width.filter(|&width| self.width() > width) else { return self.drawn(None) };
        self.break_headings();
        let mut left_out = Vec::new();
        while self.width() > width && self.dispensable().is_some() && !self.can_be_cut(width) {
            left_out.extend(self.dispensable().map(|column| self.remove(column)));
        }
        let is_cut = self.can_be_cut(width) && self.cut(width);
        left_out.reverse();
        let whole = if is_cut { vec!["texts to their ends".to_owned()] } else { Vec::new() };
        let shown = [left_out, whole].concat().join(", ");
        self.drawn(Some(shown).filter(|shown| !shown.is_empty()))
    }

    fn widths(&self) -> Vec<usize> {
        let of_heading = |heading: &String| heading.lines().map(letters).max().unwrap_or(0);
        let column = |(column, heading): (usize, &String)| {
            let cells = self.rows.iter().filter_map(|row| row.get(column)).map(|cell| letters(cell));
            cells.max().unwrap_or(0).max(of_heading(heading))
        };
        self.headings.iter().enumerate().map(column).collect()
    }

    fn width(&self) -> usize {
        let widths = self.widths();
        widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1)
    }

    /// Headings that are longer than what stands below them go on in a second line, at a slash or an underscore.
    fn break_headings(&mut self) {
        for column in 0..self.headings.len() {
            let cells = self.rows.iter().filter_map(|row| row.get(column)).map(|cell| letters(cell));
            let room = cells.max().unwrap_or(0);
            self.headings[column] = broken(&self.headings[column], room);
        }
    }

    /// The next column to leave out: the last one but for free text, which is only left out when nothing else is left.
    fn dispensable(&self) -> Option<usize> {
        let others = (self.kept..self.headings.len()).rev();
        others.clone().find(|column| Some(*column) != self.free).or_else(|| others.clone().next())
    }

    fn remove(&mut self, column: usize) -> String {
        self.rows.iter_mut().filter(|row| column < row.len()).for_each(|row| drop(row.remove(column)));
        self.free = self.free.filter(|&free| free != column).map(|free| free - usize::from(column < free));
        self.headings.remove(column).replace('\n', "")
    }

    /// How much of free text there is room for.
    fn room(&self, width: usize) -> Option<usize> {
        let free = self.free?;
        let others = self.width() - self.widths()[free];
        width.checked_sub(others).filter(|&room| room >= SHORTEST)
    }

    fn can_be_cut(&self, width: usize) -> bool {
        self.room(width).is_some()
    }

    /// Answers whether anything had to be cut.
    fn cut(&mut self, width: usize) -> bool {
        let (Some(free), Some(room)) = (self.free, self.room(width)) else { return false };
        let mut is_cut = false;
        for cell in self.rows.iter_mut().filter_map(|row| row.get_mut(free)) {
            if letters(cell) > room {
                *cell = cell.chars().take(room - 1).chain(['…']).collect();
                is_cut = true;
            }
        }
        is_cut
    }

    fn drawn(self, left_out: Option<String>) -> Fitted {
        let heading = self.headings.iter().map(|heading| heading.lines().count()).max().unwrap_or(0).max(1);
        let mut table = Table::new();
        table.load_style(comfy_table::presets::NOTHING);
        table.set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(self.headings);
        table.add_rows(self.rows);
        for column in table.column_iter_mut() {
            column.set_padding((0, GAP as u16));
        }
        let lines = table.trim_fmt().lines().map(str::to_owned).collect();
        Fitted { lines, heading, note: left_out.map(|columns| format!("(--wide shows {columns})")) }
    }
}

impl std::fmt::Display for Fitted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.lines.join("\n"))?;
        self.note.iter().try_for_each(|note| write!(f, "\n{note}"))
    }
}

fn letters(text: &str) -> usize {
    text.chars().count()
}

/// The heading in lines of at most `room` letters where its parts allow that.
fn broken(heading: &str, room: usize) -> String {
    let (mut lines, mut line) = (Vec::new(), String::new());
    for part in heading.split_inclusive(['/', '_']) {
        if !line.is_empty() && letters(&line) + letters(part) > room {
            lines.push(std::mem::take(&mut line));
        }
        line.push_str(part);
    }
    lines.push(line);
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid() -> Grid {
        let row = |cells: [&str; 5]| cells.map(str::to_owned).to_vec();
        let headings = ["run", "eval/mean_distance", "seed", "worker", "message"];
        let rows = vec![
            row(["#0", "0.0123", "0", "gpu-7", ""]),
            row(["#1", "0.0456", "1", "gpu-7", "the loss is not a number, since step 7"]),
        ];
        Grid::new(&headings, rows).free_text_last()
    }

    #[test]
    fn no_cell_commands_a_terminal() {
        let fitted = Grid::new(&["worker"], vec![vec!["gpu\u{1b}[2J".to_owned()]]).fit(None);
        assert_eq!(fitted.lines, ["worker", "gpu\\u{1b}[2J"]);
    }

    #[test]
    fn a_table_that_fits_is_drawn_as_it_is() {
        for width in [None, Some(200)] {
            let fitted = grid().fit(width);
            assert_eq!((fitted.heading, &fitted.note), (1, &None));
            assert_eq!(fitted.lines[0], "run  eval/mean_distance  seed  worker  message");
        }
    }

    #[test]
    fn headings_are_broken_texts_cut_and_columns_left_out_and_no_line_is_too_long() {
        let fitted = grid().fit(Some(48)).to_string();
        assert_eq!(
            fitted,
            "\
run  eval/     seed  worker  message
     mean_
     distance
#0   0.0123    0     gpu-7
#1   0.0456    1     gpu-7   the loss is not a …
(--wide shows texts to their ends)"
        );
        let fitted = grid().fit(Some(36));
        assert_eq!(fitted.note.as_deref(), Some("(--wide shows seed, worker, texts to their ends)"));
        assert_eq!(fitted.lines[4], "#1   0.0456    the loss is not a nu…");
        for width in 5..120 {
            let fitted = grid().fit(Some(width));
            assert!(fitted.lines.iter().all(|line| letters(line) <= width), "{width}: {fitted}");
        }
    }

    #[test]
    fn what_is_kept_stays_in_any_width() {
        let fitted = grid().keeping(2).fit(Some(4));
        assert_eq!(fitted.lines[3], "#0   0.0123");
    }
}
