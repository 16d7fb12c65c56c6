//! `acai show`

use acai_proto::v1::{
    Artifact, AttemptDetails, ExplainRequest, GetRunRequest, GetRunResponse, Run, StoredCheckpoint,
};
use acai_sweep::spelling::counted;
use serde_json::{Value, json};

use super::artifacts::of_run;
use super::attempts::device;
use super::logs::attempt_of;
use super::runs::{run_json, state};
use crate::args::ShowArguments;
use crate::client::{connect, connect_control};
use crate::failure::Failure;
use crate::format::{assignment, in_a_line, indented, mean_and_std, percent, utc, value};
use crate::grid::Grid;
use crate::output::Output;

pub(super) async fn show(arguments: ShowArguments, output: Output) -> Result<(), Failure> {
    let (sweep, number) = arguments.run;
    let at = &arguments.ask.at;
    let mut client = connect(at).await?;
    let details = client.get_run(GetRunRequest { sweep: sweep.clone(), number }).await?.into_inner();
    let artifacts = of_run(&mut client, &sweep, number).await?;
    let explained =
        connect_control(at).await?.explain_run(ExplainRequest { sweep, number }).await?.into_inner();
    output.data(&match arguments.ask.json {
        true => as_json(&details, &artifacts, &explained.reasons).to_string(),
        false => text(&details, &artifacts, &explained.reasons),
    })?;
    Ok(())
}

fn text(details: &GetRunResponse, artifacts: &[Artifact], reasons: &[String]) -> String {
    let run = details.run.clone().unwrap_or_default();
    let name = format!("{}/{}", run.sweep, run.number);
    let set_aside = if details.set_aside { ", set aside" } else { "" };
    let mut lines = vec![format!("{name} is {}{set_aside}", state(&run))];
    lines.push(format!("  {} seed={}", assignment(&run.configuration), run.seed));
    lines.push(format!(
        "  trained {}: {} of {} steps",
        percent(run.step, run.total_steps),
        run.step,
        run.total_steps
    ));
    lines.extend(reasons.iter().map(|reason| format!("  - {}", indented(reason, "    "))));
    let mut part = |heading: &str, body: Vec<String>| {
        if !body.is_empty() {
            lines.push(heading.to_owned());
            lines.extend(body.iter().map(|line| format!("  {line}")));
        }
    };
    let rates = rates(&run, &details.attempts);
    part(
        "attempts",
        details.attempts.iter().zip(rates).map(|(attempt, rate)| attempt_line(attempt, rate)).collect(),
    );
    part("metrics", metric_lines(details));
    part("checkpoints", details.checkpoints.iter().map(checkpoint_line).collect());
    let (logs, pictures): (Vec<&Artifact>, Vec<&Artifact>) =
        artifacts.iter().partition(|artifact| attempt_of(&artifact.name).is_some());
    if let Some(last) = pictures.last() {
        let files = counted(pictures.len() as u64, "file");
        let pictures = format!("{files}, the last of step {}: `acai artifacts ls {name}`", last.step);
        part("pictures", vec![pictures]);
    }
    if !logs.is_empty() {
        part("what its trainer printed", vec![format!("`acai logs {name}`")]);
    }
    part("the same training without a sweep", command(&run, &details.attempts).into_iter().collect());
    lines.join("\n")
}

/// Images a second of each attempt, from what it added to the run's steps; none where that is not known.
fn rates(run: &Run, attempts: &[AttemptDetails]) -> Vec<Option<f64>> {
    let batch = run.configuration.iter().find(|parameter| parameter.name == "batch");
    let batch = batch.and_then(|batch| value(batch).parse::<f64>().ok());
    let mut before = 0;
    let rate = |attempt: &AttemptDetails| {
        let (from, step) = (before, attempt.step?);
        before = before.max(step);
        let seconds = (attempt.ended_unix_ms? - attempt.started_unix_ms) as f64 / 1000.0;
        (step > from && seconds > 0.0).then(|| Some((step - from) as f64 * batch? / seconds))?
    };
    attempts.iter().map(rate).collect()
}

fn attempt_line(attempt: &AttemptDetails, rate: Option<f64>) -> String {
    let outcome = if attempt.outcome.is_empty() { "goes on" } else { &attempt.outcome };
    let device = in_a_line(&device(attempt.hardware.as_ref()));
    let mut line = format!("{}  {outcome} on {} ({device})", attempt.number, in_a_line(&attempt.worker));
    line += &format!(", from {}", utc(attempt.started_unix_ms));
    let took = attempt.ended_unix_ms.map(|ended| ended - attempt.started_unix_ms);
    // An attempt ends before its beginning where the coordinator's clock was set back.
    if let Some(took) = took.and_then(|ms| u64::try_from(ms / 1000).ok()) {
        line += &format!(" for {}", humantime::format_duration(std::time::Duration::from_secs(took)));
    }
    if let Some(rate) = rate {
        line += &format!(", {rate:.0} images/s");
    }
    if !attempt.message.is_empty() {
        line += &format!(": {}", in_a_line(&attempt.message));
    }
    line
}

