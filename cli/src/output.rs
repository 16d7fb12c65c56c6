//! The only place that prints: what could be piped goes to standard output, all else to standard error.

use std::borrow::Cow;
use std::io::{IsTerminal, Write, stdin};

use acai_sweep::spelling::printable;

/// Where a command's words go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    stdout_is_terminal: bool,
    stderr_is_terminal: bool,
    width: Option<usize>,
}

impl Output {
    pub(crate) fn new() -> Self {
        Output {
            stdout_is_terminal: std::io::stdout().is_terminal(),
            stderr_is_terminal: std::io::stderr().is_terminal(),
            width: width(),
        }
    }

    /// Letters that a line of a table may have; `None` for any number.
    pub(crate) fn width(self) -> Option<usize> {
        self.width
    }

    /// Where tables may be as wide as they are.
    pub(crate) fn wide(self, is_wide: bool) -> Output {
        Output { width: self.width.filter(|_| !is_wide), ..self }
    }

    /// Data: `text` and a line feed.
    pub(crate) fn data(self, text: &str) -> Result<(), Unwritten> {
        writeln!(std::io::stdout(), "{}", text.trim_end_matches('\n')).map_err(Unwritten)
    }

    /// A part of the data, as it is.
    pub(crate) fn part(self, text: &str) -> Result<(), Unwritten> {
        let mut stdout = std::io::stdout();
        stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(Unwritten)
    }

    /// A text of others, such as what a trainer printed: it commands no terminal, and a file or a program gets it as it is.
    pub(crate) fn of_others(self, text: &str) -> Cow<'_, str> {
        if self.stdout_is_terminal { Cow::Owned(printable(text)) } else { Cow::Borrowed(text) }
    }

    /// Whether what was printed can be printed over.
    pub(crate) fn draws_over(self) -> bool {
        self.stdout_is_terminal
    }

    /// What moves back over so many lines and clears them.
    pub(crate) fn over(self, lines: usize) -> String {
        if lines == 0 { String::new() } else { format!("\u{1b}[{lines}A\u{1b}[J") }
    }

    /// How many lines a text takes on the terminal.
    pub(crate) fn lines(self, text: &str) -> usize {
        let lines = |line: &str| match self.width {
            Some(width) if width > 0 => line.chars().count().div_ceil(width).max(1),
            _ => 1,
        };
        text.lines().map(lines).sum()
    }

    /// A remark for people.
    pub(crate) fn note(self, text: &str) {
        let _ = writeln!(std::io::stderr(), "{text}");
    }

    /// Whether there is a person to ask.
    pub(crate) fn can_ask(self) -> bool {
        self.stderr_is_terminal && stdin().is_terminal()
    }

    /// Asks the person at the terminal; anything but yes is no.
    pub(crate) fn ask(self, question: &str) -> bool {
        let _ = write!(std::io::stderr(), "{question}");
        let mut answer = String::new();
        let read = stdin().read_line(&mut answer);
        read.is_ok() && ["y", "yes"].contains(&answer.trim().to_lowercase().as_str())
    }

    /// Whether tables may use bold, and progress a moving line. `NO_COLOR` is honoured.
    pub(crate) fn is_styled(self) -> bool {
        self.stdout_is_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
    }

    /// Whether progress can be drawn over itself.
    pub(crate) fn draws_progress(self) -> bool {
        self.stderr_is_terminal
    }
}

/// Of the terminal that standard output is, or as the environment says.
fn width() -> Option<usize> {
    let asked = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    asked.or_else(|| Some(usize::from(terminal_size::terminal_size_of(std::io::stdout())?.0.0)))
}

/// Standard output takes no more: a full disk, or a reader that is gone.
#[derive(Debug)]
pub(crate) struct Unwritten(pub(crate) std::io::Error);

impl std::fmt::Display for Unwritten {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "cannot write to standard output: {}", self.0)
    }
}

impl std::error::Error for Unwritten {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_printed_commands_no_terminal_and_stays_as_it_is_elsewhere() {
        let to = |stdout_is_terminal| Output { stdout_is_terminal, stderr_is_terminal: false, width: None };
        let text = "\u{1b}[31mred\n\tx\n";
        assert_eq!(to(true).of_others(text), "\\u{1b}[31mred\n\tx\n");
        assert_eq!(to(false).of_others(text), text);
    }
}
