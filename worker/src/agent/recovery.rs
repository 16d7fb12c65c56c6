//! What an agent that was killed left in the state folder: attempts nobody works on any more.
//!
//! Within their leases the coordinator still takes what they have to say, from this agent as well: a
//! report proves itself by its attempt, not by its worker. So before any new run is claimed, each is
//! ended as its spool says: its points delivered, its checkpoints committed, then the final word, or
//! the run handed back, which does not have to wait for the end of the lease. An attempt that lost its
//! run meanwhile is discarded.

use std::io;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use acai_proto::v1::{Attempt, Point};
use tokio::task::JoinSet;

use crate::attempt::{Context, Ending, Member, finish};
use crate::error::WorkerError;
use crate::machine::disk::leads_nowhere;
use crate::machine::disk::on_disk;
use crate::machine::process_identity::ProcessIdentity;
use crate::reporting::Outbox;
use crate::reporting::Reporter;
use crate::run_folder::Checkpoint;
use crate::run_folder::RunFolder;
use crate::spool::{EXTENSION, FinalWord, Record, Spool};
use crate::summary::{Outcome, Summary};

/// Ends every attempt that has a spool, all at once: their leases are running out.
pub(crate) async fn recover(context: &Arc<Context>) -> Result<Summary, WorkerError> {
    let spools = context.state.spools();
    let cannot_use = |source| WorkerError::State { path: context.state.path().to_owned(), source };
    let mut ending = JoinSet::new();
    for path in on_disk(move || find(&spools)).await.map_err(cannot_use)? {
        let context = Arc::clone(context);
        ending.spawn(async move { end(&context, path).await });
    }
    let mut summary = Summary::default();
    while let Some(outcome) = ending.join_next().await {
        if let Some(outcome) = outcome.unwrap_or_else(|error| resume_unwind(error.into_panic())) {
            summary += outcome;
        }
    }
    Ok(summary)
}

/// The spools, after clearing away what an agent was killed over while it wrote one anew.
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

/// An attempt as its spool has it.
struct Left {
    attempt: Attempt,
    folder: RunFolder,
    trainer: Option<ProcessIdentity>,
    spool: Spool,
    outbox: Outbox,
    word: Option<FinalWord>,
}

async fn end(context: &Arc<Context>, path: PathBuf) -> Option<Outcome> {
    let (runs, file) = (context.state.runs(), path.clone());
    let left = match on_disk(move || read(&runs, &file)).await {
        Ok(left) => left,
        Err(error) => {
            tracing::warn!(
                "cannot take up the attempt of `{}`: {error}; its run waits for its lease to end",
                path.display()
            );
            return None;
        }
    };
    let Some(Left { attempt, folder, trainer, spool, outbox, word }) = left else {
        tracing::warn!("`{}` names no attempt; its run waits for its lease to end", path.display());
        return None;
    };
    // It writes to the folder that the next attempt clears.
    if let Some(trainer) = trainer
        && trainer.kill().await
    {
        tracing::warn!(
            run = attempt.run,
            attempt = attempt.number,
            "killed the trainer of a worker that is gone"
        );
    }
    tracing::info!(
        run = attempt.run,
        attempt = attempt.number,
        points = outbox.held().0,
        ended = word.is_some(),
        "taking up an attempt of a worker that was killed"
    );
    // Its trainer is done: only the answers to its own last calls decide about it.
    context.leases.take_up(attempt);
    let reporter = Reporter::start(
        attempt,
        folder.clone(),
        (spool, outbox),
        context.capacity,
        context.coordinator.clone(),
        Arc::clone(&context.leases),
    );
    let member = Member { attempt, folder, reporter, resume: None };
    Some(finish(context, member, Ending::from(word)).await.outcome)
}

/// None for a file that is damaged from its start on; it is deleted.
fn read(runs: &Path, path: &Path) -> io::Result<Option<Left>> {
    let (mut spool, records) = Spool::open(path)?;
    let mut records = records.into_iter();
    let Some(Record::Attempt { run, number, token, folder }) = records.next() else {
        spool.delete()?;
        return Ok(None);
    };
    let attempt = Attempt { run, number, token };
    let folder = RunFolder::reopen(runs, &folder, attempt)?;
    let records: Vec<Record> = records.collect();
    let mut outbox = Outbox::recovered(records.iter().find_map(before).unwrap_or_default());
    let (mut trainer, mut word) = (None, None);
    for record in records {
        match record {
            Record::Attempt { .. } => {}
            Record::Trainer(identity) => trainer = Some(identity),
            Record::Points { points, .. } => {
                for (name, step, value) in points {
                    outbox.progress(step);
                    outbox.push([Point { name, step, value }]);
                }
            }
            Record::Checkpoint { step, file, .. } => {
                let file = folder.file(&file);
                // It may have been committed, and deleted since; whether one is there that cannot be looked at is not known.
                if !file.metadata().is_err_and(|error| leads_nowhere(&error)) {
                    outbox.push_checkpoint(Checkpoint { step, file });
                }
            }
            Record::Final { word: last, .. } => word = Some(last),
        }
    }
    Ok(Some(Left { attempt, folder, trainer, spool, outbox, word }))
}

/// Number of the last point before the record: what came earlier was settled and is not in the spool.
fn before(record: &Record) -> Option<u64> {
    match record {
        Record::Attempt { .. } | Record::Trainer(_) => None,
        Record::Points { first, .. } => Some(first - 1),
        Record::Checkpoint { after, .. } => Some(*after),
        Record::Final { last, .. } => Some(*last),
    }
}
