//! The dashboard: pages for browsers of what a coordinator knows, on the coordinator's own port.
//!
//! The pages ask the coordinator's use cases what the command line asks, and draw with the same figures, so that both say the
//! same. They only read. Each is complete without scripts, and every view of it is a URL; with scripts, pages follow what
//! happens, curves can be zoomed, and pictures scrubbed.
//!
//! Reading order: [`pages`] puts together what `routes` lists; `entrance` decides who comes in; `asked` is what a URL asks for;
//! `frame` is what is around each page, `problem` what is shown instead of one. A page is a file: `sweeps`, `sweep/`, `run/`,
//! `workers`. `live` tells open pages what has changed. [`tunnel`] shows the pages of a coordinator elsewhere.

mod asked;
mod assets;
mod blob;
mod colours;
mod command;
mod entrance;
mod figures;
mod frame;
mod gzip;
mod live;
mod numbers;
mod order;
mod problem;
mod routes;
mod run;
mod shared;
mod site;
mod sweep;
mod sweeps;
mod thread;
pub mod tunnel;
mod view;
mod words;
mod workers;

use std::sync::Arc;

use acai_coordinator::pages::Pages;

pub use entrance::Hosts;

/// The pages of a coordinator that people reach by the names of `hosts`.
#[must_use]
pub fn pages(hosts: Hosts) -> Pages {
    Arc::new(move |served| routes::router(served, hosts.clone()))
}

/// The path, with its question, of an invitation that lets a browser in.
#[must_use]
pub fn invitation(code: &str) -> String {
    format!("/?{}={code}", entrance::INVITATION)
}
