//! What an agent that was killed left in the state folder: attempts that nobody works on any more.
//!
//! Within the leases of these attempts the coordinator still takes their reports, from this agent as well: a report
//! proves itself by its attempt, not by its worker. So before any new run is claimed, each attempt is ended as its
//! spool says. Its points are delivered and its checkpoints committed; then comes the final word, or else the run is
//! given back, so that it does not have to wait for the end of the lease. An attempt that lost its run meanwhile is
//! discarded.

use std::io;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::task::JoinSet;
use tracing::{Instrument, Span};

use super::left_attempt::LeftAttempt;
use crate::attempt::{Context, Ending, Member, finish};
use crate::error::WorkerError;
use crate::machine::disk::on_disk;
use crate::reporting::Reporter;
use crate::spool::EXTENSION;
use crate::summary::{Outcome, Summary};

/// Ends every attempt that has a spool, all at once: their leases are running out.
pub(super) async fn recover(context: &Arc<Context>) -> Result<Summary, WorkerError> {
    let spools = context.state.spools();
    let cannot_use = |source| WorkerError::State { path: context.state.path().to_owned(), source };
    let mut ending = JoinSet::new();
    for path in on_disk(move || find(&spools)).await.map_err(cannot_use)? {
        let context = Arc::clone(context);
        ending.spawn(async move {
            let left = read(&context, path).await?;
            let span = tracing::info_span!("run", name = %left.folder.name().display());
            Some(end(&context, left).instrument(span).await)
        });
    }
    let mut summary = Summary::default();
    while let Some(outcome) = ending.join_next().await {
        if let Some(outcome) = outcome.unwrap_or_else(|error| resume_unwind(error.into_panic())) {
            summary += outcome;
            context.metrics.ended(outcome);
        }
    }
    Ok(summary)
}

/// The spools. Files that an agent was writing to take a spool's place when it was killed are cleared away.
fn find(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut spools = Vec::new();
    for entry in folder.read_dir()? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == EXTENSION) {
            spools.push(path);
        } else {
            std::fs::remove_file(&path)?;
        }
    }
    Ok(spools)
}

/// The attempt of a spool; none for a spool that cannot be read.
async fn read(context: &Context, path: PathBuf) -> Option<LeftAttempt> {
    let (runs, file) = (context.state.runs(), path.clone());
    match on_disk(move || LeftAttempt::read(&runs, &file)).await {
        Ok(Some(left)) => Some(left),
        Ok(None) => {
            tracing::warn!("`{}` names no attempt; its run waits for its lease to end", path.display());
            None
        }
        Err(error) => {
            tracing::warn!(
                "cannot take up the attempt of `{}`: {error}; its run waits for its lease to end",
                path.display()
            );
            None
        }
    }
}

async fn end(context: &Context, left: LeftAttempt) -> Outcome {
    kill_trainer(&left).await;
    let LeftAttempt { attempt, folder, spool, outbox, word, .. } = left;
    tracing::info!(
        id = attempt.run,
        attempt = attempt.number,
        points = outbox.held().0,
        ended = word.is_some(),
        "taking up an attempt of a worker that was killed"
    );
    // No trainer works on the attempt any more, so only the answers to its own last calls decide about it.
    context.leases.take_up(attempt);
    let reporter = Reporter::start(
        attempt,
        folder.clone(),
        (spool, outbox),
        context.capacity,
        context.coordinator.clone(),
        Arc::clone(&context.leases),
    );
    let artifacts = context.artifacts.clone();
    // Nobody trains it any more.
    let images = context.metrics.training(0, 0);
    let member = Member { attempt, folder, reporter, artifacts, resume: None, images, span: Span::current() };
    finish(context, member, Ending::from(word)).await.outcome
}

/// Kills the trainer of the attempt if it still lives: it writes to a folder that the run's next attempt clears.
async fn kill_trainer(LeftAttempt { attempt, trainer, .. }: &LeftAttempt) {
    if let Some(trainer) = trainer
        && trainer.kill().await
    {
        tracing::warn!(
            id = attempt.run,
            attempt = attempt.number,
            "killed the trainer of a worker that is gone"
        );
    }
}
