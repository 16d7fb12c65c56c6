//! `acai doctor`: what a worker would find on this machine, and what to do about it.

mod coordinator;
mod finding;
mod machine;
mod trainer;

use anyhow::anyhow;
use serde_json::{Value, json};

use crate::args::DoctorArguments;
use crate::failure::Failure;
use crate::output::Output;
use finding::{Finding, Verdict};

pub(super) async fn doctor(arguments: &DoctorArguments, output: Output) -> Result<(), Failure> {
    let DoctorArguments { ask, state, data, trainer } = arguments;
    let mut findings = trainer::findings(trainer.as_deref()).await;
    findings.push(machine::disk(state));
    findings.push(machine::datasets(data));
    findings.extend(coordinator::findings(&ask.at).await);
    if ask.json {
        let findings: Vec<Value> = findings.iter().map(Finding::json).collect();
        output.data(&json!({"version": 1, "findings": findings}).to_string())?;
    } else {
        findings.iter().try_for_each(|finding| output.data(&finding.to_string()))?;
    }
    match findings.iter().filter(|finding| finding.verdict == Verdict::Wrong).count() {
        0 => Ok(()),
        1 => Err(anyhow!("one thing is wrong here").into()),
        wrong => Err(anyhow!("{wrong} things are wrong here").into()),
    }
}
