//! Names as people read them.

use acai_sweep::run::RunState;
use acai_sweep::scalar::Scalar;
use acai_tables::value;
use maud::{Markup, html};

/// A parameter as an axis names it.
pub(crate) fn parameter(name: &str) -> String {
    match name {
        "lambda" => "λ".to_owned(),
        "gamma" => "γ".to_owned(),
        other => other.replace('_', " "),
    }
}

/// A metric as an axis names it: `eval/mean_distance` is `mean distance`.
pub(crate) fn metric(name: &str) -> String {
    name.rsplit('/').next().unwrap_or(name).replace('_', " ")
}

/// `λ = 0.5, γ = 0.2`; a word says by itself what it is.
pub(crate) fn group<'g>(group: impl IntoIterator<Item = &'g (String, Scalar)>) -> String {
    let named = group.into_iter().map(|(name, of)| match of {
        Scalar::Word(word) => word.clone(),
        of => format!("{} = {}", parameter(name), value(of)),
    });
    named.collect::<Vec<_>>().join(", ")
}

/// The condition that these values are a run's.
pub(crate) fn condition<'g>(group: impl IntoIterator<Item = &'g (String, Scalar)>) -> String {
    let tests = group.into_iter().map(|(name, of)| match of {
        Scalar::Word(word) => format!("{name} = {}", quoted(word)),
        of => format!("{name} = {}", value(of)),
    });
    tests.collect::<Vec<_>>().join(" and ")
}

fn quoted(word: &str) -> String {
    let is_plain = word.chars().next().is_some_and(char::is_alphabetic)
        && word.chars().all(|c| c.is_alphanumeric() || "_-+./:".contains(c))
        && !["and", "or", "not", "in"].contains(&word);
    match (is_plain, word.contains('"')) {
        (true, _) => word.to_owned(),
        (false, false) => format!("\"{word}\""),
        (false, true) => format!("'{word}'"),
    }
}

/// A state, with its colour and a shape for who sees no colours.
pub(crate) fn state(state: RunState) -> Markup {
    html! { span class={ "state state-" (state) } { (state) } }
}

/// The first line of a message.
pub(crate) fn first_line(message: &str) -> &str {
    message.lines().next().unwrap_or_default()
}
