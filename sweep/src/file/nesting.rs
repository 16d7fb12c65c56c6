//! How deep the `[` and `{` of a file are inside each other, before the YAML parser sees it: the parser compares what it reads
//! with every one that is open, and only then is anybody told how many there are.

use super::error::Mistake;
use super::place::Position;

/// Nested lists and mappings. A sweep file needs 4.
pub(super) const MAX_DEPTH: usize = 16;

/// The parser takes time in proportion to bytes × open `[` and `{`, some 4 ns each; so this is
/// about a second.
const MAX_PARSER_WORK: usize = 200_000_000;

/// What is said of a file whose lists and mappings are too deep.
pub(super) fn too_deep() -> String {
    format!("more than {MAX_DEPTH} lists and mappings inside each other")
}

/// Refuses a text whose brackets would keep the parser busy.
pub(super) fn check(text: &str) -> Result<(), Mistake> {
    let mut scan = Scan::default();
    let mut open = 0;
    let max_open = MAX_PARSER_WORK / text.len().max(1);
    for (line, content) in text.lines().enumerate() {
        if let Some(column) = scan.line(content) {
            return Err(Mistake::new(Position { line: line + 1, column }, &too_deep(), None));
        }
        // The scan may take for text what is none for the parser; this never counts too few.
        let (deepest, left) = opened(content);
        if open + deepest > max_open {
            let message =
                format!("more than {max_open} open `[` and `{{` are too many for a file of this size");
            let hint = "write long lists and mappings one item a line, without brackets".to_owned();
            return Err(Mistake::new(Position { line: line + 1, column: 1 }, &message, Some(hint)));
        }
        open += left;
    }
    Ok(())
}

/// Brackets that the line may have open at once, and those that it may leave open. What looks like a closing bracket may be part
/// of a quoted text, a comment or a tag, so it counts only in lines that cannot have any.
fn opened(line: &str) -> (usize, usize) {
    let plain = line.chars().all(|c| c.is_ascii_alphanumeric() || " \t_-+./,:[]{}".contains(c));
    let (mut deepest, mut open) = (0, 0_usize);
    for c in line.chars() {
        match c {
            '[' | '{' => open += 1,
            ']' | '}' if plain => open = open.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(open);
    }
    (deepest, open)
}

/// Whether a letter goes on with the name after `&` or `!`.
fn is_of_name(c: char) -> bool {
    !c.is_whitespace() && !"[]{},".contains(c)
}

/// Where a reader of a file stands between two lines: brackets in quoted texts, comments and texts below `|` or `>` are none.
#[derive(Default)]
struct Scan {
    depth: usize,
    /// The mark that ends the quoted text that goes on.
    quote: Option<char>,
    /// The indentation of the line that a text below `|` or `>` belongs to.
    text_below: Option<usize>,
}

impl Scan {
    /// Reads a line; answers the column of the bracket that is too deep, if there is one.
    fn line(&mut self, line: &str) -> Option<usize> {
        let indentation = line.len() - line.trim_start_matches(' ').len();
        if self.text_below.is_some_and(|below| line.trim().is_empty() || indentation > below) {
            return None;
        }
        self.text_below = None;
        let mut letters = line.chars().enumerate().peekable();
        // Whether a value may begin here, and the letter before.
        let (mut begins, mut before) = (true, ' ');
        while let Some((column, c)) = letters.next() {
            let next = letters.peek().map_or(' ', |(_, next)| *next);
            if let Some(quote) = self.quote {
                match c {
                    '\\' if quote == '"' => drop(letters.next()),
                    '\'' if quote == c && next == c => drop(letters.next()),
                    c if c == quote => self.quote = None,
                    _ => {}
                }
                before = c;
                continue;
            }
            match c {
                ' ' | '\t' => {}
                '#' if before.is_whitespace() => return None,
                '"' | '\'' if begins => (self.quote, begins) = (Some(c), false),
                '[' | '{' if begins || self.depth > 0 => {
                    (self.depth, begins) = (self.depth + 1, true);
                    if self.depth > MAX_DEPTH {
                        return Some(column + 1);
                    }
                }
                ']' | '}' if self.depth > 0 => (self.depth, begins) = (self.depth - 1, false),
                ',' if self.depth > 0 => begins = true,
                '|' | '>' if begins && self.depth == 0 => {
                    self.text_below = Some(indentation);
                    return None;
                }
                '-' | '?' if begins && next.is_whitespace() => {}
                ':' if next.is_whitespace() || self.depth > 0 => begins = true,
                '&' | '!' if begins => while letters.next_if(|(_, c)| is_of_name(*c)).is_some() {},
                _ => begins = false,
            }
            before = c;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_brackets_that_open_lists_and_mappings_count() {
        let many = "[".repeat(MAX_DEPTH + 1);
        for text in [
            format!("a: x # {many}"),
            format!("# {many}\na: 1"),
            format!("a: 'it''s {many}'"),
            format!("a: \"\\\"{many}\""),
            format!("a: \"x\n  {many}\n  \""),
            format!("a: x{many}"),
            format!("a: |\n  {many}\n\n  {many}\nb: [1]"),
            format!("- a: >-\n    {many}\n"),
            format!("a:\n{}", "- [0, {b: [1]}]\n".repeat(100)),
            format!("a: {}", "[1, {b: 2}], ".repeat(100)),
        ] {
            assert_eq!(check(&text), Ok(()), "{text}");
        }
    }

    #[test]
    fn the_bracket_that_is_too_deep_is_found_wherever_it_stands() {
        let many = "[".repeat(MAX_DEPTH + 1);
        for (text, place) in [
            (format!("a: {many}"), (1, 20)),
            (format!("- - {many}"), (1, 21)),
            (format!("? {many}"), (1, 19)),
            (format!("a: &b {many}"), (1, 23)),
            (format!("a: 'x' # '\nb: {many}"), (2, 20)),
            (format!("a: it's\nb: {many}"), (2, 20)),
            (format!("a: |\n  '\nb: {many}"), (3, 20)),
            ("[\n".repeat(MAX_DEPTH + 1), (17, 1)),
            (format!("a: {}", "[1, ".repeat(MAX_DEPTH + 1)), (1, 68)),
            (format!("a: {}", "{\"b\":".repeat(MAX_DEPTH + 1)), (1, 84)),
        ] {
            let mistake = check(&text).unwrap_err();
            assert_eq!((mistake.line, mistake.column), place, "{text}");
            assert_eq!(mistake.message, "more than 16 lists and mappings inside each other");
        }
    }
}
