//! `acai status`

use acai_proto::v1::{GetSweepRequest, GetSweepResponse};
use acai_sweep::spelling::counted;
use serde_json::{Value, json};

use super::ls::sweep_json;
use super::runs::run_json;
use crate::args::StatusArguments;
use crate::client::connect;
use crate::failure::Failure;
use crate::format::{self, kimg, percent, states};
use crate::output::Output;

pub(super) async fn status(arguments: &StatusArguments, output: Output) -> Result<(), Failure> {
    let mut client = connect(&arguments.ask.at).await?;
    let request = GetSweepRequest { sweep: arguments.sweep.clone() };
    let response = client.get_sweep(request).await?.into_inner();
    output.data(&if arguments.ask.json { json(&response).to_string() } else { text(&response) })?;
    Ok(())
}

fn json(response: &GetSweepResponse) -> Value {
    let mut value = json!({
        "version": 1,
        "failures": response.failures.iter().map(run_json).collect::<Vec<_>>(),
        "waiting_for_datasets": response.waiting_for_datasets,
    });
    value["sweep"] = response.sweep.as_ref().map(sweep_json).unwrap_or_default();
    value
}

fn text(response: &GetSweepResponse) -> String {
    let sweep = response.sweep.clone().unwrap_or_default();
    let mut lines = vec![if sweep.description.is_empty() {
        sweep.name.clone()
    } else {
        format!("{}: {}", sweep.name, sweep.description)
    }];
    lines.push(format!("  runs     {}", states(&sweep.counts)));
    if sweep.leaving > 0 {
        lines.push(format!(
            "  leaving  {} runs that left the file, until their workers give them back",
            sweep.leaving
        ));
    }
    lines.push(format!(
        "  trained  {} of {} kimg",
        percent(sweep.images_done, sweep.images_total),
        kimg(sweep.images_total)
    ));
    if sweep.priority != 0 {
        lines.push(format!("  priority {}", sweep.priority));
    }
    if sweep.max_concurrent > 0 {
        lines.push(format!("  at most  {} at a time", sweep.max_concurrent));
    }
    if !sweep.paused.is_empty() {
        lines.push(format!("  paused   {}; `acai resume` lets it go on", sweep.paused));
    }
    if sweep.replay_mismatches > 0 {
        lines.push(format!(
            "  warning  {} points came out differently when they were trained again: on machines of another kind?",
            sweep.replay_mismatches
        ));
    }
    if !response.waiting_for_datasets.is_empty() {
        lines.push(format!(
            "  waiting  for a worker that can train on {}: none is alive (`acai workers` lists them)",
            response.waiting_for_datasets.join(" or ")
        ));
    }
    for run in &response.failures {
        lines.push(format!(
            "  #{} {} after {}: {}",
            run.number,
            format::state(run.state),
            counted(run.failures, "failure"),
            format::in_a_line(&run.message)
        ));
    }
    lines.join("\n")
}
