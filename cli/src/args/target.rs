//! Sweeps and runs by name.

use std::ops::RangeInclusive;
use std::str::FromStr;

/// Runs that one range may name.
const RANGE: u32 = 100_000;

/// A sweep, or some of its runs: `SWEEP`, `SWEEP/NUMBER` or `SWEEP/FIRST-LAST`; `#` is as good as `/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) sweep: String,
    /// The runs' numbers in the sweep, as `acai runs` shows them; none: all of it.
    pub(crate) numbers: Option<RangeInclusive<u32>>,
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (sweep, numbers) = match text.split_once(['/', '#']) {
            None => (text, None),
            Some((sweep, numbers)) => (sweep, Some(range(numbers.strip_prefix('#').unwrap_or(numbers))?)),
        };
        if sweep.is_empty() {
            return Err("the sweep's name is missing: write it like demo or demo/3".to_owned());
        }
        Ok(Target { sweep: sweep.to_owned(), numbers })
    }
}

/// `3`, or `2-5`.
fn range(text: &str) -> Result<RangeInclusive<u32>, String> {
    let mistake = |_| format!("`{text}` is no run's number: write it like demo/3, or demo/2-5 for several");
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let range = first.parse().map_err(mistake)?..=last.parse().map_err(mistake)?;
    if range.is_empty() || range.end() - range.start() >= RANGE {
        return Err(format!("`{text}` is no range of up to {RANGE} runs: write it like demo/2-5"));
    }
    Ok(range)
}

/// A sweep, where a run would make no sense.
pub(super) fn one_sweep(text: &str) -> Result<String, String> {
    match text.split_once('/') {
        None => Ok(text.to_owned()),
        Some((sweep, _)) => Err(format!("name a sweep, like {sweep}; `acai show {text}` is about one run")),
    }
}

/// A [`Target`] that is one run.
pub(super) fn one_run(text: &str) -> Result<(String, u32), String> {
    let Target { sweep, numbers } = text.parse()?;
    match numbers {
        Some(numbers) if numbers.start() == numbers.end() => Ok((sweep, *numbers.start())),
        _ => Err(format!("name one run, like {sweep}/3; `acai runs {sweep}` lists them")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_named_one_by_one_and_by_ranges() {
        let numbers = |text: &str| text.parse::<Target>().map(|target| target.numbers);
        assert_eq!(numbers("demo"), Ok(None));
        assert_eq!(numbers("demo/3"), Ok(Some(3..=3)));
        assert_eq!(numbers("demo#3"), numbers("demo/#3"));
        assert_eq!(numbers("demo/2-5"), Ok(Some(2..=5)));
        for wrong in ["demo/", "demo/x", "demo/5-2", "demo/0-4000000000", "/1", "demo/-1"] {
            assert!(numbers(wrong).is_err(), "{wrong}");
        }
        assert_eq!(one_run("demo#3"), Ok(("demo".to_owned(), 3)));
        assert!(one_run("demo/2-5").is_err() && one_run("demo").is_err());
    }
}
