//! Where in a sweep file something stands.
//!
//! serde_yaml tells line and column only with an error. So whoever finds a fault notes the path to
//! the key or value it is about, and [`locate`] walks that path once more and fails there.

use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A value, or the key in front of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// At each level from the document down, the index of the list's item or the mapping's entry.
    pub(super) path: Vec<usize>,
    /// The last entry's key is meant, not its value.
    pub(super) key: bool,
}

/// Line and column (in characters), both from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position {
    pub(super) line: usize,
    pub(super) column: usize,
}

impl Position {
    pub(super) const START: Position = Position { line: 1, column: 1 };

    /// The position of a byte of `text`.
    pub(super) fn of_byte(text: &str, byte: usize) -> Position {
        let before = &text[..byte];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Position { line: 1 + before.matches('\n').count(), column: 1 + before[line_start..].chars().count() }
    }

    /// Where in `text` the YAML parser stood. It may stand behind the text's end.
    pub(super) fn of_error(error: &serde_yaml::Error, text: &str) -> Position {
        let Some(at) = error.location() else { return Position::START };
        let lines: Vec<&str> = text.lines().collect();
        let line = at.line().clamp(1, lines.len().max(1));
        let end = lines.get(line - 1).map_or(0, |line| line.chars().count()) + 1;
        let column = if at.line() > line { end } else { at.column().clamp(1, end) };
        Position { line, column }
    }
}

/// The position of `place` in `text`, which has been read before.
pub(super) fn locate(text: &str, place: &Place) -> Position {
    let walk = Walk { path: &place.path, key: place.key };
    failure(walk.deserialize(serde_yaml::Deserializer::from_str(text)), text)
}

/// Where the value begins that a document of `text` consists of.
pub(super) fn root_position(document: serde_yaml::Deserializer<'_>, text: &str) -> Position {
    failure(Stop.deserialize(document), text)
}

fn failure(walked: Result<(), serde_yaml::Error>, text: &str) -> Position {
    walked.map_or_else(|error| Position::of_error(&error, text), |()| Position::START)
}

/// Goes down `path` and fails at its end.
struct Walk<'p> {
    path: &'p [usize],
    key: bool,
}

/// Fails on any value, for a visitor refuses what it has no method for.
struct Stop;

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.path {
            [] => deserializer.deserialize_any(Stop),
            _ => deserializer.deserialize_any(self),
        }
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list or a mapping on the way to the place")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        if let [index, path @ ..] = self.path {
            for _ in 0..*index {
                items.next_element::<IgnoredAny>()?;
            }
            items.next_element_seed(Walk { path, key: self.key })?;
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        if let [index, path @ ..] = self.path {
            for _ in 0..*index {
                entries.next_entry::<IgnoredAny, IgnoredAny>()?;
            }
            if self.key && path.is_empty() {
                entries.next_key_seed(Stop)?;
            } else {
                entries.next_key::<IgnoredAny>()?;
                entries.next_value_seed(Walk { path, key: self.key })?;
            }
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Stop {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for Stop {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nothing: the place is found")
    }
}
