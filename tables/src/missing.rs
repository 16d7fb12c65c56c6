//! Why rows lack values of some of their runs.

use acai_sweep::results::Row;
use acai_sweep::run::RunState;

/// `1 diverged, 2 queued (no worker has celeba32)`; `None` if every run is completed. `waiting` are datasets that no worker has.
#[must_use]
pub fn why(row: &Row, dataset: &str, waiting: &[String]) -> Option<String> {
    let open = row.runs - row.completed.min(row.runs);
    if open == 0 {
        return None;
    }
    let others = row.states.iter().filter(|(state, _)| **state != RunState::Completed);
    let words = others.map(|(state, runs)| match state {
        RunState::Queued if waiting.iter().any(|waiting| waiting == dataset) => {
            format!("{runs} queued (no worker has {dataset})")
        }
        state => format!("{runs} {state}"),
    });
    let words: Vec<String> = words.collect();
    // An earlier release does not say their states.
    Some(if words.is_empty() { format!("{open} not completed") } else { words.join(", ") })
}
