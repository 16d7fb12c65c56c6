//! `acai explain`

use acai_proto::v1::{ExplainRequest, ExplainResponse, RunState};
use acai_sweep::spelling::printable;
use serde_json::json;

use super::runs::{run_json, state};
use super::watch::{event_json, event_line};
use crate::args::ExplainArguments;
use crate::client::connect_control;
use crate::failure::Failure;
use crate::format::{assignment, indented};
use crate::output::Output;

pub(super) async fn explain(arguments: ExplainArguments, output: Output) -> Result<(), Failure> {
    let (sweep, number) = arguments.run;
    let mut client = connect_control(&arguments.ask.at).await?;
    let response = client.explain_run(ExplainRequest { sweep, number }).await?.into_inner();
    output.data(&if arguments.ask.json { as_json(&response) } else { text(&response) })?;
    Ok(())
}

fn as_json(response: &ExplainResponse) -> String {
    let workers = response.workers.iter().map(|it| json!({"worker": it.worker, "reason": it.reason}));
    json!({
        "version": 1,
        "run": response.run.as_ref().map(run_json),
        "reasons": response.reasons,
        "workers": workers.collect::<Vec<_>>(),
        "events": response.events.iter().map(event_json).collect::<Vec<_>>(),
    })
    .to_string()
}

fn text(response: &ExplainResponse) -> String {
    let mut lines = Vec::new();
    // One whose configuration the coordinator cannot read is known by its reasons alone.
    if let Some(run) = &response.run {
        lines.push(format!("{}/{} is {}", run.sweep, run.number, state(run)));
        lines.push(format!("  {} seed={}", assignment(&run.configuration), run.seed));
    }
    lines.extend(response.reasons.iter().map(|reason| format!("  - {}", indented(reason, "    "))));
    if response.workers.is_empty() && response.run.as_ref().is_some_and(|run| run.state() == RunState::Queued)
    {
        lines.push("  - no worker has ever registered: `acai worker` starts one".to_owned());
    }
    if !response.workers.is_empty() {
        lines.push("workers".to_owned());
        let line = |worker: &str, reason: &str| format!("  {}: {}", printable(worker), printable(reason));
        lines.extend(response.workers.iter().map(|it| line(&it.worker, &it.reason)));
    }
    if !response.events.is_empty() {
        lines.push("what happened".to_owned());
        lines.extend(response.events.iter().map(|event| format!("  {}", event_line(event))));
    }
    lines.join("\n")
}
