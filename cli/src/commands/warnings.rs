//! What a sweep file asks for that no run can do.

use serde_json::{Value, json};

use super::Sweep;
use crate::output::Output;

/// Tells people.
pub(super) fn note(sweep: &Sweep, output: Output) {
    for warning in &sweep.file.warnings {
        output.note(&warning.shown_in((sweep.path.as_str(), sweep.source.as_str()), "warning: "));
    }
}

/// A list of objects.
pub(super) fn as_json(sweep: &Sweep) -> Vec<Value> {
    let warning = |warning: &acai_sweep::file::Mistake| {
        json!({
            "file": sweep.path,
            "line": warning.line,
            "column": warning.column,
            "message": warning.message,
            "hint": warning.hint,
        })
    };
    sweep.file.warnings.iter().map(warning).collect()
}
