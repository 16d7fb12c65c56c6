//! Strings to train on: what they are made of, and files of them.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use acai_sweep::training::Dataset;

use crate::{DataError, WIDTH, places, typeover};

/// The characters that strings are made of, in the order of their numbers.
pub const SYMBOLS: [char; 32] = [
    'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q', 'r', 's', 't', 'u',
    'v', 'w', 'x', 'y', 'z', ' ', '.', ',', '\'', '-', '_',
];

/// The numbers of a string's symbols.
pub type String32 = [u8; WIDTH];

/// Lines of a file that holds a curve, at the most: each example is compared with all of them.
const LONGEST_CURVE: usize = 4096;
/// Lines of a file of any strings, at the most.
const MOST_STRINGS: usize = 1 << 16;
/// Bytes of a file, at the most.
const LARGEST_FILE: u64 = 1 << 24;
/// Of strings without an order every tenth is tested with.
const EVERY: usize = 10;

/// A dataset of strings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Strings {
    /// What is trained on.
    pub train: Vec<String32>,
    /// What is tested with.
    pub test: Vec<String32>,
}

/// Why a text is no string.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StringError {
    /// Longer than 32 characters.
    #[error("it has {0} characters, and strings have at most {WIDTH}")]
    Long(usize),
    /// A character that is no symbol.
    #[error("`{}` is no character of strings, which are of the letters a to z, the space and {}", character.escape_debug(), others())]
    Unknown {
        /// Which character, from 1.
        column: usize,
        /// The character.
        character: char,
    },
}

impl StringError {
    /// At which character of the text, from 1.
    #[must_use]
    pub fn column(&self) -> usize {
        match self {
            StringError::Long(_) => WIDTH + 1,
            StringError::Unknown { column, .. } => *column,
        }
    }
}

/// The symbols that are neither letters nor the space.
fn others() -> String {
    SYMBOLS[27..].iter().collect()
}

/// The numbers of the text's symbols; what is left of 32 places are spaces.
///
/// # Errors
/// [`StringError`].
pub fn string(text: &str) -> Result<String32, StringError> {
    let count = text.chars().count();
    if count > WIDTH {
        return Err(StringError::Long(count));
    }
    let number =
        |character| (0..).zip(SYMBOLS).find(|(_, symbol)| *symbol == character).map(|(number, _)| number);
    let space = number(' ').unwrap_or_default();
    let mut string = [space; WIDTH];
    for (column, (place, character)) in string.iter_mut().zip(text.chars()).enumerate() {
        *place = number(character).ok_or(StringError::Unknown { column: column + 1, character })?;
    }
    Ok(string)
}

/// Reads a dataset of strings; `None` of one of images.
///
/// Of a curve all strings are trained on and tested with, in the order of the curve, for they lie as dense as they can.
///
/// # Errors
/// [`DataError`] names the file, line and character that is wrong.
pub fn open_strings(dataset: &Dataset, data: Option<&Path>) -> Result<Option<Strings>, DataError> {
    let of_curve = |strings: Vec<String32>| Strings { train: strings.clone(), test: strings };
    Ok(Some(match dataset {
        Dataset::Typeover32 => of_curve(typeover::strings()),
        Dataset::Curve(_) => of_curve(curve(&places::place(dataset, data))?),
        Dataset::Text(_) => text(&places::place(dataset, data))?,
        _ => return Ok(None),
    }))
}

/// A closed curve: strings in their order, of which the first follows the last.
fn curve(path: &Path) -> Result<Vec<String32>, DataError> {
    let strings = read(path, LONGEST_CURVE)?;
    if strings.len() < 3 {
        return Err(wrong(path, strings.len().max(1), 1, "a closed curve has at least three strings"));
    }
    let following = strings.iter().cycle().skip(1);
    match strings.iter().zip(following).position(|(string, next)| string == next) {
        Some(line) if line + 1 == strings.len() => Err(wrong(
            path,
            line + 1,
            1,
            "the last string is the first one, which follows it without being written again",
        )),
        Some(line) => Err(wrong(path, line + 2, 1, "the string is the one before it, and neighbours differ")),
        None => Ok(strings),
    }
}

