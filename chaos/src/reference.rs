//! What the sweeps come to when nothing happens to them: trained once by `acai run`, and kept.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use serde::{Deserialize, Serialize};

use crate::check::snapshot::ReferenceRun;
use crate::database::Database;
use crate::programs::Programs;
use crate::{sweep, weights};

/// The references in a folder.
#[derive(Debug)]
pub struct References {
    folder: PathBuf,
    programs: Programs,
}

/// A reference's file: of no use to another build or another sweep file.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    build: String,
    file: String,
    runs: Vec<ReferenceRun>,
}

impl References {
    /// Those in `folder`, which is made.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn new(folder: &Path, programs: Programs) -> anyhow::Result<Self> {
        fs::create_dir_all(folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
        Ok(References { folder: folder.canonicalize()?, programs })
    }

    /// The `number`-th sweep's, trained now if it is not there.
    ///
    /// # Errors
    /// If it cannot be trained.
    pub async fn of(&self, number: u64) -> anyhow::Result<Vec<ReferenceRun>> {
        let (build, file) = (self.programs.trainer_build()?, sweep::file(number));
        let place = self.folder.join(format!("{}.json", sweep::name(number)));
        let kept = fs::read(&place).ok().and_then(|bytes| serde_json::from_slice::<Kept>(&bytes).ok());
        if let Some(kept) = kept.filter(|kept| kept.build == build && kept.file == file) {
            return Ok(kept.runs);
        }
        let kept = Kept { runs: self.train(number, &file).await?, build, file };
        fs::write(&place, serde_json::to_vec(&kept)?)?;
        Ok(kept.runs)
    }

    async fn train(&self, number: u64, file: &str) -> anyhow::Result<Vec<ReferenceRun>> {
        let folder = self.folder.join(sweep::name(number));
        // What an interrupted training left is not undisturbed.
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("sweep.yaml"), file)?;
        let trainer = self.programs.single_threaded_trainer(&folder)?;
        let mut command =
            self.programs.acai(&["run", "sweep.yaml", "--state", ".", "--slots", "1", "--trainer"]);
        let output = command.arg(trainer).current_dir(&folder).output().await?;
        let words = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "the undisturbed training failed: {words}");
        let snapshot = Database::Sqlite(folder.join("acai.db")).snapshot().await?;
        let steps = |run| snapshot.runs.iter().find(|row| row.id == run).map(|row| row.total_steps);
        let weights = weights::in_state_folder(&folder, steps)?;
        let reference = |run: &crate::check::snapshot::RunRow| {
            let points = snapshot.points.iter().filter(|row| row.run == run.id);
            let weights = weights.iter().find(|weights| weights.run == run.id);
            Ok(ReferenceRun {
                index: run.index,
                points: points.map(|row| row.point.clone()).collect(),
                weights: weights.context("an undisturbed run left no weights")?.sha256.clone(),
            })
        };
        let runs = snapshot.runs.iter().map(reference).collect();
        fs::remove_dir_all(&folder)?;
        runs
    }
}
