//! Scores on standard output.

use std::collections::BTreeMap;
use std::io::{self, Write};

/// Prints scores by name, one a line or as one JSON object with the step.
pub(super) fn print(step: u64, scores: &BTreeMap<String, f64>, json: bool) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    if json {
        serde_json::to_writer(&mut out, &serde_json::json!({ "step": step, "scores": scores }))?;
        return Ok(writeln!(out)?);
    }
    for (name, score) in scores {
        writeln!(out, "{name:<24} {score:.6}")?;
    }
    Ok(())
}
