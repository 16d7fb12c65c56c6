//! How far a sweep is.

use acai_coordinator::store::Overview;
use acai_sweep::run::RunState;
use maud::{Markup, html};

use crate::numbers::{kimg, percent};

/// Width of the bar, in its own units.
const WIDTH: f64 = 1000.0;

/// Runs in any of these states.
pub(crate) fn runs(overview: &Overview, states: &[RunState]) -> u32 {
    overview.counts.iter().filter(|(state, _)| states.contains(state)).map(|(_, runs)| runs).sum()
}

/// A bar in the colours of the states, and the same in words.
pub(crate) fn bar(overview: &Overview) -> Markup {
    let all = runs(overview, &RunState::ALL);
    let done = runs(overview, &[RunState::Completed]);
    let words = overview.counts.iter().map(|(state, runs)| format!("{runs} {state}"));
    let words = words.collect::<Vec<_>>().join(", ");
    html! {
        div.progress data-progress=(overview.name) {
            svg.bar viewBox="0 0 1000 8" preserveAspectRatio="none" role="img" aria-label=(words) {
                rect.track width="1000" height="8" {}
                @for (from, share, state) in shares(overview, all) {
                    rect class={ "fill-" (state) } x=(format!("{from:.1}")) width=(format!("{share:.1}")) height="8" {}
                }
            }
            p {
                strong { (done) " of " (all) " runs" } " completed · "
                (percent(overview.images_done, overview.images_total)) " of " (kimg(overview.images_total)) " kimg trained"
                @if done < all { " · " (words) }
            }
        }
    }
}

/// Where each state's part of the bar begins, how long it is, and the state: what is done comes first.
fn shares(overview: &Overview, all: u32) -> Vec<(f64, f64, RunState)> {
    let order = [
        RunState::Completed,
        RunState::Running,
        RunState::Stopped,
        RunState::Diverged,
        RunState::Failed,
        RunState::Lost,
        RunState::Cancelled,
        RunState::Paused,
    ];
    let mut from = 0.0;
    let mut shares = Vec::new();
    for state in order {
        let share = WIDTH * f64::from(runs(overview, &[state])) / f64::from(all.max(1));
        if share > 0.0 {
            shares.push((from, share, state));
            from += share;
        }
    }
    shares
}
