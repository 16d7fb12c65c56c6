//! `acai logs`: what trainers have printed, which workers keep as artifacts of their runs, one for each attempt.

use std::time::Duration;

use acai_proto::convert::run_state;
use acai_proto::v1::{Artifact, AttemptDetails, GetRunRequest, GetRunResponse};
use acai_sweep::run::RunState;
use acai_sweep::spelling::counted;
use anyhow::{anyhow, bail};

use super::artifacts::of_run;
use crate::args::{Coordinator, LogsArguments};
use crate::client::{Blobs, Client, connect, connect_blobs};
use crate::download::bytes;
use crate::failure::Failure;
use crate::output::Output;

/// A follower looks for more this often.
const LOOKS: Duration = Duration::from_secs(1);

pub(super) async fn logs(arguments: LogsArguments, output: Output) -> Result<(), Failure> {
    let LogsArguments { run, attempt, follow, at } = arguments;
    let mut reader = Reader::new(&at, run).await?;
    let details = reader.details().await?;
    if let Some(attempt) = attempt {
        reader.check(&details, attempt)?;
    }
    if follow {
        return self::follow(reader, &at, attempt, output).await;
    }
    let logs = reader.logs().await?;
    let wanted = logs.iter().rfind(|log| attempt.is_none_or(|attempt| log.attempt == attempt));
    let Some(log) = wanted else {
        output.note(&reader.why_none(&details, attempt)?);
        return Ok(());
    };
    let text = reader.text(log).await?;
    output.data(&output.of_others(&text))?;
    if attempt.is_none() && details.attempts.len() > 1 {
        let (sweep, number) = &reader.run;
        output.note(&format!(
            "(attempt {} of {}; `acai logs {sweep}/{number} --attempt N` prints another one's)",
            log.attempt,
            details.attempts.len()
        ));
    }
    Ok(())
}

/// What an attempt's trainer has printed, as far as it has arrived.
pub(super) struct Log {
    pub(super) attempt: u32,
    pub(super) artifact: Artifact,
}

/// Which attempt's output an artifact is, if it is any's: `log-ATTEMPT.txt`.
pub(super) fn attempt_of(name: &str) -> Option<u32> {
    name.strip_prefix("log-")?.strip_suffix(".txt")?.parse().ok()
}

/// The last log of each attempt, in their order; of one that goes on there may be several, each with more.
pub(super) fn last_of_each(artifacts: Vec<Artifact>) -> Vec<Log> {
    let mut logs: Vec<Log> = artifacts
        .into_iter()
        .filter_map(|artifact| Some(Log { attempt: attempt_of(&artifact.name)?, artifact }))
        .collect();
    logs.sort_by_key(|log| (log.attempt, log.artifact.step, log.artifact.added_unix_ms));
    let newest_first = logs.into_iter().rev();
    let mut last: Vec<Log> = Vec::new();
    for log in newest_first {
        if last.last().is_none_or(|known| known.attempt != log.attempt) {
            last.push(log);
        }
    }
    last.reverse();
    last
}

/// Reads the logs of a run.
struct Reader {
    client: Client,
    blobs: Blobs,
    run: (String, u32),
}

impl Reader {
    async fn new(at: &Coordinator, run: (String, u32)) -> Result<Reader, Failure> {
        Ok(Reader { client: connect(at).await?, blobs: connect_blobs(at).await?, run })
    }

    async fn details(&mut self) -> Result<GetRunResponse, Failure> {
        let (sweep, number) = self.run.clone();
        Ok(self.client.get_run(GetRunRequest { sweep, number }).await?.into_inner())
    }

    async fn logs(&mut self) -> Result<Vec<Log>, Failure> {
        let (sweep, number) = &self.run;
        Ok(last_of_each(of_run(&mut self.client, sweep, *number).await?))
    }

