//! Why a condition holds for no run.

use super::{Condition, Fields, Filter, Node};
use crate::scalar::Scalar;
use crate::spelling::counted;

/// Values of a field that are named.
const NAMED: usize = 8;

impl Filter {
    /// Which of its parts hold for none of these runs, and what these have instead, in lines; if each part holds for some,
    /// for how many each does.
    #[must_use]
    pub fn why_nothing_matches(&self, runs: &[&dyn Fields]) -> String {
        let parts = match &self.root.condition {
            Condition::All(parts) => parts.as_slice(),
            _ => std::slice::from_ref(&self.root),
        };
        let counts = parts.iter().map(|part| (part, runs.iter().filter(|run| part.matches(**run)).count()));
        let counts: Vec<(&Node, usize)> = counts.collect();
        let text = |part: &Node| self.text.get(part.span.clone()).unwrap_or_default().to_owned();
        let all = counted(runs.len() as u64, "run");
        let never = counts.iter().filter(|(_, count)| *count == 0);
        let mut lines: Vec<String> = never
            .map(|(part, _)| format!("`{}` holds for none of {all}{}", text(part), instead(part, runs)))
            .collect();
        if lines.is_empty() {
            lines.push("each part holds for some runs, but no run passes all of them:".to_owned());
            lines.extend(counts.iter().map(|(part, count)| format!("`{}`: {count} of {all}", text(part))));
        }
        lines.join("\n")
    }
}

/// `: lambda is 0, 0.5`, where the part is about one field.
fn instead(part: &Node, runs: &[&dyn Fields]) -> String {
    let Condition::Test { field, .. } = &part.condition else { return String::new() };
    let mut values: Vec<Scalar> = Vec::new();
    for value in runs.iter().filter_map(|run| run.field(field)) {
        if !values.contains(&value) {
            values.push(value);
        }
    }
    if values.is_empty() {
        return format!(": they have no `{field}`");
    }
    let more = if values.len() > NAMED { ", …" } else { "" };
    let named: Vec<String> = values.iter().take(NAMED).map(ToString::to_string).collect();
    format!(": `{field}` is {}{more}", named.join(", "))
}
