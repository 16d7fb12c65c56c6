//! Forms that change what a page shows. They only ask for another URL, so they work without scripts; with scripts, a change is
//! shown at once.

use acai_sweep::results::Table;
use maud::{Markup, html};

use crate::asked::Asked;
use crate::view::{AT, SPREADS, View};
use crate::words;

/// A choice among some words; `others` is what choosing none means.
pub(crate) fn choice(
    label: &str,
    name: &str,
    chosen: Option<&str>,
    words: &[String],
    others: Option<&str>,
) -> Markup {
    // What a URL asks for, and the list lacks, is shown all the same.
    let unlisted = chosen.filter(|chosen| !words.iter().any(|word| word == chosen));
    html! {
        label { (label)
            select name=(name) {
                @if let Some(others) = others { option value="" selected[chosen.is_none()] { (others) } }
                @if let Some(unlisted) = unlisted { option value=(unlisted) selected { (unlisted) } }
                @for word in words { option value=(word) selected[chosen == Some(word.as_str())] { (word) } }
            }
        }
    }
}

/// Which parameters make a row, or a line.
pub(crate) fn groups(label: &str, asked: &Asked) -> Markup {
    html! {
        label { (label) input name="group-by" value=[asked.question.get("group-by")]
            placeholder="as the file says" spellcheck="false" autocomplete="off"; }
    }
}

/// Which runs count, and what is shown of them.
pub(crate) fn conditions(view: &View, asked: &Asked) -> Markup {
    let list = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    html! {
        label.wide { "Runs for which"
            input type="search" name="where" value=[asked.question.get("where")]
                placeholder="lambda > 0 and seed in (0, 1)" spellcheck="false" autocomplete="off";
        }
        (choice("Values", "at", Some(&view.at), &list(&AT), None))
        (choice("±", "spread", Some(&view.spread), &list(&SPREADS), None))
    }
}

/// A choice for each parameter that the tables vary besides those that are shown: one value, or all on average.
pub(crate) fn fixed(tables: &[Table], shown: &[&str], asked: &Asked) -> Markup {
    let chosen: Vec<&str> = asked.question.all("fix").collect();
    let mut names: Vec<&String> = Vec::new();
    for name in tables.iter().flat_map(|table| &table.group_by) {
        if !shown.contains(&name.as_str()) && !names.contains(&name) {
            names.push(name);
        }
    }
    html! {
        @for name in names {
            @let values = conditions_of(tables, name);
            @let fixed = chosen.iter().find(|chosen| values.iter().any(|value| value == *chosen));
            (choice(&words::parameter(name), "fix", fixed.copied(), &values, Some("all, averaged")))
        }
    }
}

/// `latent = 64`, for each value that the parameter has.
fn conditions_of(tables: &[Table], name: &str) -> Vec<String> {
    let mut conditions = Vec::new();
    for pair in tables.iter().flat_map(|table| &table.rows).flat_map(|row| &row.group) {
        let condition = words::condition([pair]);
        if pair.0 == *name && !conditions.contains(&condition) {
            conditions.push(condition);
        }
    }
    conditions
}