fn metric_lines(details: &GetRunResponse) -> Vec<String> {
    let figure = |value: f64| mean_and_std(value, 0.0, 1);
    let row = |metric: &acai_proto::v1::MetricSummary| {
        vec![metric.name.clone(), figure(metric.last), figure(metric.min), figure(metric.max)]
    };
    if details.metrics.is_empty() {
        return Vec::new();
    }
    let rows = details.metrics.iter().map(row).collect();
    Grid::new(&["", "last", "lowest", "highest"], rows).fit(None).lines
}

fn checkpoint_line(checkpoint: &StoredCheckpoint) -> String {
    let StoredCheckpoint { step, bytes, attempt, rejected, .. } = checkpoint;
    let rejected = if rejected.is_empty() {
        String::new()
    } else {
        format!(", taken out of use: {}", in_a_line(rejected))
    };
    format!("step {step}  {bytes} bytes, of attempt {attempt}{rejected}")
}

/// The command that trains the run alone, to the same digits on the same kind of machine; none where only a trainer of
/// one's own can.
fn command(run: &Run, attempts: &[AttemptDetails]) -> Option<String> {
    if run.configuration.iter().any(|parameter| parameter.own) {
        return None;
    }
    let mut words = vec!["acai-trainer train".to_owned()];
    for parameter in &run.configuration {
        words.push(format!("--{} {}", parameter.name.replace('_', "-"), value(parameter)));
    }
    words.push(format!("--seed {}", run.seed));
    let threads = attempts.iter().rev().filter_map(|attempt| attempt.hardware.as_ref());
    if let Some(threads) = threads.map(|hardware| hardware.threads).find(|&threads| threads > 0) {
        words.push(format!("--threads {threads}"));
    }
    words.push(format!("--out {}-{}", run.sweep, run.number));
    Some(words.join(" "))
}

fn as_json(details: &GetRunResponse, artifacts: &[Artifact], reasons: &[String]) -> Value {
    let run = details.run.clone().unwrap_or_default();
    let rates = rates(&run, &details.attempts);
    let attempts = details.attempts.iter().zip(rates).map(|(attempt, rate)| attempt_json(attempt, rate));
    let metric = |metric: &acai_proto::v1::MetricSummary| {
        let summary = json!({"last": metric.last, "min": metric.min, "max": metric.max, "mean": metric.mean});
        (metric.name.clone(), summary)
    };
    json!({
        "version": 1,
        "run": run_json(&run),
        "set_aside": details.set_aside,
        "reasons": reasons,
        "attempts": attempts.collect::<Vec<_>>(),
        "metrics": Value::Object(details.metrics.iter().map(metric).collect()),
        "checkpoints": details.checkpoints.iter().map(checkpoint_json).collect::<Vec<_>>(),
        "artifacts": artifacts.iter().map(artifact_json).collect::<Vec<_>>(),
        "command": command(&run, &details.attempts),
    })
}

fn attempt_json(attempt: &AttemptDetails, images_per_second: Option<f64>) -> Value {
    let hardware = attempt.hardware.clone().unwrap_or_default();
    json!({
        "attempt": attempt.number,
        "worker": attempt.worker,
        "version": attempt.version,
        "host": hardware.host,
        "cpu": hardware.cpu,
        "cores": hardware.cores,
        "threads": hardware.threads,
        "gpus": hardware.gpus.iter().map(|gpu| &gpu.name).collect::<Vec<_>>(),
        "started_unix_ms": attempt.started_unix_ms,
        "ended_unix_ms": attempt.ended_unix_ms,
        "outcome": attempt.outcome,
        "message": attempt.message,
        "replay_mismatches": attempt.replay_mismatches,
        "step": attempt.step,
        "images_per_second": images_per_second,
    })
}

fn checkpoint_json(checkpoint: &StoredCheckpoint) -> Value {
    json!({
        "step": checkpoint.step,
        "sha256": checkpoint.sha256,
        "bytes": checkpoint.bytes,
        "attempt": checkpoint.attempt,
        "committed_unix_ms": checkpoint.committed_unix_ms,
        "rejected": (!checkpoint.rejected.is_empty()).then_some(&checkpoint.rejected),
    })
}

fn artifact_json(artifact: &Artifact) -> Value {
    let Artifact { name, step, sha256, bytes, .. } = artifact;
    json!({"name": name, "step": step, "sha256": sha256, "bytes": bytes})
}
