//! Checkpoints, artifacts, and the blobs that they are in.

use super::state::{self, Blob, State};
use crate::store::rules::{ARTIFACTS, CHECKPOINTS, storable};
use crate::store::{Artifact, AttemptRef, BlobFile, Checkpoint, Result, RunId, StoreError};

impl State {
    /// Makes a blob what the attempt's run resumes from.
    pub(super) fn commit(
        &mut self,
        attempt: AttemptRef,
        checkpoint: Checkpoint,
        last_seq: u64,
        now_ms: i64,
    ) -> Result<()> {
        let run = self.held(attempt)?;
        run.check_step(checkpoint.step)?;
        let acked = run.acked_seq(attempt);
        if acked < last_seq {
            let problem = format!("{acked} of the {last_seq} points before the checkpoint are durable");
            return Err(StoreError::Conflict(problem));
        }
        let Checkpoint { step, sha256, bytes } = checkpoint;
        self.touch(&sha256, Some(bytes), now_ms)
            .ok_or_else(|| StoreError::Conflict(format!("the checkpoint's blob `{sha256}` is not there")))?;
        let run = self.held(attempt)?;
        // A checkpoint beyond all others is progress: losses and faults of machines are counted from there.
        if step > run.newest_step() {
            run.losses = 0;
            run.faults_after = attempt.number - 1;
        }
        let stored = state::Checkpoint {
            sha256,
            bytes,
            attempt: attempt.number,
            committed_ms: now_ms,
            rejected: None,
        };
        run.checkpoints.insert(step, stored);
        self.drop_all_but(attempt.run, CHECKPOINTS, now_ms);
        Ok(())
    }

    /// Takes checkpoints of the attempt's run out of use.
    pub(super) fn reject(&mut self, attempt: AttemptRef, sha256: &str, reason: &str) -> Result<()> {
        let checkpoints = self.held(attempt)?.checkpoints.values_mut();
        for checkpoint in checkpoints.filter(|checkpoint| checkpoint.sha256 == sha256) {
            checkpoint.rejected = Some(storable(reason));
        }
        Ok(())
    }

    /// Forgets the run's committed checkpoints but the newest `keep`. Their blobs count as used until now.
    pub(super) fn drop_all_but(&mut self, run: RunId, keep: usize, now_ms: i64) {
        let Some(run) = self.runs.get_mut(&run) else { return };
        let old: Vec<u64> = run.committed().skip(keep).map(|(step, _)| step).collect();
        let dropped: Vec<_> = old.iter().filter_map(|step| run.checkpoints.remove(step)).collect();
        for checkpoint in dropped {
            self.touch(&checkpoint.sha256, None, now_ms);
        }
    }

    /// Forgets all checkpoints of the run, also those on workers' machines, and all its artifacts.
    pub(super) fn forget_files(&mut self, run: RunId, now_ms: i64) {
        let Some(run) = self.runs.get_mut(&run) else { return };
        run.void_attempts = run.attempt();
        let checkpoints = std::mem::take(&mut run.checkpoints).into_values();
        let committed = checkpoints.filter(|checkpoint| checkpoint.rejected.is_none());
        let artifacts = std::mem::take(&mut run.artifacts).into_values();
        let used: Vec<String> = committed
            .map(|checkpoint| checkpoint.sha256)
            .chain(artifacts.map(|artifact| artifact.sha256))
            .collect();
        for sha256 in used {
            self.touch(&sha256, None, now_ms);
        }
    }

    /// Makes a blob an artifact of a run, in place of an earlier one of that name and step.
    pub(super) fn keep_artifact(
        &mut self,
        run: RunId,
        attempt: u32,
        artifact: Artifact,
        now_ms: i64,
    ) -> Result<()> {
        let Artifact { name, step, sha256, bytes } = artifact;
        let place = (step, name);
        let others = self
            .runs
            .get(&run)
            .map_or(0, |run| run.artifacts.keys().filter(|other| **other != place).count());
        if others as u64 >= ARTIFACTS {
            let problem = format!("the run has {others} artifacts, and may have {ARTIFACTS}");
            return Err(StoreError::Conflict(problem));
        }
        self.touch(&sha256, Some(bytes), now_ms)
            .ok_or_else(|| StoreError::Conflict(format!("the artifact's blob `{sha256}` is not there")))?;
        if let Some(run) = self.runs.get_mut(&run) {
            let stored = state::Artifact { sha256, bytes, attempt, added_ms: now_ms };
            run.artifacts.insert(place, stored);
        }
        Ok(())
    }

