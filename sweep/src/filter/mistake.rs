//! What is wrong with a condition, and where.

use std::fmt;
use std::ops::Range;

/// A condition that makes no sense. Displays what is wrong, the text with carets below the place, and a hint where there is
/// one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterError {
    text: String,
    /// Bytes of the text.
    span: Range<usize>,
    message: String,
    hint: Option<String>,
}

impl FilterError {
    pub(super) fn new(text: &str, span: Range<usize>, message: impl Into<String>) -> FilterError {
        FilterError { text: text.to_owned(), span, message: message.into(), hint: None }
    }

    pub(super) fn with_hint(self, hint: Option<String>) -> FilterError {
        FilterError { hint, ..self }
    }
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letters = |bytes: Range<usize>| self.text.get(bytes).unwrap_or_default().chars().count();
        let before = letters(0..self.span.start);
        let carets = letters(self.span.clone()).max(1);
        // A line of one's own would move the carets.
        let line: String = self.text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        write!(f, "{}\n  {line}\n  {}{}", self.message, " ".repeat(before), "^".repeat(carets))?;
        self.hint.iter().try_for_each(|hint| write!(f, "\nhint: {hint}"))
    }
}

impl std::error::Error for FilterError {}
