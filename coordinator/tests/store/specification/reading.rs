//! All that can be read of a store, as text that is the same for stores that are the same: without ids and tokens, which each
//! store gives out as it likes.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::fmt::Write as _;

use acai_coordinator::store::{EventRecord, Place};

use crate::{LEASE, Tested};

const METRICS: [&str; 2] = ["eval/mean_distance", "train/loss"];

/// What people call each run, by its id in this store.
pub(super) async fn names(store: &Tested) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    for sweep in store.sweep_list().await.unwrap() {
        let plan = store.run_list(&sweep.name, &[]).await.unwrap();
        let others = store.set_aside_list(&sweep.name, &[], 0, u32::MAX).await.unwrap();
        for run in plan.iter().chain(&others) {
            names.insert(format!("{:?}", run.id), format!("{}/{}", sweep.name, run.number));
        }
    }
    names
}

/// The text with runs by their names, and without tokens.
pub(super) fn plain(text: &str, names: &BTreeMap<String, String>) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("RunId(").into_iter().chain(rest.find("token: ")).min() {
        plain.push_str(&rest[..at]);
        rest = &rest[at..];
        let is_run = rest.starts_with("RunId(");
        let end = rest.find(if is_run { [')', ')'] } else { [',', ' '] }).unwrap_or(rest.len());
        let end = if is_run { end + 1 } else { "token: ".len() + digits(&rest["token: ".len()..]) };
        plain.push_str(if is_run {
            names.get(&rest[..end]).map_or("a run", String::as_str)
        } else {
            "token"
        });
        rest = &rest[end..];
    }
    plain + rest
}

fn digits(text: &str) -> usize {
    text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len())
}

/// In which order events are read.
#[derive(Clone, Copy)]
pub(super) enum Order {
    /// As they are numbered.
    Numbers,
    /// Run by run. A claim chooses runs before it waits for the turn to number its events, so of a claim and a report that come at
    /// the same time either may be numbered first, whatever the claim saw.
    Runs,
}

impl Order {
    fn put(self, events: &mut [EventRecord]) {
        if matches!(self, Order::Runs) {
            events.sort_by_key(|event| (event.run_number, event.number));
            events.iter_mut().for_each(|event| event.number = 0);
        }
    }
}

/// Everything, a thing a line.
pub(super) async fn everything(store: &Tested, order: Order) -> String {
    let mut text = String::new();
    let mut add = |what: &str, thing: &dyn Debug| writeln!(text, "{what}: {thing:?}").unwrap();
    add("demand", &store.demand().await.unwrap());
    add("workers", &store.worker_list(i64::MIN, "", 100).await.unwrap());
    add("tokens", &store.token_list().await.unwrap());
    let mut files = store.blob_files().await.unwrap();
    files.sort();
    add("files", &files);
    for sweep in store.sweep_list().await.unwrap() {
        let name = sweep.name.as_str();
        add("sweep", &sweep);
        add("file", &store.sweep_file(name).await.unwrap());
        add("weight", &store.sweep_weigh(name).await.unwrap());
        add("failures", &store.failure_list(name, 2).await.unwrap());
        add("results", &store.result_list(name).await.unwrap());
        add("at the end", &store.result_list_at_end(name).await.unwrap());
        add("at step 10", &store.result_list_at_step(name, 10).await.unwrap());
        let preferred = METRICS.map(|metric| (metric.to_owned(), 1));
        add("at the best", &store.result_list_at_best(name, &preferred).await.unwrap());
        add("artifacts", &store.artifact_list(name, &[], None, 100).await.unwrap());
        add("metrics", &store.metric_list(name).await.unwrap());
        let mut events = store.event_list(name, Place::from(0), 1000).await.unwrap();
        assert!(
            events.iter().map(|event| event.number).eq(1..=events.len() as u64),
            "a number is missing: {events:?}"
        );
        order.put(&mut events);
        add("events", &events);
        for metric in METRICS {
            let runs = store.curve_runs(name, &[], metric, (0, 100)).await.unwrap();
            let asked: Vec<_> = runs.iter().map(|run| (run.id, 1)).collect();
            add("curves", &runs);
            add("points", &store.point_list(&asked, metric, 7).await.unwrap());
        }
        add("plan", &store.run_list(name, &[]).await.unwrap());
        let aside = store.set_aside_list(name, &[], 0, u32::MAX).await.unwrap();
        add("set aside", &aside);
        for number in 0..8 {
            add("run", &store.run_details(name, number).await.unwrap());
            let mut why = store.run_explain(name, number, LEASE).await.unwrap();
            why.iter_mut().for_each(|why| order.put(&mut why.events));
            add("why", &why);
        }
    }
    plain(&text, &names(store).await)
}
