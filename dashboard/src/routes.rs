//! Every page and its path.

use acai_coordinator::pages::Served;
use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;

use crate::asked::understood;
use crate::entrance::{Entrance, Hosts, LOGIN, ask_to_log_in, enter, headers, log_in};
use crate::shared::{Shared, once};
use crate::site::Site;
use crate::thread::{Thread, aside};
use crate::{assets, blob, live, problem, run, sweep, sweeps, workers};

pub(crate) fn router(served: Served, hosts: Hosts) -> Router {
    let site = Site::new(&served);
    let pages = Router::new()
        .route("/", get(sweeps::page))
        .route("/live", get(live::of_sweeps))
        .route("/workers/live", get(live::of_workers))
        .route("/workers", get(workers::page))
        .route("/sweeps/{sweep}", get(sweep::overview::page))
        .route("/sweeps/{sweep}/live", get(live::of_sweep))
        .route("/sweeps/{sweep}/heatmap.svg", get(sweep::downloads::heat_map))
        .route("/sweeps/{sweep}/scatter.svg", get(sweep::scatter::svg))
        .route("/sweeps/{sweep}/results.csv", get(sweep::downloads::csv))
        .route("/sweeps/{sweep}/cell", get(sweep::cell::page))
        .route("/sweeps/{sweep}/runs", get(sweep::runs::page))
        .route("/sweeps/{sweep}/runs.csv", get(sweep::runs::csv))
        .route("/sweeps/{sweep}/curves", get(sweep::curves::page))
        .route("/sweeps/{sweep}/curves.svg", get(sweep::curves::svg))
        .route("/sweeps/{sweep}/results.tex", get(sweep::downloads::latex))
        .route("/sweeps/{sweep}/curves.csv", get(sweep::curves::csv))
        .route("/sweeps/{sweep}/curves.json", get(sweep::curves::json))
        .route("/sweeps/{sweep}/pictures", get(sweep::pictures::page))
        .route("/sweeps/{sweep}/sheet.svg", get(sweep::pictures::svg))
        .route("/sweeps/{sweep}/compare", get(sweep::compare::page))
        .route("/sweeps/{sweep}/compare.csv", get(sweep::compare::csv))
        .route("/sweeps/{sweep}/compare.tex", get(sweep::compare::latex))
        .route("/sweeps/{sweep}/compare.svg", get(sweep::compare::svg))
        .route("/sweeps/{sweep}/differences.csv", get(sweep::compare::differences_csv))
        .route("/sweeps/{sweep}/feed", get(sweep::feed::page))
        .route("/sweeps/{sweep}/file.yaml", get(sweep::downloads::yaml))
        .route("/sweeps/{sweep}/runs/{number}", get(run::page))
        .route("/sweeps/{sweep}/runs/{number}/scores.csv", get(run::scores_csv))
        .route("/sweeps/{sweep}/runs/{number}/log", get(run::log::page))
        .route("/pictures/{sha256}", get(blob::picture))
        .route("/assets/{name}", get(assets::asset_of))
        .route("/favicon.svg", get(assets::favicon))
        .fallback(problem::nowhere)
        .with_state(site)
        .layer(from_fn(understood))
        .layer(from_fn_with_state(Shared::default(), once))
        .layer(from_fn_with_state(Thread::default(), aside));
    guarded(pages, Entrance { guard: served.guard, hosts, tokens: Some(served.use_cases) })
}

/// Pages behind the entrance, at which a browser signs in.
pub(crate) fn guarded(pages: Router, entrance: Entrance) -> Router {
    let login = Router::new().route(LOGIN, get(ask_to_log_in).post(log_in)).with_state(entrance.clone());
    pages
        .merge(login)
        .layer(from_fn_with_state(entrance, enter))
        .layer(from_fn(problem::shown))
        .layer(from_fn(headers))
}
