//! Whatever is done to a sweep file, the answer is a plan, or mistakes at places that are in the file.

use acai_sweep::file::{Mistake, SweepFile};
use proptest::prelude::*;
use proptest::sample::Index;

const FILES: [&str; 4] = [
    include_str!("everything.yaml"),
    include_str!("../../sweeps/demo.yaml"),
    include_str!("../../sweeps/paper/classification.yaml"),
    "version: 1\nname: short\nparameters: {model: acai, dataset: lines32, lambda: {min: 0, max: 1, count: 3}}\n",
];

/// What is put into files: numbers at the ends of what numbers can be, and what means something in YAML or in sweep files.
const WORDS: [&str; 64] = [
    "0",
    "-0",
    "-1",
    "1",
    "2",
    "63",
    "64",
    "65",
    "100001",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "18446744073709551616",
    "340282366920938463463374607431768211456",
    "1e308",
    "-1e308",
    "1e309",
    "1e-320",
    ".inf",
    "-.inf",
    ".nan",
    "0x7fffffffffffffff",
    "0o17",
    "1_000",
    "9007199254740993",
    "0.1",
    "~",
    "null",
    "true",
    "''",
    "\"\\u0000\"",
    "[]",
    "{}",
    "[",
    "]",
    "{",
    "}",
    ": ",
    "- ",
    ", ",
    "#",
    "&a ",
    "*a",
    "<<: *a",
    "!!int ",
    "|",
    ">",
    "---\n",
    "%TAG",
    "\t",
    "\u{85}",
    "\u{2028}",
    "\r",
    "\u{feff}",
    "é",
    "lambda",
    "model",
    "{min: 0, max: 1e308, count: 5}",
    "{min: -1e308, max: 1e308, count: 3}",
    "{distribution: int_uniform, min: -9223372036854775808, max: 9223372036854775807}",
];

#[derive(Debug, Clone)]
enum Edit {
    /// In place of the word that is nearest.
    Replace(Index, &'static str),
    Insert(Index, &'static str),
    Delete(Index, usize),
    RepeatLine(Index),
    MoveLine(Index, Index),
    Indent(Index, usize),
    End(Index),
}

fn edits() -> impl Strategy<Value = Edit> {
    let word = || prop::sample::select(WORDS.to_vec());
    prop_oneof![
        6 => (any::<Index>(), word()).prop_map(|(at, word)| Edit::Replace(at, word)),
        3 => (any::<Index>(), word()).prop_map(|(at, word)| Edit::Insert(at, word)),
        2 => (any::<Index>(), 1..20_usize).prop_map(|(at, length)| Edit::Delete(at, length)),
        1 => any::<Index>().prop_map(Edit::RepeatLine),
        1 => (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Edit::MoveLine(from, to)),
        1 => (any::<Index>(), 0..6_usize).prop_map(|(at, spaces)| Edit::Indent(at, spaces)),
        1 => any::<Index>().prop_map(Edit::End),
    ]
}

/// The file's letters, changed.
fn edited(text: &str, edit: &Edit) -> String {
    let letters: Vec<char> = text.chars().collect();
    let mut lines: Vec<&str> = text.lines().collect();
    if letters.is_empty() || lines.is_empty() {
        return "version: 1\n".to_owned();
    }
    let spliced = |from: usize, to: usize, word: &str| {
        let (before, after) = (&letters[..from], &letters[to.min(letters.len())..]);
        before.iter().copied().chain(word.chars()).chain(after.iter().copied()).collect()
    };
    match edit {
        Edit::Insert(at, word) => spliced(at.index(letters.len()), at.index(letters.len()), word),
        Edit::Delete(at, length) => spliced(at.index(letters.len()), at.index(letters.len()) + length, ""),
        Edit::End(at) => spliced(at.index(letters.len()), letters.len(), ""),
        Edit::Replace(at, word) => {
            let is_part = |letter: &char| letter.is_alphanumeric() || "._-+".contains(*letter);
            let start = (at.index(letters.len())..letters.len()).find(|&place| is_part(&letters[place]));
            let start = start.unwrap_or(letters.len());
            let end =
                (start..letters.len()).find(|&place| !is_part(&letters[place])).unwrap_or(letters.len());
            spliced(start, end, word)
        }
        Edit::RepeatLine(at) => {
            lines.insert(at.index(lines.len()), lines[at.index(lines.len())]);
            lines.join("\n")
        }
        Edit::MoveLine(from, to) => {
            let line = lines.remove(from.index(lines.len()));
            lines.insert(to.index(lines.len() + 1), line);
            lines.join("\n")
        }
        Edit::Indent(at, spaces) => {
            let at = at.index(lines.len());
            let line = format!("{}{}", " ".repeat(*spaces), lines[at].trim_start());
            lines[at] = &line;
            lines.join("\n")
        }
    }
}

/// The place is a letter of the file, or the end of a line.
fn is_inside(text: &str, mistake: &Mistake) -> bool {
    let line = text.split('\n').nth(mistake.line.wrapping_sub(1));
    line.is_some_and(|line| (1..=line.chars().count() + 1).contains(&mistake.column))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_edited_file_has_a_plan_or_mistakes_inside_it(
        file in prop::sample::select(FILES.to_vec()),
        edits in prop::collection::vec(edits(), 1..5),
    ) {
        let text = edits.iter().fold(file.to_owned(), |text, edit| edited(&text, edit));
        match SweepFile::parse("sweep.yaml", text.as_bytes()) {
            Ok(file) => {
                let runs = file.plan.runs().count() as u64;
                prop_assert_eq!(runs, file.plan.counts().runs);
                prop_assert!(runs > 0);
                for warning in &file.warnings {
                    prop_assert!(is_inside(&text, warning), "{:?} is not in\n{}", warning, text);
                }
            }
            Err(error) => {
                prop_assert!(!error.mistakes.is_empty());
                for mistake in &error.mistakes {
                    prop_assert!(is_inside(&text, mistake), "{:?} is not in\n{}", mistake, text);
                }
                prop_assert!(error.shown_in(&text).contains("sweep.yaml:"));
            }
        }
    }

    #[test]
    fn bytes_that_are_no_sweep_file_have_mistakes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let error = SweepFile::parse("sweep.yaml", &bytes).expect_err("it has no version");
        for mistake in &error.mistakes {
            prop_assert!(is_inside(&text, mistake), "{:?} is not in\n{:?}", mistake, text);
        }
    }
}