    async fn text(&mut self, log: &Log) -> Result<String, Failure> {
        let bytes = bytes(&mut self.blobs, (&log.artifact.sha256, log.artifact.bytes)).await?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Refuses an attempt that the run has not had.
    fn check(&self, details: &GetRunResponse, attempt: u32) -> anyhow::Result<()> {
        if details.attempts.iter().any(|known| known.number == attempt) {
            return Ok(());
        }
        let (sweep, number) = &self.run;
        let attempts = counted(details.attempts.len() as u64, "attempt");
        Err(anyhow!("{sweep}/{number} has no attempt {attempt}: it has had {attempts}"))
    }

    /// Why there is nothing to print: an error where there may be something later, and else what to say of it, since most
    /// trainers print nothing.
    fn why_none(&self, details: &GetRunResponse, attempt: Option<u32>) -> anyhow::Result<String> {
        let (sweep, number) = &self.run;
        let wanted = |known: &&AttemptDetails| attempt.is_none_or(|attempt| known.number == attempt);
        match details.attempts.iter().rfind(wanted) {
            None => bail!(
                "{sweep}/{number} has no log: it has not been started\nhint: `acai explain {sweep}/{number}` says what it waits for"
            ),
            Some(AttemptDetails { number: attempt, worker, ended_unix_ms: None, .. }) => bail!(
                "attempt {attempt} of {sweep}/{number} goes on at {worker}, and its log has not arrived yet\nhint: `acai logs {sweep}/{number} -f` waits for it"
            ),
            Some(AttemptDetails { number: attempt, worker, .. }) => Ok(format!(
                "attempt {attempt} of {sweep}/{number} left no log: its trainer printed nothing, or {worker} did not bring it (a worker of an earlier release keeps none)"
            )),
        }
    }

    /// Prints what is new. Answers whether there can be more.
    async fn look(
        &mut self,
        attempt: Option<u32>,
        printed: &mut Printed,
        output: Output,
    ) -> Result<bool, Failure> {
        // Asked first: what has ended by now has left all that it ever will, but for what is on its way.
        let run = self.details().await?.run.unwrap_or_default();
        let has_ended = run_state("state", run.state).is_ok_and(RunState::is_terminal);
        let mut is_new = false;
        for log in self.logs().await? {
            if attempt.is_some_and(|attempt| log.attempt != attempt) || printed.is_up_to(&log) {
                continue;
            }
            let text = self.text(&log).await?;
            output.part(&output.of_others(&printed.rest(&log, text)))?;
            is_new = true;
        }
        Ok(is_new || !has_ended)
    }
}

/// Prints what there is and what comes, until the run has ended. When who answers goes away, as `acai run` does at its end,
/// whoever answers then is asked.
async fn follow(
    mut reader: Reader,
    at: &Coordinator,
    attempt: Option<u32>,
    output: Output,
) -> Result<(), Failure> {
    let mut printed = Printed::default();
    let mut is_waiting = false;
    loop {
        match reader.look(attempt, &mut printed, output).await {
            Ok(true) => is_waiting = false,
            Ok(false) => break,
            Err(failure) if failure.is_no_answer() => match Reader::new(at, reader.run.clone()).await {
                Ok(other) => reader = other,
                Err(failure) if failure.is_no_answer() => {
                    if !std::mem::replace(&mut is_waiting, true) {
                        output.note("the coordinator does not answer; waiting for it");
                    }
                }
                Err(failure) => return Err(failure),
            },
            Err(failure) => return Err(failure),
        }
        tokio::time::sleep(LOOKS).await;
    }
    if printed.attempt == 0 {
        let details = reader.details().await?;
        output.note(&reader.why_none(&details, attempt)?);
    }
    Ok(())
}

/// What a follower has seen.
#[derive(Default)]
struct Printed {
    attempt: u32,
    sha256: String,
    text: String,
}

impl Printed {
    fn is_up_to(&self, log: &Log) -> bool {
        log.attempt < self.attempt || log.artifact.sha256 == self.sha256
    }

    /// What of the log is new. Of one that no longer begins as it did, since it is bounded, that is all of it.
    fn rest(&mut self, log: &Log, text: String) -> String {
        let is_longer = log.attempt == self.attempt && text.starts_with(&self.text);
        let new = if is_longer { text[self.text.len()..].to_owned() } else { text.clone() };
        *self = Printed { attempt: log.attempt, sha256: log.artifact.sha256.clone(), text };
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn artifact(name: &str, step: u64) -> Artifact {
        Artifact { name: name.to_owned(), step, sha256: format!("{name}{step}"), ..Artifact::default() }
    }

    #[test]
    fn the_last_log_of_each_attempt_is_the_one_of_the_largest_step() {
        let names = ["log-2.txt", "log-10.txt", "samples.png", "log-x.txt", "log-2.txt"];
        let artifacts = names.iter().zip([5, 1, 9, 9, 7]).map(|(name, step)| artifact(name, step)).collect();
        let logs = last_of_each(artifacts);
        let found: Vec<(u32, u64)> = logs.iter().map(|log| (log.attempt, log.artifact.step)).collect();
        assert_eq!(found, [(2, 7), (10, 1)]);
    }

    #[test]
    fn a_follower_prints_what_has_been_appended_and_all_of_another_text() {
        let mut printed = Printed::default();
        let mut rest = |attempt, step, text: &str| {
            let log = Log { attempt, artifact: artifact("log", step) };
            printed.rest(&log, text.to_owned())
        };
        assert_eq!(rest(1, 1, "a\n"), "a\n");
        assert_eq!(rest(1, 2, "a\nb\n"), "b\n");
        assert_eq!(rest(1, 3, "…\nc\n"), "…\nc\n");
        assert_eq!(rest(2, 4, "…\nc\nd\n"), "…\nc\nd\n", "another attempt's");
    }
}
