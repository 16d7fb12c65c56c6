//! Bytes to text that is safe to give to the YAML parser and to show in a terminal.

use super::error::Mistake;
use super::nesting;
use super::place::Position;

/// The largest sweep file, in bytes.
pub const MAX_BYTES: usize = 1 << 20;

/// The text of a file.
pub(super) fn decode(source: &[u8]) -> Result<&str, Mistake> {
    if source.len() > MAX_BYTES {
        let message = format!("the file has {} bytes, and a sweep file at most {MAX_BYTES}", source.len());
        return Err(Mistake::new(Position::START, &message, None));
    }
    let text = std::str::from_utf8(source).map_err(|error| {
        let valid = String::from_utf8_lossy(&source[..error.valid_up_to()]);
        Mistake::new(Position::of_byte(&valid, valid.len()), "this is not UTF-8", None)
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text); // the mark that some editors begin with

    if let Some((byte, c)) =
        text.char_indices().find(|(byte, c)| is_refused(*c, &text[byte + c.len_utf8()..]))
    {
        let what = if is_line_break(c) { "line break" } else { "control character" };
        let message = format!("the {what} U+{:04X} is not allowed", u32::from(c));
        return Err(Mistake::new(Position::of_byte(text, byte), &message, None));
    }
    // The parser compares each `%TAG` with all before it.
    if let Some(line) = text.lines().position(|line| line.starts_with('%')) {
        let position = Position { line: line + 1, column: 1 };
        return Err(Mistake::new(position, "sweep files have no directives (`%…`)", None));
    }
    nesting::check(text)?;
    Ok(text)
}

/// Whether a letter would mislead, with this text after it: one that cannot be seen, or one that ends a line for YAML and not for
/// people, who would look for mistakes in other lines.
fn is_refused(c: char, rest: &str) -> bool {
    match c {
        '\t' | '\n' => false,
        '\r' => !rest.starts_with('\n'),
        c => c.is_control() || is_line_break(c),
    }
}

fn is_line_break(c: char) -> bool {
    matches!(c, '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}
