//! Sweeps that come from elsewhere with what their runs have come to.

use acai_sweep::file::SweepFile;

use super::submissions::{aside, new_sweep};
use super::{Result, UseCaseError, UseCases};
use crate::store::{ImportedRun, Replacing};

/// A sweep that was imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The sweep's name, from the file.
    pub sweep: String,
    /// How many runs the file asks for.
    pub runs: usize,
}

impl UseCases {
    /// Stores the sweep of a file's text with what its runs have come to; those that do not come are queued. All of it, or
    /// nothing.
    ///
    /// # Errors
    /// The file's mistakes; a sweep of that name is there; the submitter would have too much; a run that the file does not ask for, has not ended, or has
    /// values that are no numbers.
    pub async fn import(&self, source: String, runs: Vec<ImportedRun>) -> Result<Imported> {
        for run in &runs {
            check(run)?;
        }
        let mut sweep = aside(move || {
            let file = SweepFile::parse("sweep file", source.as_bytes());
            file.map(|file| new_sweep(file, source, &[], Replacing::Any))
        })
        .await??;
        sweep.submitter.clone_from(&self.submitter);
        let imported = Imported { sweep: sweep.name.clone(), runs: sweep.runs.len() };
        match self.store.sweep_import(sweep, runs).await? {
            true => Ok(imported),
            false => Err(UseCaseError::SweepIsThere { sweep: imported.sweep }),
        }
    }
}

fn check(run: &ImportedRun) -> Result<()> {
    let problem = if !run.state.is_terminal() {
        format!("is {}: only runs that have ended are imported", run.state)
    } else if run.curves.iter().any(|(_, points)| points.iter().any(|(_, value)| !value.is_finite())) {
        "has values that are no finite numbers".to_owned()
    } else {
        return Ok(());
    };
    Err(UseCaseError::Question { part: "run", problem })
}
