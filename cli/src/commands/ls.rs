//! `acai ls`

use acai_proto::v1::{ListSweepsRequest, Submitter, Sweep};
use serde_json::{Value, json};

use crate::args::List;
use crate::client::connect;
use crate::failure::Failure;
use crate::format::{percent, states};
use crate::grid::Grid;
use crate::output::Output;

pub(super) async fn ls(List { ask, width }: &List, output: Output) -> Result<(), Failure> {
    let mut client = connect(&ask.at).await?;
    let sweeps = client.list_sweeps(ListSweepsRequest {}).await?.into_inner().sweeps;
    if ask.json {
        let sweeps: Vec<Value> = sweeps.iter().map(sweep_json).collect();
        output.data(&json!({"version": 1, "sweeps": sweeps}).to_string())?;
    } else if sweeps.is_empty() {
        output.note("no sweeps yet: `acai submit FILE` adds one");
    } else {
        let row = |sweep: &Sweep| {
            let runs: u32 = sweep.counts.iter().map(|count| count.runs).sum();
            let done = percent(sweep.images_done, sweep.images_total);
            let states = states(&sweep.counts);
            let (queue, by) = (queue(sweep), sweep.submitter.as_ref().map(submitter).unwrap_or_default());
            vec![sweep.name.clone(), runs.to_string(), done, states, queue, by, sweep.description.clone()]
        };
        let rows = sweeps.iter().map(row).collect();
        let grid = Grid::new(&["sweep", "runs", "trained", "states", "queue", "by", "description"], rows)
            .free_text_last();
        output.data(&grid.fit(output.wide(width.wide).width()).to_string())?;
    }
    Ok(())
}

/// For whom the token was made with which a sweep was submitted last, or which one it was.
pub(super) fn submitter(Submitter { token, name }: &Submitter) -> String {
    if name.is_empty() { format!("token {token}") } else { name.clone() }
}

/// What decides when the sweep's runs are trained, where that is not the order of submissions.
fn queue(sweep: &Sweep) -> String {
    let mut words = Vec::new();
    if !sweep.paused.is_empty() {
        words.push("paused".to_owned());
    }
    if sweep.priority != 0 {
        words.push(format!("priority {}", sweep.priority));
    }
    if sweep.max_concurrent > 0 {
        words.push(format!("{} at a time", sweep.max_concurrent));
    }
    words.join(", ")
}

pub(super) fn sweep_json(sweep: &Sweep) -> Value {
    let counts = sweep.counts.iter().map(|count| (crate::format::state(count.state), json!(count.runs)));
    json!({
        "name": sweep.name,
        "description": sweep.description,
        "tags": sweep.tags,
        "priority": sweep.priority,
        "leaving": sweep.leaving,
        "max_concurrent": (sweep.max_concurrent > 0).then_some(sweep.max_concurrent),
        "submitted_unix_ms": sweep.submitted_unix_ms,
        "submitter": sweep.submitter.as_ref().map(|who| json!({"token": who.token, "name": who.name})),
        "states": counts.collect::<serde_json::Map<_, _>>(),
        "images_done": sweep.images_done,
        "images_total": sweep.images_total,
        "paused": (!sweep.paused.is_empty()).then_some(&sweep.paused),
        "replay_mismatches": sweep.replay_mismatches,
    })
}
