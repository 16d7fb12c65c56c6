//! `acai forget`

use acai_proto::v1::{ForgetSweepRequest, ForgetSweepResponse};
use acai_sweep::spelling::counted;
use serde_json::json;
use tonic::Code;

use crate::args::ForgetArguments;
use crate::client::{Control, connect_control};
use crate::failure::Failure;
use crate::output::Output;

pub(super) async fn forget(arguments: ForgetArguments, output: Output) -> Result<(), Failure> {
    let mut client = connect_control(&arguments.ask.at).await?;
    let sweep = arguments.sweep;
    let weight = ask(&mut client, &sweep, true).await?;
    if arguments.dry_run {
        output.data(&if arguments.ask.json {
            json(&sweep, &weight, false)
        } else {
            describe(&sweep, &weight)
        })?;
        return Ok(());
    }
    if !arguments.yes {
        output.note(&describe(&sweep, &weight));
        if !output.can_ask() {
            return Err(anyhow::anyhow!("nothing was forgotten\nhint: --yes forgets without asking").into());
        }
        if !output.ask(&format!("Forget {sweep}? Nothing brings it back [y/N] ")) {
            return Err(anyhow::anyhow!("nothing was forgotten").into());
        }
    }
    ask(&mut client, &sweep, false).await?;
    output.data(&match arguments.ask.json {
        true => json(&sweep, &weight, true),
        false => format!("{sweep} is forgotten"),
    })?;
    Ok(())
}

/// Asks what there is, or has it forgotten: as often as the coordinator does not come to an end in time.
async fn ask(client: &mut Control, sweep: &str, dry_run: bool) -> Result<ForgetSweepResponse, Failure> {
    let mut has_begun = false;
    loop {
        let request = ForgetSweepRequest { sweep: sweep.to_owned(), dry_run };
        match client.forget_sweep(request).await {
            Ok(answer) => return Ok(answer.into_inner()),
            Err(status) if status.code() == Code::DeadlineExceeded && !dry_run => has_begun = true,
            // The last call but one came to its end after its time.
            Err(status) if status.code() == Code::NotFound && has_begun => {
                return Ok(ForgetSweepResponse::default());
            }
            Err(status) => return Err(status.into()),
        }
    }
}

fn describe(sweep: &str, weight: &ForgetSweepResponse) -> String {
    let ForgetSweepResponse { runs, points, checkpoints, artifacts, bytes, .. } = weight;
    format!(
        "{sweep} has {}, {points} points, {checkpoints} checkpoints and {artifacts} pictures, {:.1} MB of files",
        counted(*runs, "run"),
        *bytes as f64 / 1e6
    )
}

fn json(sweep: &str, weight: &ForgetSweepResponse, is_forgotten: bool) -> String {
    json!({
        "version": 1,
        "sweep": sweep,
        "forgotten": is_forgotten,
        "runs": weight.runs,
        "points": weight.points,
        "checkpoints": weight.checkpoints,
        "artifacts": weight.artifacts,
        "bytes": weight.bytes,
    })
    .to_string()
}
