//! Files for people on their way to the coordinator, one after the other and apart from all else: no run waits for them,
//! and none ends because one does not arrive.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use acai_proto::v1::AddArtifactRequest;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::client::{Client, Rejection, TransferError};
use crate::machine::disk::on_disk;
use crate::run_folder::{Artifact, artifacts_to_upload};

/// Takes artifacts to upload. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Artifacts {
    queue: mpsc::UnboundedSender<Artifact>,
    /// How many were queued and have not been dealt with.
    waiting: Arc<watch::Sender<usize>>,
}

/// The task that uploads. Dropping it ends the uploads: what has not arrived is noted on disk for the next agent.
#[derive(Debug)]
pub(crate) struct Uploads(JoinHandle<()>);

impl Artifacts {
    /// Starts to upload: first what an earlier agent left of the runs in the folder `runs`.
    pub(crate) fn start(client: Client, runs: PathBuf) -> (Artifacts, Uploads) {
        let (queue, mut queued) = mpsc::unbounded_channel();
        let artifacts = Artifacts { queue, waiting: Arc::new(watch::Sender::new(0)) };
        let (waiting, own) = (Arc::clone(&artifacts.waiting), artifacts.clone());
        let task = tokio::spawn(async move {
            match on_disk(move || artifacts_to_upload(&runs)).await {
                Ok(left) => left.into_iter().for_each(|artifact| own.upload(artifact)),
                Err(error) => tracing::warn!("cannot look for pictures to upload: {error}"),
            }
            // The channel ends with the last of the others that can send into it.
            drop(own);
            while let Some(artifact) = queued.recv().await {
                upload(&client, artifact).await;
                waiting.send_modify(|waiting| *waiting -= 1);
            }
        });
        (artifacts, Uploads(task))
    }

    /// Has a file uploaded when its turn comes.
    pub(crate) fn upload(&self, artifact: Artifact) {
        self.waiting.send_modify(|waiting| *waiting += 1);
        // Fails when the worker has ended: then the next one finds the note.
        let _ = self.queue.send(artifact);
    }

    /// Waits until everything has been dealt with, for at most `patience`; returns how many files are left then.
    pub(crate) async fn settled(&self, patience: Duration) -> usize {
        let mut waiting = self.waiting.subscribe();
        let _ = timeout(patience, waiting.wait_for(|waiting| *waiting == 0)).await;
        *self.waiting.borrow()
    }
}

impl Drop for Uploads {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Brings a file to the coordinator, through outages; or leaves that, if the coordinator will not have it.
async fn upload(client: &Client, artifact: Artifact) {
    let Artifact { attempt, name, step, file, .. } = &artifact;
    let file_name = file.display();
    match bring(client, &artifact).await {
        Ok(()) => tracing::debug!(id = attempt.run, step, name, "a picture is uploaded"),
        // It was deleted by a person, or a later run of these steps has drawn it anew.
        Err(TransferError::File { cause, .. }) if cause.kind() == ErrorKind::NotFound => {}
        Err(TransferError::Rejected(Rejection::Fenced(_))) => {
            tracing::debug!(id = attempt.run, step, name, "another attempt brings this picture");
        }
        Err(TransferError::Rejected(reason)) => tracing::warn!("`{file_name}` stays here alone: {reason}"),
        Err(error) => {
            tracing::warn!("`{file_name}` stays here until this worker is started again: {error}");
            return;
        }
    }
    let settled = artifact.clone();
    if let Err(error) = on_disk(move || settled.settle()).await {
        tracing::warn!("`{file_name}` will be uploaded once more: {error}");
    }
}

async fn bring(client: &Client, artifact: &Artifact) -> Result<(), TransferError> {
    let Artifact { attempt, name, step, file, .. } = artifact;
    let blob = client.blobs().upload_artifact(*attempt, *step, file).await?;
    let request = AddArtifactRequest {
        attempt: Some(*attempt),
        name: name.clone(),
        step: *step,
        sha256: blob.sha256,
        bytes: blob.bytes,
    };
    Ok(client.add_artifact(request).await?)
}
