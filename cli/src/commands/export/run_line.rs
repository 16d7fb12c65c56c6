//! A run as a line of JSON: what identifies it, its parameters, and what it has come to.

use acai_proto::convert;
use acai_proto::v1::Run;
use anyhow::{Context, anyhow};
use serde_json::{Value, json};

use crate::format::{parameters_json, state};

/// What a line says that an import needs.
pub(in crate::commands) struct RunLine {
    pub(in crate::commands) number: u32,
    pub(in crate::commands) config_hash: String,
    pub(in crate::commands) seed: u64,
    pub(in crate::commands) state: String,
    pub(in crate::commands) step: u64,
    pub(in crate::commands) failures: u32,
    pub(in crate::commands) message: String,
}

impl RunLine {
    /// The line of a run.
    pub(super) fn text(run: &Run) -> anyhow::Result<String> {
        let configuration = convert::configuration(&run.configuration)?;
        let mut line = json!({
            "run": run.number,
            "config_hash": configuration.config_hash(),
            "seed": run.seed,
            "state": state(run.state),
            "attempts": run.attempt,
            "step": run.step,
            "total_steps": run.total_steps,
            "failures": run.failures,
            "message": run.message,
        });
        if let (Some(line), Value::Object(parameters)) =
            (line.as_object_mut(), parameters_json(&run.configuration))
        {
            line.extend(parameters);
        }
        Ok(line.to_string())
    }

    /// Reads a line.
    pub(in crate::commands) fn parse(line: &str) -> anyhow::Result<RunLine> {
        let value: Value = serde_json::from_str(line).context("it is no JSON")?;
        let missing = |name: &str| anyhow!("`{name}` is missing, or makes no sense");
        let number = |name: &str| value[name].as_u64().ok_or_else(|| missing(name));
        let small = |name: &str| u32::try_from(number(name)?).map_err(|_| missing(name));
        let text = |name: &str| value[name].as_str().map(str::to_owned).ok_or_else(|| missing(name));
        Ok(RunLine {
            number: small("run")?,
            config_hash: text("config_hash")?,
            seed: number("seed")?,
            state: text("state")?,
            step: number("step")?,
            failures: small("failures")?,
            message: text("message")?,
        })
    }
}
