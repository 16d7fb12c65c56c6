//! The pages of a sweep.

pub(crate) mod cell;
pub(crate) mod compare;
pub(crate) mod controls;
pub(crate) mod curves;
pub(crate) mod downloads;
pub(crate) mod feed;
pub(crate) mod film;
mod grid;
mod heat;
mod ledger;
pub(crate) mod overview;
pub(crate) mod pictures;
pub(crate) mod progress;
pub(crate) mod runs;
pub(crate) mod scatter;
mod table;

use acai_coordinator::store::Overview;
use acai_sweep::run::RunState;

use crate::asked::{Asked, of_sweep};
use crate::frame::Frame;

/// What is around a page of a sweep: it follows what happens from what it shows on.
pub(crate) fn frame<'a>(asked: &'a Asked, overview: &'a Overview, title: &str) -> Frame<'a> {
    let done = progress::runs(overview, &[RunState::Completed]);
    let name = &overview.name;
    let title = if title.is_empty() { name.clone() } else { format!("{title} · {name}") };
    Frame::titled(asked, title)
        .of_sweep(name)
        .done(done, progress::runs(overview, &RunState::ALL))
        .live(format!("{}/live?after={}", of_sweep(name), overview.last_event))
}
