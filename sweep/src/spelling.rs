//! Words for error messages: the nearest valid word, quotations that cannot break a line, and texts of others that cannot command
//! a terminal.

/// The candidate that `word` was probably meant to be, if one is near: one letter is wrong, or one of four in long words;
/// or its end is missing, a third of it at the most.
fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    /// No valid word is longer, and the distance takes time quadratic in length.
    const LONGEST: usize = 64;
    if word.len() > LONGEST {
        return None;
    }
    let word = word.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&word, candidate), candidate))
        .filter(|(distance, candidate)| {
            let is_beginning = candidate.starts_with(&word) && candidate.len() <= word.len() + word.len() / 2;
            is_beginning || *distance <= (candidate.len().min(word.len()) / 4).max(1)
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The hint for a word that is none of `candidates`, where one of them is near.
#[must_use]
pub fn did_you_mean<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<String> {
    nearest(word, candidates).map(|candidate| format!("did you mean `{candidate}`?"))
}

/// `text` in backticks, on one line, cut to a readable length.
#[must_use]
pub fn quoted(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut characters = text.chars();
    let mut shown: String = characters.by_ref().take(LONGEST).flat_map(char::escape_debug).collect();
    if characters.next().is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

/// A text of somebody else's, such as what a trainer printed, as a terminal can be trusted with: letters that would command it, or
/// turn around what follows, are written out, as `\u{1b}`. Tabs and ends of lines stay; a carriage return, after which a line
/// would be written over, is one.
#[must_use]
pub fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(c) = letters.next() {
        match c {
            '\r' if letters.peek() == Some(&'\n') => {}
            '\r' => shown.push('\n'),
            '\t' | '\n' => shown.push(c),
            c if c.is_control() || is_misleading(c) => shown.extend(c.escape_unicode()),
            c => shown.push(c),
        }
    }
    shown
}

/// Whether a letter that cannot be seen ends a line, or has text run the other way.
fn is_misleading(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Each word in backticks, separated by commas.
pub(crate) fn listed<'w>(words: impl IntoIterator<Item = &'w str>) -> String {
    words.into_iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// "1 run", "2 runs".
#[must_use]
pub fn counted(number: impl Into<u64>, noun: &str) -> String {
    match number.into() {
        1 => format!("1 {noun}"),
        number => format!("{number} {noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_others_cannot_command_a_terminal() {
        assert_eq!(printable("\u{1b}[31mred\u{7}"), "\\u{1b}[31mred\\u{7}");
        assert_eq!(printable("\u{9b}2J and \u{202e}txt.exe"), "\\u{9b}2J and \\u{202e}txt.exe");
        assert_eq!(printable("10%\r20%\r\nä\tβ 한글 🙂\n"), "10%\n20%\nä\tβ 한글 🙂\n");
    }
}
