//! `acai submit`

use acai_proto::v1::{SubmitSweepRequest, SubmitSweepResponse};

use super::read_sweep;
use crate::args::SubmitArguments;
use crate::client::connect;
use crate::failure::Failure;
use crate::output::Output;

pub(super) async fn submit(arguments: &SubmitArguments, output: Output) -> Result<(), Failure> {
    let sweep = read_sweep(&arguments.file)?;
    let mut client = connect(&arguments.ask.at.coordinator).await?;
    let request = SubmitSweepRequest { source: sweep.source };
    let submitted = client.submit_sweep(request).await?.into_inner();
    if arguments.ask.json {
        let json = serde_json::json!({
            "version": 1,
            "sweep": submitted.sweep,
            "new_runs": submitted.new_runs,
            "existing_runs": submitted.existing_runs,
            "other_runs": submitted.other_runs,
        });
        output.data(&json.to_string())?;
    } else {
        output.data(&describe(&submitted))?;
    }
    Ok(())
}

pub(super) fn describe(submitted: &SubmitSweepResponse) -> String {
    let SubmitSweepResponse { sweep, new_runs, existing_runs, other_runs } = submitted;
    let mut text = format!("{sweep}: {new_runs} new runs, {existing_runs} were there already");
    if *other_runs > 0 {
        text += &format!("; {other_runs} earlier runs are not in this file and set aside");
    }
    text
}
