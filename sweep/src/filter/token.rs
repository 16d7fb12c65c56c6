//! Words, numbers and signs of a condition.

use std::ops::Range;

use super::{Comparator, FilterError};
use crate::scalar::Scalar;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    And,
    Or,
    Not,
    In,
    Open,
    Close,
    Comma,
    Compare(Comparator),
    /// A word without quotes: a field's name, or a value.
    Name(String),
    /// A number, or a text in quotes.
    Value(Scalar),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    /// Bytes of the text.
    pub(super) span: Range<usize>,
}

/// Signs; none is the beginning of a later one.
const SIGNS: [(&str, Kind); 11] = [
    ("==", Kind::Compare(Comparator::Equal)),
    ("=", Kind::Compare(Comparator::Equal)),
    ("!=", Kind::Compare(Comparator::Unequal)),
    ("<>", Kind::Compare(Comparator::Unequal)),
    ("<=", Kind::Compare(Comparator::AtMost)),
    (">=", Kind::Compare(Comparator::AtLeast)),
    ("<", Kind::Compare(Comparator::Less)),
    (">", Kind::Compare(Comparator::Greater)),
    ("(", Kind::Open),
    (")", Kind::Close),
    (",", Kind::Comma),
];

/// All tokens of a text.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, FilterError> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        let (kind, length) = token(text, at, first)?;
        tokens.push(Token { kind, span: at..at + length });
        at += length;
    }
    Ok(tokens)
}

/// The token at a byte, and how many bytes it has.
fn token(text: &str, at: usize, first: char) -> Result<(Kind, usize), FilterError> {
    let rest = &text[at..];
    if let Some((sign, kind)) = SIGNS.iter().find(|(sign, _)| rest.starts_with(sign)) {
        return Ok((kind.clone(), sign.len()));
    }
    if first == '"' || first == '\'' {
        return match rest[1..].find(first) {
            Some(length) => Ok((Kind::Value(Scalar::from(&rest[1..=length])), length + 2)),
            None => Err(FilterError::new(text, at..text.len(), "this quotation has no end")),
        };
    }
    // Names of datasets may have all of these: images:my-folder/2.
    let is_part = |c: char| c.is_alphanumeric() || "_-+./:".contains(c);
    let length = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
    let word = &rest[..length];
    if word.is_empty() {
        let length = first.len_utf8();
        let message = format!("`{}` has no meaning here", first.escape_debug());
        let hint = "write and, or, not, in, parentheses, and =, !=, <, <=, >, >= between a field and a value";
        return Err(FilterError::new(text, at..at + length, message).with_hint(Some(hint.to_owned())));
    }
    if first.is_ascii_digit() || "+-.".contains(first) {
        return match number(word) {
            Some(number) => Ok((Kind::Value(number), length)),
            None => Err(FilterError::new(text, at..at + length, format!("`{word}` is no number"))
                .with_hint(Some("a word that begins like a number stands in quotes".to_owned()))),
        };
    }
    Ok((named(word), length))
}

fn number(word: &str) -> Option<Scalar> {
    let integer = word.parse().ok().map(Scalar::Int);
    integer.or_else(|| word.parse().ok().filter(|number: &f64| number.is_finite()).map(Scalar::Float))
}

fn named(word: &str) -> Kind {
    match word.to_ascii_lowercase().as_str() {
        "and" => Kind::And,
        "or" => Kind::Or,
        "not" => Kind::Not,
        "in" => Kind::In,
        _ => Kind::Name(word.to_owned()),
    }
}
