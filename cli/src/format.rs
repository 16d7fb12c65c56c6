//! Values as people and programs read them.

use std::time::{Duration, SystemTime};

use acai_proto::v1::{Parameter, RunState, StateCount, parameter};
use acai_sweep::spelling::printable;
use acai_tables::{Digits, figure, number};
use anyhow::Context;
use serde_json::Value;

/// Rows under their headings as comma-separated values (RFC 4180).
pub(crate) fn csv<S: AsRef<str>>(headings: &[S], rows: Vec<Vec<String>>) -> anyhow::Result<String> {
    let headings = headings.iter().map(|heading| heading.as_ref().to_owned()).collect();
    csv_rows(std::iter::once(headings).chain(rows))
}

/// Rows as comma-separated values, without headings.
pub(crate) fn csv_rows(rows: impl IntoIterator<Item = Vec<String>>) -> anyhow::Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.write_record(row)?;
    }
    let bytes = writer.into_inner().context("cannot write CSV")?;
    String::from_utf8(bytes).context("cannot write CSV")
}

/// A parameter's value; empty where it has none.
pub(crate) fn value(parameter: &Parameter) -> String {
    match &parameter.value {
        Some(parameter::Value::Integer(integer)) => integer.to_string(),
        Some(parameter::Value::Number(it)) => number(*it),
        Some(parameter::Value::Word(word)) => word.clone(),
        None => String::new(),
    }
}

/// `model=acai dataset=lines32 …`
pub(crate) fn assignment(parameters: &[Parameter]) -> String {
    let words = parameters.iter().map(|parameter| format!("{}={}", parameter.name, value(parameter)));
    words.collect::<Vec<_>>().join(" ")
}

/// An object from name to value.
pub(crate) fn parameters_json(parameters: &[Parameter]) -> Value {
    let entry = |parameter: &Parameter| {
        let value = match &parameter.value {
            Some(parameter::Value::Integer(integer)) => Value::from(*integer),
            Some(parameter::Value::Number(number)) => Value::from(*number),
            Some(parameter::Value::Word(word)) => Value::from(word.clone()),
            None => Value::Null,
        };
        (parameter.name.clone(), value)
    };
    Value::Object(parameters.iter().map(entry).collect())
}

/// A state's word.
pub(crate) fn state(state: i32) -> String {
    match acai_proto::convert::run_state("state", state) {
        Ok(state) => state.to_string(),
        Err(_) => "unknown".to_owned(),
    }
}

/// `3 running, 9 queued`
pub(crate) fn states(counts: &[StateCount]) -> String {
    let mut counts = counts.to_vec();
    counts.sort_by_key(|count| count.state);
    let words = counts.iter().map(|count| format!("{} {}", count.runs, state(count.state)));
    words.collect::<Vec<_>>().join(", ")
}

/// Runs in any of `states`.
pub(crate) fn count(counts: &[StateCount], states: &[RunState]) -> u32 {
    counts.iter().filter(|count| states.contains(&count.state())).map(|count| count.runs).sum()
}

/// A moment, as `2026-11-24T23:10:05Z`.
pub(crate) fn utc(unix_ms: i64) -> String {
    let since_epoch = Duration::from_millis(u64::try_from(unix_ms).unwrap_or_default());
    humantime::format_rfc3339_seconds(SystemTime::UNIX_EPOCH + since_epoch).to_string()
}

/// A message in one line: of a traceback the first line, which says what happened, and the last one, which says why. Trainers
/// say what they like, so none of it commands a terminal.
pub(crate) fn in_a_line(message: &str) -> String {
    let message = printable(message);
    let mut lines = message.lines().map(str::trim_end).filter(|line| !line.trim().is_empty());
    let first = lines.next().unwrap_or_default();
    match lines.next_back().map(str::trim_start) {
        None => first.to_owned(),
        Some(last) if first.ends_with(':') => format!("{first} {last}"),
        Some(last) => format!("{first} … {last}"),
    }
}

/// A message whose further lines stand below its first, without what would command a terminal.
pub(crate) fn indented(message: &str, by: &str) -> String {
    printable(message).trim_end().replace('\n', &format!("\n{by}"))
}

/// `37%`, never rounded up to 100.
pub(crate) fn percent(done: u64, total: u64) -> String {
    let share = if total == 0 { 0.0 } else { done as f64 / total as f64 };
    format!("{:.0}%", (share * 100.0).floor().min(100.0))
}

/// Images in units of 1024, to two decimals.
pub(crate) fn kimg(images: u64) -> String {
    let kimg = images as f64 / acai_sweep::training::IMAGES_PER_KIMG;
    ((kimg * 100.0).round() / 100.0).to_string()
}

/// Digits where nobody asks for others: two significant ones of a deviation, or four of a mean alone.
const USUAL: Digits = Digits::Significant(2);

/// A mean, and its standard deviation if it is of several values.
pub(crate) fn mean_and_std(mean: f64, std: f64, n: u32) -> String {
    match figure(mean, (n > 1).then_some(std), USUAL) {
        (mean, None) => mean,
        (mean, Some(std)) => format!("{mean} ± {std}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_has_the_digits_that_its_deviation_makes_meaningful() {
        assert_eq!(mean_and_std(0.003_912_3, 0.000_214, 3), "0.00391 ± 0.00021");
        assert_eq!(mean_and_std(98.254, 1.26, 5), "98.3 ± 1.3");
        assert_eq!(mean_and_std(0.003_912_3, 0.0, 1), "0.003912");
        assert_eq!(mean_and_std(256.0, 0.0, 2), "256.0 ± 0.0");
        assert_eq!(mean_and_std(0.0, 0.0, 2), "0.00 ± 0.00");
        assert_eq!(mean_and_std(12345.0, 678.0, 2), "12345 ± 678");
        assert_eq!(mean_and_std(-1.26e-9, 3e-10, 3), "-1.26e-9 ± 3.0e-10");
        assert_eq!(mean_and_std(8.63e-7, 0.0, 1), "8.630e-7");
        assert_eq!(mean_and_std(1.05e9, 3e6, 2), "1.0500e9 ± 3.0e6");
    }

    #[test]
    fn of_a_message_in_many_lines_the_first_and_the_last_are_shown() {
        assert_eq!(in_a_line("out of memory"), "out of memory");
        assert_eq!(in_a_line("it ended:\nTraceback\n  File x\nKeyError: 'x'\n\n"), "it ended: KeyError: 'x'");
        assert_eq!(in_a_line("one\ntwo"), "one … two");
        assert_eq!(in_a_line(""), "");
    }

    #[test]
    fn a_message_cannot_command_a_terminal() {
        assert_eq!(in_a_line("\u{1b}[2Jgone\u{7}"), "\\u{1b}[2Jgone\\u{7}");
        assert_eq!(in_a_line("it ended:\n10%\r20%\u{202e}"), "it ended: 20%\\u{202e}");
        assert_eq!(indented("one\n\u{1b}[31mtwo\n", "  "), "one\n  \\u{1b}[31mtwo");
    }

    #[test]
    fn nothing_counts_as_done_before_it_is() {
        assert_eq!(percent(999, 1000), "99%");
        assert_eq!(percent(1000, 1000), "100%");
        assert_eq!(percent(0, 0), "0%");
    }
}