/// Strings without an order.
fn text(path: &Path) -> Result<Strings, DataError> {
    let strings = read(path, MOST_STRINGS)?;
    if strings.len() < EVERY {
        let reason =
            format!("there are {} strings; {EVERY} are needed, of which one is tested with", strings.len());
        return Err(wrong(path, strings.len().max(1), 1, reason));
    }
    let part = |is_tested: bool| {
        let numbered = strings.iter().zip(1_usize..);
        numbered
            .filter(|(_, line)| line.is_multiple_of(EVERY) == is_tested)
            .map(|(string, _)| *string)
            .collect()
    };
    Ok(Strings { train: part(false), test: part(true) })
}

/// The strings of a file, a line each.
fn read(path: &Path, most: usize) -> Result<Vec<String32>, DataError> {
    let cant_read = |source| DataError::Read { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    if path.exists() && !path.is_file() {
        // Whoever opens a pipe waits for somebody to write into it.
        return Err(cant_read(io::Error::other("it is no ordinary file")));
    }
    let file = File::open(path).map_err(cant_read)?;
    file.take(LARGEST_FILE + 1).read_to_end(&mut bytes).map_err(cant_read)?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let of_line = before.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
        let column = String::from_utf8_lossy(of_line).chars().count() + 1;
        wrong(path, line, column, "the byte is no text in UTF-8")
    })?;
    let mut strings = Vec::new();
    for (line, text) in (1..).zip(text.lines()) {
        if line > most {
            return Err(wrong(path, line, 1, format!("there are more than {most} lines")));
        }
        if text.is_empty() {
            return Err(wrong(path, line, 1, "the line is empty; a string of spaces is written as a space"));
        }
        strings.push(string(text).map_err(|error| wrong(path, line, error.column(), error.to_string()))?);
    }
    Ok(strings)
}

fn wrong(path: &Path, line: usize, column: usize, reason: impl Into<String>) -> DataError {
    DataError::NotStrings { path: path.to_owned(), line, column, reason: reason.into() }
}

/// Whether there is a file of strings.
pub(crate) fn is_there(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.is_file())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::error::Error as _;
    use std::process::Command;

    use super::*;

    fn opened(kind: &str, content: &[u8]) -> Result<Strings, String> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("own.txt"), content).unwrap();
        let dataset = Dataset::from_name(&format!("{kind}:own.txt")).unwrap();
        let strings = open_strings(&dataset, Some(folder.path())).map_err(|error| error.to_string())?;
        Ok(strings.unwrap())
    }

    #[test]
    fn lines_are_strings_with_spaces_behind_them() {
        let strings = opened("curve", b"abc\nabd\r\nzbd").unwrap();
        assert_eq!(strings.train, [string("abc").unwrap(), string("abd").unwrap(), string("zbd").unwrap()]);
        assert_eq!((strings.test, strings.train[0][3..].to_vec()), (strings.train.clone(), vec![26; 29]));
    }

    #[test]
    fn every_tenth_string_without_an_order_is_tested_with() {
        let lines: Vec<String> = ('a'..='t').map(String::from).collect();
        let strings = opened("text", lines.join("\n").as_bytes()).unwrap();
        assert_eq!(strings.test, [string("j").unwrap(), string("t").unwrap()]);
        assert_eq!(strings.train.len(), 18);
    }

    #[test]
    fn a_pipe_is_refused_and_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Command::new("mkfifo").arg(folder.path().join("own.txt")).status().unwrap().success());
        let dataset = Dataset::from_name("curve:own.txt").unwrap();
        let error = open_strings(&dataset, Some(folder.path())).unwrap_err();
        assert_eq!(error.source().unwrap().to_string(), "it is no ordinary file");
    }

    #[test]
    fn what_is_wrong_is_told_with_file_line_and_character() {
        let long = format!("a\n{}\n", "b".repeat(33));
        for (kind, content, place, reason) in [
            ("curve", "ab\nabC\nb".as_bytes(), "2:3", "`C` is no character of strings"),
            ("text", long.as_bytes(), "2:33", "it has 33 characters"),
            ("curve", b"a\nb\nb\nc", "3:1", "the string is the one before it"),
            ("curve", b"a\nb\na", "3:1", "the last string is the first one"),
            ("curve", b"a\nb", "2:1", "at least three strings"),
            ("text", b"a\nb", "2:1", "10 are needed"),
            ("text", b"a\n\nb", "2:1", "the line is empty"),
            ("curve", b"a\n\xc3\xa4b\xff\nc", "2:3", "no text in UTF-8"),
            ("curve", b"", "1:1", "at least three strings"),
        ] {
            let error = opened(kind, content).unwrap_err();
            assert!(error.contains(&format!("own.txt`:{place}: ")) && error.contains(reason), "{error}");
        }
    }
}
