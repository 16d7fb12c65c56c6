//! `acai status`

mod running;

use std::time::Duration;

use acai_proto::v1::{GetSweepRequest, GetSweepResponse, RunState};
use acai_sweep::spelling::{counted, printable};
use serde_json::{Value, json};

use super::ls::{submitter, sweep_json};
use super::runs::run_json;
use crate::args::StatusArguments;
use crate::client::{Client, connect};
use crate::failure::Failure;
use crate::format::{self, count, kimg, percent, states};
use crate::output::Output;
use crate::speed::Speed;

/// A follower looks this often.
const LOOKS: Duration = Duration::from_secs(2);

pub(super) async fn status(arguments: &StatusArguments, output: Output) -> Result<(), Failure> {
    let mut client = connect(&arguments.ask.at).await?;
    if arguments.watch {
        return follow(&mut client, arguments, output).await;
    }
    let response = ask(&mut client, arguments).await?;
    output.data(&match arguments.ask.json {
        true => json(&response).to_string(),
        false => shown(&mut client, arguments, (&response, None), output).await?,
    })?;
    Ok(())
}

/// Shows the status again and again, until no run waits or is trained.
async fn follow(client: &mut Client, arguments: &StatusArguments, output: Output) -> Result<(), Failure> {
    let (mut speed, mut last, mut lines) = (Speed::default(), String::new(), 0);
    loop {
        let response = ask(client, arguments).await?;
        let sweep = response.sweep.clone().unwrap_or_default();
        speed.add(sweep.images_done);
        let text = match arguments.ask.json {
            true => json(&response).to_string(),
            false => shown(client, arguments, (&response, speed.words(&sweep)), output).await?,
        };
        if text != last {
            if !arguments.ask.json && output.draws_over() {
                output.part(&output.over(lines))?;
            } else if !arguments.ask.json && !last.is_empty() {
                output.data("")?;
            }
            output.data(&text)?;
            lines = output.lines(&text);
            last = text;
        }
        if count(&sweep.counts, &[RunState::Queued, RunState::Running]) == 0 {
            return Ok(());
        }
        tokio::time::sleep(LOOKS).await;
    }
}

async fn ask(client: &mut Client, arguments: &StatusArguments) -> Result<GetSweepResponse, Failure> {
    let request = GetSweepRequest { sweep: arguments.sweep.clone() };
    Ok(client.get_sweep(request).await?.into_inner())
}

/// The status, how fast it goes on, and the runs that are trained.
async fn shown(
    client: &mut Client,
    arguments: &StatusArguments,
    (response, speed): (&GetSweepResponse, Option<String>),
    output: Output,
) -> Result<String, Failure> {
    let mut text = text(response);
    if let Some(speed) = speed {
        text += &format!("\n  speed    {speed}");
    }
    let metric = arguments.metric.as_deref();
    for line in running::lines(client, &arguments.sweep, metric, output.width()).await? {
        text += &format!("\n  {line}");
    }
    Ok(text)
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
        format!("{}: {}", sweep.name, printable(&sweep.description))
    }];
    lines.push(format!("  runs     {}", states(&sweep.counts)));
    if sweep.leaving > 0 {
        lines.push(format!(
            "  leaving  {} that left the file, until given back by a worker",
            counted(sweep.leaving, "run")
        ));
    }
    lines.push(format!(
        "  trained  {} of {} kimg",
        percent(sweep.images_done, sweep.images_total),
        kimg(sweep.images_total)
    ));
    if let Some(who) = &sweep.submitter {
        lines.push(format!("  by       {}", submitter(who)));
    }
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
