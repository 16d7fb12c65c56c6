//! Conditions on runs: what they mean, and what is said of those that make no sense.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use acai_sweep::filter::{Fields, Filter};
use acai_sweep::scalar::Scalar;
use proptest::prelude::*;

/// A run of ACAI on lines.
fn run(name: &str) -> Option<Scalar> {
    Some(match name {
        "model" => Scalar::from("acai"),
        "dataset" => Scalar::from("lines32"),
        "lambda" => Scalar::from(0.5),
        "batch" => Scalar::from(64),
        "seed" => Scalar::from(3),
        "number" => Scalar::from(7),
        "state" => Scalar::from("completed"),
        "images" => Scalar::from("images:a-b/c.d"),
        _ => return None,
    })
}

fn holds(text: &str) -> bool {
    Filter::parse(text, &["images".to_owned()]).unwrap_or_else(|error| panic!("{error}")).matches(&run)
}

#[test]
fn comparisons_and_lists_hold_as_they_read() {
    for text in [
        "lambda = 0.5",
        "lambda == .5",
        "lambda != 0",
        "lambda > 0 and lambda < 1",
        "batch >= 64.0 and batch <= 6.4e1",
        "dataset in (lines32, 'digits32')",
        "model not in (vae, baseline)",
        "state = completed AND seed = 3",
        "number in (7)",
        "images = images:a-b/c.d",
        "not (lambda = 0 or seed = 0)",
        "not gamma = 0.2",
        "seed = 1 or seed = 3 and state = completed",
        "(((seed = 3)))",
    ] {
        assert!(holds(text), "{text}");
    }
    for text in [
        "lambda > 0.5",
        "gamma = 0.2",
        "gamma != 0.2",
        "gamma not in (0.2)",
        "seed = 3 and (seed = 1 or seed = 2)",
        "not not seed = 2",
        "dataset != lines32",
    ] {
        assert!(!holds(text), "{text}");
    }
}

#[test]
fn mistakes_are_shown_where_they_are() {
    let said = |text: &str| Filter::parse(text, &[]).unwrap_err().to_string();
    assert_eq!(
        said("lamda > 0 and seed = 1"),
        "runs have no field `lamda`\n  lamda > 0 and seed = 1\n  ^^^^^\nhint: did you mean `lambda`?"
    );
    assert_eq!(
        said("seed = 1 and"),
        "a parameter's name, `seed`, `state` or `number` belongs here\n  seed = 1 and\n              ^"
    );
    assert!(said("dataset = 'é' or state = compleded").contains("`é`"));
    for (text, part) in [
        ("", "belongs here"),
        ("lambda", "one of =, !=, <"),
        ("lambda = ", "a value belongs here"),
        ("lambda = 1 seed = 2", "`and` or `or` is missing"),
        ("(lambda = 1", "not closed"),
        ("lambda = 1)", "closes nothing"),
        ("model < vae", "have no order"),
        ("model = acaii", "did you mean `acai`?"),
        ("lambda = high", "the word `high`"),
        ("state = done", "states are queued, running"),
        ("seed in 1, 2", "values in parentheses"),
        ("seed in (1 2)", "a comma or `)`"),
        ("seed = 'x", "has no end"),
        ("seed = 1 & lambda = 2", "`&` has no meaning"),
        ("seed = 1e999", "is no number"),
        ("learning_rate > 1", "did you mean `lr`?"),
    ] {
        assert!(said(text).contains(part), "{text}: {}", said(text));
    }
    let deep = format!("{}seed = 1", "not ".repeat(10_000 / 5));
    assert!(said(&deep).contains("within each other"));
    assert!(said(&"x".repeat(10_001)).contains("10001"));
}

#[test]
fn a_condition_that_holds_for_nothing_says_which_part_and_what_there_is_instead() {
    let said = |text: &str| {
        let runs: [&dyn Fields; 1] = [&run];
        Filter::parse(text, &[]).unwrap().why_nothing_matches(&runs)
    };
    assert_eq!(said("seed = 3 and lambda > 5"), "`lambda > 5` holds for none of 1 run: `lambda` is 0.5");
    assert_eq!(said("gamma = 0.2"), "`gamma = 0.2` holds for none of 1 run: they have no `gamma`");
    let other = |name: &str| {
        if name == "seed" { Some(Scalar::from(9)) } else { run(name).filter(|_| name != "lambda") }
    };
    let runs: [&dyn Fields; 2] = [&run, &other];
    let filter = Filter::parse("seed = 9 and lambda = 0.5", &[]).unwrap();
    assert_eq!(
        filter.why_nothing_matches(&runs),
        "each part holds for some runs, but no run passes all of them:\n`seed = 9`: 1 of 2 runs\n`lambda = 0.5`: 1 of 2 runs"
    );
}

/// Texts that are nearly conditions.
fn texts() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "lambda",
        "seed",
        "state",
        "and",
        "or",
        "not",
        "in",
        "(",
        ")",
        ",",
        "=",
        "!=",
        "<",
        ">=",
        "0.5",
        "-1e3",
        "9223372036854775808",
        "-9223372036854775809",
        "1e308",
        "-.0",
        "'x",
        "\"é\"",
        "completed",
        "lines32",
        "é",
        "\u{0}",
        " ",
        "images:a",
    ]);
    prop_oneof![".{0,60}", prop::collection::vec(words, 0..30).prop_map(|words| words.join(" "))]
}

proptest! {
    #[test]
    fn no_text_breaks_the_parser_and_every_mistake_points_into_the_text(text in texts()) {
        match Filter::parse(&text, &[]) {
            Ok(filter) => {
                let matches = filter.matches(&run);
                let negated = Filter::parse(&format!("not ({text})"), &[]).unwrap();
                prop_assert_ne!(matches, negated.matches(&run));
            }
            Err(error) => {
                let said = error.to_string();
                let carets = said.lines().find(|line| line.trim_start().starts_with('^'));
                prop_assert!(carets.is_some_and(|line| line.chars().count() <= text.chars().count() + 3), "{}", said);
            }
        }
    }
}
