//! Slurm's own commands, and what they say.

use std::io;
use std::process::{Output, Stdio};
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::time::timeout;

/// How long Slurm may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// The columns of [`Job`].
const COLUMNS: &str = "%i|%T|%r|%N|%j";

/// A job that Slurm tells of: one that waits, is under way, or ended lately.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Job {
    pub(super) id: String,
    pub(super) stage: Stage,
    /// Slurm's word for its state.
    pub(super) state: String,
    /// Why it waits, or how it ended.
    pub(super) reason: String,
    /// Empty before it has a machine.
    pub(super) node: String,
    pub(super) name: String,
}

/// Where a job is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Pending,
    Active,
    /// It ended by itself, in whatever way.
    Ended,
    /// It was taken from its machine, or the machine from it: nothing that its script could help.
    Taken,
}

impl Stage {
    /// A state that this program does not know holds a machine, as far as it can tell.
    fn of(state: &str) -> Stage {
        match state {
            "PENDING" | "REQUEUED" | "REQUEUE_HOLD" | "REQUEUE_FED" | "RESV_DEL_HOLD" | "SPECIAL_EXIT" => {
                Stage::Pending
            }
            "COMPLETED" | "FAILED" | "TIMEOUT" | "OUT_OF_MEMORY" | "DEADLINE" => Stage::Ended,
            "CANCELLED" | "PREEMPTED" | "NODE_FAIL" | "BOOT_FAIL" | "REVOKED" => Stage::Taken,
            _ => Stage::Active,
        }
    }
}

/// The user's jobs of this name, or all of them: those that ended lately too.
pub(super) async fn jobs(name: Option<&str>) -> anyhow::Result<Vec<Job>> {
    let mut squeue = Command::new("squeue");
    squeue.args(["--me", "--noheader", "--states=all", "--sort=i"]).arg(format!("--format={COLUMNS}"));
    squeue.args(name.map(|name| format!("--name={name}")));
    read(&said(squeue, None).await?)
}

fn read(answer: &str) -> anyhow::Result<Vec<Job>> {
    let job = |line: &str| {
        let columns: Vec<&str> = line.split('|').map(str::trim).collect();
        let [id, state, reason, node, name] = columns[..] else {
            bail!("squeue answered `{line}`, which has not five columns");
        };
        Ok(Job {
            id: id.to_owned(),
            stage: Stage::of(state),
            state: state.to_owned(),
            reason: reason.to_owned(),
            node: node.to_owned(),
            name: name.to_owned(),
        })
    };
    answer.lines().filter(|line| !line.trim().is_empty()).map(job).collect()
}

/// Submits a script; answers the job's id.
pub(super) async fn submit(options: &[String], script: &str) -> anyhow::Result<String> {
    let mut sbatch = Command::new("sbatch");
    sbatch.arg("--parsable").args(options);
    let answer = said(sbatch, Some(script)).await?;
    // With the name of its cluster where there are several.
    Ok(answer.trim().split(';').next().unwrap_or_default().to_owned())
}

/// What Slurm says of a script that is not submitted.
pub(super) async fn would_take(options: &[String], script: &str) -> anyhow::Result<String> {
    let mut sbatch = Command::new("sbatch");
    sbatch.arg("--test-only").args(options);
    let output = run(sbatch, Some(script)).await?;
    let words = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    if output.status.success() { Ok(words) } else { Err(anyhow!("{words}")) }
}

/// Cancels those of the jobs that have not begun.
pub(super) async fn cancel_pending(jobs: &[String]) -> anyhow::Result<()> {
    if jobs.is_empty() {
        return Ok(());
    }
    let mut scancel = Command::new("scancel");
    // One that has begun meanwhile goes on.
    scancel.arg("--state=PENDING").args(jobs);
    said(scancel, None).await.map(drop)
}

/// Has the workers of these jobs write checkpoints, give their runs back and end.
pub(super) async fn stop(jobs: &[String]) -> anyhow::Result<()> {
    if jobs.is_empty() {
        return Ok(());
    }
    let mut scancel = Command::new("scancel");
    // To the batch step, which without this option gets no signal: the worker takes its place.
    scancel.args(["--batch", "--signal=TERM", "--state=RUNNING"]).args(jobs);
    said(scancel, None).await.map(drop)
}

/// Standard output of a command that succeeds.
async fn said(command: Command, input: Option<&str>) -> anyhow::Result<String> {
    let name = command.as_std().get_program().to_string_lossy().into_owned();
    let output = run(command, input).await?;
    if !output.status.success() {
        bail!("{name}: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

async fn run(mut command: Command, input: Option<&str>) -> anyhow::Result<Output> {
    let name = command.as_std().get_program().to_string_lossy().into_owned();
    command.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() });
    let running = async {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true).spawn()?;
        if let (Some(input), Some(mut stdin)) = (input, child.stdin.take()) {
            // A command that refuses its arguments reads nothing; it says why.
            let _ = stdin.write_all(input.as_bytes()).await;
        }
        child.wait_with_output().await
    };
    let answered = timeout(PATIENCE, running).await;
    let answered = answered.with_context(|| format!("{name} does not answer within {PATIENCE:?}"))?;
    answered.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => {
            anyhow!("there is no `{name}` here\nhint: a fleet of Slurm is looked after where Slurm's commands are, as on a login node")
        }
        _ => anyhow!("cannot run {name}: {error}"),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn jobs_are_read_with_their_stage_and_an_unknown_state_holds_a_machine() {
        let answer = "7|PENDING|Resources||acai-a\n8|RUNNING|None|n1|acai-a\n9|NODE_FAIL|NodeDown|n2|acai-a\n\
                      10|FAILED|NonZeroExitCode|n2|acai-a\n11|NEW_STATE|None|n3|acai-a\n";
        let jobs = read(answer).unwrap();
        let stages: Vec<Stage> = jobs.iter().map(|job| job.stage).collect();
        assert_eq!(stages, [Stage::Pending, Stage::Active, Stage::Taken, Stage::Ended, Stage::Active]);
        assert_eq!(
            (jobs[0].id.as_str(), jobs[0].reason.as_str(), jobs[1].node.as_str()),
            ("7", "Resources", "n1")
        );
        assert!(read("slurm_load_jobs error").unwrap_err().to_string().contains("slurm_load_jobs"));
    }
}
