//! `acai artifacts ls`

use serde_json::{Value, json};

use super::Found;
use crate::failure::Failure;
use crate::format::utc;
use crate::grid::Grid;
use crate::output::Output;

pub(super) fn ls(artifacts: &[Found], as_json: bool, output: Output) -> Result<(), Failure> {
    if as_json {
        let artifacts: Vec<Value> = artifacts.iter().map(document).collect();
        output.data(&json!({"version": 1, "artifacts": artifacts}).to_string())?;
    } else if artifacts.is_empty() {
        output.note("there are no such files yet: trainers draw pictures when runs are evaluated");
    } else {
        let rows = artifacts.iter().map(row).collect();
        output.data(
            &Grid::new(&["run", "step", "name", "bytes", "attempt", "since"], rows).fit(None).to_string(),
        )?;
    }
    Ok(())
}

fn row(Found { sweep, artifact }: &Found) -> Vec<String> {
    vec![
        format!("{sweep}/{}", artifact.number),
        artifact.step.to_string(),
        artifact.name.clone(),
        artifact.bytes.to_string(),
        artifact.attempt.to_string(),
        utc(artifact.added_unix_ms),
    ]
}

pub(super) fn document(Found { sweep, artifact }: &Found) -> Value {
    json!({
        "sweep": sweep,
        "number": artifact.number,
        "step": artifact.step,
        "name": artifact.name,
        "sha256": artifact.sha256,
        "bytes": artifact.bytes,
        "attempt": artifact.attempt,
        "added_unix_ms": artifact.added_unix_ms,
    })
}
