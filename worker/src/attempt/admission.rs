//! Makes a run ready for its trainer.

use std::io;
use std::sync::Arc;

use acai_datasets::leads_out;
use acai_proto::convert::configuration;
use acai_proto::v1::{Assignment, Attempt};
use acai_sweep::configuration::Configuration;
use acai_sweep::trainer_protocol;
use tracing::{Instrument, Span};

use super::context::Context;
use super::ending::Ending;
use super::machine_fault::MachineFault;
use super::member::Member;
use super::resume::resume;
use crate::machine::disk::on_disk;
use crate::reporting::{Outbox, Reporter};
use crate::run_folder::RunFolder;
use crate::spool::{OwnFault, Spool};

/// What comes of a run that was granted.
pub(super) enum Admission {
    /// The run is trained: this is what its trainer is given.
    Train(Member, trainer_protocol::Member),
    /// The attempt ends before any training.
    End(Member, Ending),
}

/// A run that was granted, and what came of it.
pub(super) enum Admitted {
    /// It has a folder and a spool.
    Run(Box<Admission>),
    /// It is given back, for a fault of this machine or none.
    HandedBack(Attempt, Option<MachineFault>),
}

impl Admitted {
    pub(super) fn run(&self) -> u64 {
        match self {
            Self::Run(admission) => match &**admission {
                Admission::Train(member, _) | Admission::End(member, _) => member.attempt.run,
            },
            Self::HandedBack(attempt, _) => attempt.run,
        }
    }
}

/// Makes a run ready, unless this worker is told to stop. None without an attempt, which no coordinator leaves out.
pub(super) async fn admit(context: &Context, assignment: Assignment) -> Option<Admitted> {
    let attempt = assignment.attempt?;
    if context.stop.is_asked() {
        return Some(Admitted::HandedBack(attempt, None));
    }
    Some(match prepared(context, attempt, &assignment).await {
        Ok(admission) => Admitted::Run(Box::new(admission)),
        // The folder of another run may be usable.
        Err(fault) => Admitted::HandedBack(attempt, Some(fault)),
    })
}

/// Opens the run's folder and spool, finds what training continues from, and starts to report.
///
/// # Errors
/// The state folder cannot be used.
async fn prepared(
    context: &Context,
    attempt: Attempt,
    assignment: &Assignment,
) -> Result<Admission, MachineFault> {
    let run = format!("{}/{}", assignment.sweep, assignment.number);
    // Whatever is logged of the run from here on has its name.
    let span = tracing::info_span!("run", name = %run);
    span.in_scope(|| tracing::info!(%run, id = attempt.run, attempt = attempt.number, "attempt begins"));
    admit_named(context, attempt, assignment).instrument(span).await
}

async fn admit_named(
    context: &Context,
    attempt: Attempt,
    assignment: &Assignment,
) -> Result<Admission, MachineFault> {
    let prepared = prepare(context, attempt, assignment).await;
    let member = prepared.map_err(|error| MachineFault::State {
        path: context.state.path().to_owned(),
        reason: error.to_string(),
    })?;
    if context.leases.is_yielding(attempt) {
        tracing::info!(
            id = attempt.run,
            attempt = attempt.number,
            "asked to give the run back before it began"
        );
        return Ok(Admission::End(member, Ending::Released));
    }
    Ok(match configuration(&assignment.configuration) {
        Ok(configuration) if is_kept_away(context, &configuration) => {
            let message = format!(
                "this worker trains on folders below its --data alone, and `{}` is none of these\nhint: put the pictures there, or start the worker with --any-folder",
                configuration.training_config().dataset.name()
            );
            // The run's failure, and no fault of the machine: whoever may submit must not have slots rest.
            Admission::End(member, Ending::Failed { kind: OwnFault::Error, message })
        }
        Ok(configuration) => {
            let given = trainer_protocol::Member {
                run: attempt.run,
                seed: assignment.seed,
                config: configuration.training_config(),
                own: configuration.own().clone(),
                folder: member.folder.attempt().to_owned(),
                resume: member.resume.as_ref().map(|checkpoint| checkpoint.file.clone()),
                checkpoint_kimg: assignment.checkpoint_kimg,
                weights: assignment.weights,
            };
            Admission::Train(member, given)
        }
        Err(error) => {
            Admission::End(member, Ending::Failed { kind: OwnFault::Error, message: error.to_string() })
        }
    })
}

/// Whether the run asks for pictures that whoever submits it is not to see.
fn is_kept_away(context: &Context, configuration: &Configuration) -> bool {
    let dataset = configuration.training_config().dataset;
    !context.any_folder && leads_out(&dataset, context.data.as_deref())
}

async fn prepare(context: &Context, attempt: Attempt, assignment: &Assignment) -> io::Result<Member> {
    let (runs, spools, wanted) = (context.state.runs(), context.state.spools(), assignment.clone());
    let (folder, spool) = on_disk(move || {
        let folder = RunFolder::open(&runs, &wanted, attempt)?;
        let spool = Spool::new(&spools, attempt, folder.name())?;
        Ok((folder, spool))
    })
    .await?;
    let resume = resume(context, &folder, attempt, assignment).await?;
    let reporter = Reporter::start(
        attempt,
        folder.clone(),
        (spool, Outbox::default()),
        context.capacity,
        context.coordinator.clone(),
        Arc::clone(&context.leases),
    );
    // The coordinator does not have a checkpoint that is newer than those it granted: an earlier attempt was cut off
    // before it had handed that one over, and if it is of the last step, training brings no other.
    let newest = assignment.checkpoints.first().map_or(0, |checkpoint| checkpoint.step);
    if let Some(own) = resume.as_ref().filter(|own| own.step > newest) {
        reporter.checkpoint(own.clone());
    }
    let artifacts = context.artifacts.clone();
    let batch = configuration(&assignment.configuration).map_or(0, |of| of.training_config().batch.into());
    let images = context.metrics.training(batch, resume.as_ref().map_or(0, |checkpoint| checkpoint.step));
    Ok(Member { attempt, folder, reporter, artifacts, resume, images, span: Span::current() })
}
