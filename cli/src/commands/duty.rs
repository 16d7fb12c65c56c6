//! `acai cordon`, `uncordon`, `drain`

use acai_proto::v1::{SetWorkerDutyRequest, WorkerDuty};

use serde_json::json;

use crate::args::DutyArguments;
use crate::client::connect_control;
use crate::failure::Failure;
use crate::output::Output;

pub(super) async fn set(arguments: DutyArguments, duty: WorkerDuty, output: Output) -> Result<(), Failure> {
    let mut client = connect_control(&arguments.ask.at).await?;
    let request = SetWorkerDutyRequest { worker: arguments.worker.clone(), duty: duty.into() };
    let running = client.set_worker_duty(request).await?.into_inner().running;
    if arguments.ask.json {
        let duty = match duty {
            WorkerDuty::Drained => "drained",
            WorkerDuty::Cordoned => "cordoned",
            _ => "open",
        };
        let set = json!({"version": 1, "worker": arguments.worker, "duty": duty, "running": running});
        return Ok(output.data(&set.to_string())?);
    }
    let (worker, has) = (arguments.worker, format!("the {running} that it has"));
    output.note(&match duty {
        WorkerDuty::Drained => format!("{worker} takes no more runs; {has} checkpoint and go elsewhere"),
        WorkerDuty::Cordoned => format!("{worker} takes no more runs; {has} go on"),
        _ => format!("{worker} takes runs"),
    });
    Ok(())
}
