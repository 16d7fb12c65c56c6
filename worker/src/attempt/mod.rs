//! A group's attempts, from their grant to their end.
//!
//! [`train`] leads through it: `admission` makes each run ready, `launch` starts a trainer, `supervision` follows that
//! until no run is open, and `closing` ends each attempt, while a trainer that stays takes the next group. `session` is
//! the list of the group's runs: which are open, and which are being closed. A group that has places for further runs tells
//! so in `vacancies`, where the agent fills them; `newcomers` are those runs on their way, and `joining` has the trainer take
//! them. `group_size` decides how many runs a group has, by what `measuring` tells it. `context` is what all groups of a worker share.

mod admission;
mod closing;
mod completion;
mod context;
mod ending;
mod group;
mod group_size;
mod joining;
mod last_call;
mod launch;
mod log;
mod machine_fault;
mod measuring;
mod member;
mod newcomers;
mod progress_watch;
mod resume;
mod session;
mod stop;
mod supervision;
mod vacancies;

pub(crate) use closing::finish;
pub(crate) use context::{Context, FAREWELL, LAST_UPLOADS};
pub(crate) use ending::Ending;
pub(crate) use group::{Trained, train};
pub(crate) use group_size::Sizing;
pub(crate) use launch::probe;
pub(crate) use machine_fault::MachineFault;
pub(crate) use member::Member;
pub(crate) use newcomers::Newcomers;
pub(crate) use progress_watch::Limits;
pub(crate) use session::Session;
pub(crate) use stop::Stop;
pub(crate) use vacancies::{Vacancies, Vacancy};
