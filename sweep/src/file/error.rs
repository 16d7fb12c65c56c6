//! What is wrong with a sweep file, and where.

use std::cell::RefCell;
use std::fmt;

use super::place::{Place, Position, locate};
use crate::parameters::ParameterError;
use crate::spelling::counted;

/// Mistakes shown at once; in a file with more, most follow from the first.
const MAX_MISTAKES: usize = 20;

/// A sweep file that cannot be run. Displays each mistake as `FILE:LINE:COLUMN: message`, followed
/// by a line `hint: …` where there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SweepFileError {
    /// The file's name, as given to the parser.
    pub file: String,
    /// At least one, in the order of the file, the first 20.
    pub mistakes: Vec<Mistake>,
    /// How many more there are.
    pub omitted: usize,
}

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What was probably meant, or what to do.
    pub hint: Option<String>,
}

impl Mistake {
    pub(super) fn new(position: Position, message: &str, hint: Option<String>) -> Self {
        Mistake { line: position.line, column: position.column, message: message.to_owned(), hint }
    }

    /// `FILE:LINE:COLUMN: message`, the message after a word for its kind such as `warning: `, and a line for the hint.
    #[must_use]
    pub fn shown(&self, file: &str, kind: &str) -> String {
        let Mistake { line, column, message, hint } = self;
        let hint = hint.as_ref().map_or(String::new(), |hint| format!("\nhint: {hint}"));
        format!("{file}:{line}:{column}: {kind}{message}{hint}")
    }

    /// As [`shown`](Self::shown), with the line of the file's `source` that it is in, and a caret below its place.
    #[must_use]
    pub fn shown_in(&self, (file, source): (&str, &str), kind: &str) -> String {
        let message = Mistake { hint: None, ..self.clone() }.shown(file, kind);
        let place = source.lines().nth(self.line.wrapping_sub(1)).and_then(|line| caret(line, self));
        let hint = self.hint.as_ref().map(|hint| format!("hint: {hint}"));
        [Some(message), place, hint].into_iter().flatten().collect::<Vec<_>>().join("\n")
    }
}

impl SweepFileError {
    /// The mistakes, each with the line of the file's `source` that it is in, and a caret below its place.
    #[must_use]
    pub fn shown_in(&self, source: &str) -> String {
        let mistakes = self.mistakes.iter().map(|mistake| mistake.shown_in((self.file.as_str(), source), ""));
        let mut shown: Vec<String> = mistakes.collect();
        if self.omitted > 0 {
            shown.push(format!("{}: {}", self.file, counted(self.omitted as u64, "more mistake")));
        }
        shown.join("\n")
    }

    pub(super) fn one(file: &str, mistake: Mistake) -> Self {
        SweepFileError { file: file.to_owned(), mistakes: vec![mistake], omitted: 0 }
    }

    pub(super) fn from_faults(file: &str, text: &str, faults: Vec<Fault>) -> Self {
        let omitted = faults.len().saturating_sub(MAX_MISTAKES);
        SweepFileError { file: file.to_owned(), mistakes: located(text, faults), omitted }
    }
}

/// A line of the file, and a caret below the mistake; none of an empty line, nor of one that is too long to read.
fn caret(line: &str, mistake: &Mistake) -> Option<String> {
    const LONGEST: usize = 200;
    if line.trim().is_empty() || line.chars().count() > LONGEST {
        return None;
    }
    let number = mistake.line.to_string();
    let before = line.chars().take(mistake.column.saturating_sub(1));
    // A tab is as wide above as below.
    let gap: String = before.map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
    Some(format!("  {number} | {line}\n  {} | {gap}^", " ".repeat(number.len())))
}

/// The first faults, each with its position in the file's `text`.
pub(super) fn located(text: &str, mut faults: Vec<Fault>) -> Vec<Mistake> {
    faults.truncate(MAX_MISTAKES);
    let mut mistakes: Vec<Mistake> = faults
        .into_iter()
        .map(|fault| Mistake::new(locate(text, &fault.place), &fault.message, fault.hint))
        .collect();
    mistakes.sort_by_key(|mistake| (mistake.line, mistake.column));
    mistakes
}

impl fmt::Display for SweepFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, mistake) in self.mistakes.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{}", mistake.shown(&self.file, ""))?;
        }
        match self.omitted {
            0 => Ok(()),
            more => write!(f, "\n{}: {}", self.file, counted(more as u64, "more mistake")),
        }
    }
}

impl std::error::Error for SweepFileError {}

/// A mistake at a place that has not been located yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) place: Place,
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

impl Fault {
    pub(super) fn new(place: &Place, message: impl Into<String>) -> Self {
        Fault { place: place.clone(), message: message.into(), hint: None }
    }

    pub(super) fn with_hint(self, hint: Option<impl Into<String>>) -> Self {
        Fault { hint: hint.map(Into::into), ..self }
    }

    pub(super) fn of_parameter(place: &Place, error: &ParameterError) -> Self {
        Fault::new(place, error.to_string()).with_hint(error.hint())
    }
}

/// Collects faults, so that one look at the file shows as many as possible.
#[derive(Debug, Default)]
pub(super) struct Faults(RefCell<Vec<Fault>>);

impl Faults {
    pub(super) fn push(&self, fault: Fault) {
        self.0.borrow_mut().push(fault);
    }

    /// The value, or `None` and the fault noted.
    pub(super) fn keep<T>(&self, result: Result<T, Fault>) -> Option<T> {
        result.map_err(|fault| self.push(fault)).ok()
    }

    /// The value, or a placeholder and the fault noted: the file is refused anyway.
    pub(super) fn keep_or_default<T: Default>(&self, result: Result<T, Fault>) -> T {
        self.keep(result).unwrap_or_default()
    }

    pub(super) fn any(&self, is: impl Fn(&Fault) -> bool) -> bool {
        self.0.borrow().iter().any(is)
    }

    /// The value, if there is no fault.
    pub(super) fn unless_any<T>(self, value: Option<T>) -> Result<T, Vec<Fault>> {
        match (value, self.0.into_inner()) {
            (Some(value), faults) if faults.is_empty() => Ok(value),
            (_, faults) => Err(faults),
        }
    }
}
