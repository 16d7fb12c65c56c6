//! `acai submit`

use acai_proto::v1::{PlanSweepRequest, SubmitSweepRequest, SubmitSweepResponse};
use acai_sweep::plan::{Plan, PlannedRun};
use acai_sweep::spelling::counted;
use serde_json::{Value, json};
use tonic::Code;

use super::{read_sweep, warnings};
use crate::args::SubmitArguments;
use crate::client::{Client, connect};
use crate::failure::Failure;
use crate::output::Output;

pub(super) async fn submit(arguments: &SubmitArguments, output: Output) -> Result<(), Failure> {
    let sweep = read_sweep(&arguments.sweep)?;
    warnings::note(&sweep, output);
    let mut client = connect(&arguments.ask.at).await?;
    let answer = match arguments.dry_run {
        true => dry_run(&mut client, &sweep.source).await?.ok_or_else(|| {
            anyhow::anyhow!(
                "the coordinator is of an earlier release, which cannot say what a file would change; nothing was submitted"
            )
        })?,
        false => hand_in(&mut client, &sweep.source, arguments.yes, output).await?,
    };
    note_unserved(&answer, &sweep.file.plan, output);
    output.data(&match (arguments.ask.json, arguments.dry_run) {
        (true, is_dry_run) => as_json(&answer, is_dry_run, &warnings::as_json(&sweep)).to_string(),
        (false, true) => format!("{}\nnothing was changed", describe(&answer)),
        (false, false) => describe(&answer),
    })?;
    Ok(())
}

/// Says which runs no worker can train, as far as workers tell.
fn note_unserved(answer: &SubmitSweepResponse, plan: &Plan, output: Output) {
    for dataset in &answer.unserved_datasets {
        let is_on_it = |run: &PlannedRun<'_>| run.configuration.training_config().dataset.name() == dataset;
        let wait = match (answer.existing_runs, plan.runs().filter(is_on_it).count()) {
            (0, 1) => "its 1 run waits".to_owned(),
            (0, runs) => format!("its {runs} runs wait"),
            _ => "its runs that have not ended wait".to_owned(),
        };
        output.note(&match dataset.starts_with("images:") {
            true => format!(
                "no worker that is alive has {dataset}: {wait} \
                 (workers look for folders of pictures below their --data when they start)"
            ),
            false => format!("no worker that is alive has {dataset}: {wait}"),
        });
    }
}

/// What submitting the file would change; none from a coordinator of a release that cannot say it.
async fn dry_run(client: &mut Client, source: &str) -> Result<Option<SubmitSweepResponse>, Failure> {
    match client.plan_sweep(PlanSweepRequest { source: source.to_owned() }).await {
        Ok(change) => Ok(Some(change.into_inner())),
        Err(status) if status.code() == Code::Unimplemented => Ok(None),
        Err(status) => Err(status.into()),
    }
}

/// Submits the file. Runs with results are set aside only with `yes`, or when the person at the terminal says so; where
/// there is none, the coordinator refuses.
pub(super) async fn hand_in(
    client: &mut Client,
    source: &str,
    yes: bool,
    output: Output,
) -> Result<SubmitSweepResponse, Failure> {
    let set_aside_results = yes || (output.can_ask() && agrees(client, source, output).await?);
    let request = SubmitSweepRequest { source: source.to_owned(), set_aside_results };
    Ok(client.submit_sweep(request).await?.into_inner())
}

/// Whether the person wants runs with results set aside; not asked where there are none.
async fn agrees(client: &mut Client, source: &str, output: Output) -> Result<bool, Failure> {
    let question = match dry_run(client, source).await? {
        Some(change) if change.set_aside_with_results == 0 => return Ok(false),
        Some(change) => {
            output.note(&describe(&change));
            let SubmitSweepResponse { sweep, set_aside_with_results: runs, .. } = change;
            match runs {
                1 => format!("Set 1 run of {sweep} that has results aside? It will be in no table [y/N] "),
                _ => format!("Set {runs} runs of {sweep} that have results aside? They will be in no table [y/N] "),
            }
        }
        None => "The coordinator is of an earlier release: it sets runs that are not in the file aside without asking, also \
                 those that have results. Submit the file? [y/N] "
            .to_owned(),
    };
    match output.ask(&question) {
        true => Ok(true),
        false => Err(Failure::Error(anyhow::anyhow!("nothing was submitted"))),
    }
}

pub(super) fn describe(submitted: &SubmitSweepResponse) -> String {
    let SubmitSweepResponse { sweep, new_runs, existing_runs, other_runs, .. } = submitted;
    let were = if *existing_runs == 1 { "was" } else { "were" };
    let lengthened = match submitted.lengthened_runs {
        0 => String::new(),
        1 => " (1 goes on from a shorter run)".to_owned(),
        runs => format!(" ({runs} go on from shorter runs)"),
    };
    let new = counted(*new_runs, "new run");
    let mut text = format!("{sweep}: {new}{lengthened}, {existing_runs} {were} there already");
    if *other_runs > 0 {
        let are = if *other_runs == 1 { "is" } else { "are" };
        text += &format!("; {} {are} not in this file and set aside", counted(*other_runs, "earlier run"));
    }
    if submitted.set_aside_runs > 0 {
        let SubmitSweepResponse { set_aside_runs, set_aside_with_results, .. } = submitted;
        text += &format!(", {set_aside_runs} of them by this file ({set_aside_with_results} with results)");
    }
    text
}

fn as_json(submitted: &SubmitSweepResponse, is_dry_run: bool, warnings: &[Value]) -> Value {
    json!({
        "version": 1,
        "sweep": submitted.sweep,
        "dry_run": is_dry_run,
        "new_runs": submitted.new_runs,
        "lengthened_runs": submitted.lengthened_runs,
        "existing_runs": submitted.existing_runs,
        "other_runs": submitted.other_runs,
        "set_aside_runs": submitted.set_aside_runs,
        "set_aside_with_results": submitted.set_aside_with_results,
        "unserved_datasets": submitted.unserved_datasets,
        "warnings": warnings,
    })
}
