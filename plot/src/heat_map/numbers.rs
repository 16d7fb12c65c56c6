//! The numbers in a cell of a heat map, and how many of them have room.

use crate::heat_map::Cell;
use crate::number::{fixed, in_units, is_long, mean_and_spread, power_of_ten, times_power_of_ten};
use crate::text::{LEADING, width};

/// Between numbers and the edge of their cell, in points.
const EDGE: f64 = 2.0;

/// How the numbers of a figure are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Notation {
    /// In units of ten to this power.
    Units(i32),
    /// Each with a power of ten of its own.
    Powers,
}

/// What is written into a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Numbers {
    /// `None` where no run has a value.
    mean: Option<String>,
    spread: Option<String>,
    /// What mean and spread are to be multiplied by, as `×10⁻³`; may be empty.
    power: String,
    /// `5`, or `3/5` where runs are missing.
    n: String,
}

impl Numbers {
    pub(crate) fn of(cell: &Cell, notation: Notation) -> Numbers {
        let n = if cell.n < cell.runs { format!("{}/{}", cell.n, cell.runs) } else { cell.n.to_string() };
        let Some(mean) = cell.value() else {
            return Numbers { mean: None, spread: None, power: String::new(), n };
        };
        let (units, power) = match notation {
            Notation::Units(factor) if !is_long(in_units(mean, factor)) => (factor, String::new()),
            _ => (power_of_ten(mean), times_power_of_ten(power_of_ten(mean))),
        };
        let spread = in_units(cell.spread, units);
        let is_readable = spread.is_finite() && spread.abs() < 1e6;
        let (mean, spread) = (in_units(mean, units), is_readable.then_some(spread));
        let (mean, spread) = if power.is_empty() {
            mean_and_spread(mean, spread)
        } else {
            (fixed(mean, 1), spread.map(|spread| fixed(spread, 1)))
        };
        Numbers { mean: Some(mean), spread, power, n }
    }

    /// For titles, which have room.
    pub(crate) fn sentence(&self) -> String {
        let value = self.mean_and_spread();
        format!("{}, n = {}", value.as_deref().unwrap_or("no value"), self.n.replace('/', " of "))
    }

    /// On one line.
    fn mean_and_spread(&self) -> Option<String> {
        let mean = self.mean.as_ref()?;
        Some(match &self.spread {
            None => format!("{mean}{}", self.power),
            Some(spread) if self.power.is_empty() => format!("{mean} ± {spread}"),
            Some(spread) => format!("({mean} ± {spread}){}", self.power),
        })
    }
}

/// How much of the numbers is written, and how large: the same in all cells of a figure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Layout {
    lines: Lines,
    /// In points.
    pub(crate) size: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lines {
    /// `0.24 ± 0.01`, `n = 5`
    Two,
    /// `0.24`, `± 0.01`, `n = 5`; or `2.4 ± 0.1`, `×10⁻⁴`, `n = 5`
    Three,
    /// `0.24`
    Mean,
}

impl Layout {
    /// From the best to the least.
    const ALL: [Layout; 6] = [
        Layout { lines: Lines::Two, size: 7.0 },
        Layout { lines: Lines::Three, size: 7.0 },
        Layout { lines: Lines::Three, size: 6.0 },
        Layout { lines: Lines::Three, size: 5.5 },
        Layout { lines: Lines::Mean, size: 6.0 },
        Layout { lines: Lines::Mean, size: 5.5 },
    ];

    /// The best that has room in every cell, whose width and height are in points.
    pub(crate) fn that_fits(numbers: &[Numbers], cell_width: f64, cell_height: f64) -> Option<Layout> {
        let fits = |layout: &&Layout| {
            numbers.iter().all(|numbers| {
                let [width, height] = layout.room(&layout.text(numbers));
                width <= cell_width - 2.0 * EDGE && height <= cell_height - EDGE
            })
        };
        Layout::ALL.iter().find(fits).copied()
    }

    /// Whether ± and n are written.
    pub(crate) fn has_spread(self) -> bool {
        self.lines != Lines::Mean
    }

    /// Line by line.
    pub(crate) fn text(self, numbers: &Numbers) -> Vec<String> {
        let n = format!("n = {}", numbers.n);
        let (Some(mean), Some(line)) = (&numbers.mean, numbers.mean_and_spread()) else {
            return if self.lines == Lines::Mean { vec![numbers.n.clone()] } else { vec![n] };
        };
        let power = &numbers.power;
        match (self.lines, &numbers.spread) {
            (Lines::Mean, _) => vec![format!("{mean}{power}")],
            (Lines::Two, _) | (Lines::Three, None) => vec![line, n],
            (Lines::Three, Some(spread)) if power.is_empty() => vec![mean.clone(), format!("± {spread}"), n],
            (Lines::Three, Some(spread)) => vec![format!("{mean} ± {spread}"), power.clone(), n],
        }
    }

    /// Width and height of a text, in points.
    fn room(self, lines: &[String]) -> [f64; 2] {
        let widest = lines.iter().map(|line| width(line, self.size)).fold(0.0, f64::max);
        [widest, lines.len() as f64 * self.size * LEADING]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(mean: f64, spread: f64, n: usize, notation: Notation) -> Numbers {
        let cell = Cell { x: 0.into(), y: 0.into(), mean, spread, n, runs: 5, why: String::new() };
        Numbers::of(&cell, notation)
    }

    #[test]
    fn cells_show_as_much_as_has_room_in_all_of_them() {
        let thousandths = Notation::Units(-3);
        let numbers = [numbers(0.0052, 0.0005, 5, thousandths), numbers(f64::NAN, f64::NAN, 0, thousandths)];
        let lines = |width, height| {
            let layout = Layout::that_fits(&numbers, width, height);
            layout.map(|layout| layout.text(&numbers[0])).unwrap_or_default()
        };
        assert_eq!(lines(70.0, 30.0), ["5.20 ± 0.50", "n = 5"]);
        assert_eq!(lines(35.0, 30.0), ["5.20", "± 0.50", "n = 5"]);
        assert_eq!(lines(24.0, 10.0), ["5.20"]);
        assert_eq!(lines(9.0, 9.0), [] as [&str; 0]);
    }

    #[test]
    fn a_mean_with_a_power_of_its_own_shares_it_with_its_spread() {
        let numbers = numbers(2.5e-4, 3.1e-5, 5, Notation::Powers);
        assert_eq!(numbers.sentence(), "(2.5 ± 0.3)×10⁻⁴, n = 5");
        let layout = Layout { lines: Lines::Three, size: 7.0 };
        assert_eq!(layout.text(&numbers), ["2.5 ± 0.3", "×10⁻⁴", "n = 5"]);
    }

    #[test]
    fn a_title_says_how_many_runs_stand_behind_a_mean() {
        let sentence = |mean, n| numbers(mean, 0.0005, n, Notation::Units(0)).sentence();
        assert_eq!(sentence(0.0052, 3), "0.00520 ± 0.00050, n = 3 of 5");
        assert_eq!(sentence(f64::NAN, 0), "no value, n = 0 of 5");
    }
}
