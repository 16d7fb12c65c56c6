//! A file that a run has left, as a line of JSON: what it is, and where it is in the folder.

use std::path::{Component, Path, PathBuf};

use acai_proto::v1::Artifact;
use anyhow::{Context, ensure};
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
pub(in crate::commands) struct ArtifactLine {
    /// The run's number.
    pub(in crate::commands) run: u32,
    /// Without its step, as the run has left it.
    pub(in crate::commands) name: String,
    pub(in crate::commands) step: u64,
    pub(in crate::commands) attempt: u32,
    pub(in crate::commands) sha256: String,
    pub(in crate::commands) bytes: u64,
    /// Relative to the folder.
    pub(in crate::commands) file: PathBuf,
}

impl ArtifactLine {
    pub(super) fn new(artifact: &Artifact, file: PathBuf) -> ArtifactLine {
        let Artifact { number, name, step, attempt, sha256, bytes, .. } = artifact.clone();
        ArtifactLine { run: number, name, step, attempt, sha256, bytes, file }
    }

    pub(super) fn text(&self) -> anyhow::Result<String> {
        Ok(serde_json::to_string(self)?)
    }

    /// Reads a line. Its file is in the folder, or below.
    pub(in crate::commands) fn parse(line: &str) -> anyhow::Result<ArtifactLine> {
        let line: ArtifactLine = serde_json::from_str(line).context("it makes no sense")?;
        let is_below = |path: &Path| path.components().all(|part| matches!(part, Component::Normal(_)));
        ensure!(is_below(&line.file), "`{}` is not in the folder", line.file.display());
        Ok(line)
    }
}