    /// Notes that a file is about to be made.
    pub(super) fn begin_blob(&mut self, file: BlobFile, now_ms: i64) -> Result<()> {
        if self.uploads.contains_key(&file) {
            return Err(StoreError::Unstorable(format!("a file {file:?} was begun before")));
        }
        self.uploads.insert(file, now_ms);
        Ok(())
    }

    /// Makes a file that was begun its blob's, unless the blob has one other than `gone`.
    pub(super) fn add_blob(
        &mut self,
        file: BlobFile,
        bytes: u64,
        gone: Option<BlobFile>,
        now_ms: i64,
    ) -> Option<BlobFile> {
        self.uploads.remove(&file)?;
        let BlobFile { sha256, tag } = file;
        let new = Blob { tag: tag.clone(), bytes, last_used_ms: now_ms };
        let blob = self.blobs.entry(sha256.clone()).or_insert(new);
        blob.last_used_ms = now_ms;
        if gone.is_some_and(|gone| gone.tag == blob.tag) {
            blob.tag = tag;
        }
        Some(BlobFile { sha256, tag: blob.tag.clone() })
    }

    /// The file of a blob, and its size.
    pub(super) fn blob(&self, sha256: &str) -> Option<(BlobFile, u64)> {
        let blob = self.blobs.get(sha256)?;
        Some((BlobFile { sha256: sha256.to_owned(), tag: blob.tag.clone() }, blob.bytes))
    }

    /// As [`blob`](Self::blob), and the blob counts as used now; `None` also if it is not of this size.
    pub(super) fn touch(&mut self, sha256: &str, bytes: Option<u64>, now_ms: i64) -> Option<(BlobFile, u64)> {
        let blob = self.blobs.get_mut(sha256)?;
        if bytes.is_some_and(|bytes| bytes != blob.bytes) {
            return None;
        }
        blob.last_used_ms = now_ms;
        self.blob(sha256)
    }

    /// Forgets a damaged file with all checkpoints and artifacts in it; false if the blob has another file by now.
    pub(super) fn condemn(&mut self, file: &BlobFile) -> bool {
        if self.blobs.get(&file.sha256).is_none_or(|blob| blob.tag != file.tag) {
            return false;
        }
        self.blobs.remove(&file.sha256);
        for run in self.runs.values_mut() {
            run.checkpoints.retain(|_, checkpoint| checkpoint.sha256 != file.sha256);
            run.artifacts.retain(|_, artifact| artifact.sha256 != file.sha256);
        }
        true
    }

    /// Forgets the blobs that nothing has needed since `unused_ms`, and files that were begun before `abandoned_ms`.
    pub(super) fn collect(&mut self, unused_ms: i64, abandoned_ms: i64) -> Vec<BlobFile> {
        let abandoned =
            |(file, &begun_ms): (&BlobFile, &i64)| (begun_ms < abandoned_ms).then(|| file.clone());
        let mut forgotten: Vec<BlobFile> = self.uploads.iter().filter_map(abandoned).collect();
        self.uploads.retain(|_, begun_ms| *begun_ms >= abandoned_ms);
        // A run that is completed is not resumed from a checkpoint that another version might read.
        for run in self.runs.values_mut().filter(|run| run.state == acai_sweep::run::RunState::Completed) {
            run.checkpoints.retain(|_, checkpoint| checkpoint.rejected.is_none());
        }
        let unused = self.blobs.iter().filter(|(sha256, blob)| {
            blob.last_used_ms < unused_ms && !self.runs.values().any(|run| run.needs(sha256))
        });
        let unused: Vec<String> = unused.map(|(sha256, _)| sha256.clone()).collect();
        for sha256 in unused {
            forgotten.extend(self.blobs.remove(&sha256).map(|blob| BlobFile { sha256, tag: blob.tag }));
        }
        forgotten
    }
}

impl state::Run {
    /// Whether a checkpoint or an artifact of the run is in this blob.
    fn needs(&self, sha256: &str) -> bool {
        self.checkpoints.values().any(|checkpoint| checkpoint.sha256 == sha256)
            || self.artifacts.values().any(|artifact| artifact.sha256 == sha256)
    }
}
