//! Checkpoints, artifacts, and the blobs that they are kept in.

use crate::blobs::Name;

/// A checkpoint as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCheckpoint {
    /// What it is.
    pub checkpoint: Checkpoint,
    /// Which attempt wrote it.
    pub attempt: u32,
    /// When it was committed.
    pub committed_ms: i64,
    /// Why it was taken out of use; `None` if it can be resumed from.
    pub rejected: Option<String>,
}

/// A checkpoint of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Steps done.
    pub step: u64,
    /// Of its file: 64 hexadecimal digits, lower case.
    pub sha256: String,
    /// Size of its file.
    pub bytes: u64,
}

/// A file that a run leaves for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// Of the file, without its step: `interpolations.png`.
    pub name: String,
    /// Steps done when it was made.
    pub step: u64,
    /// Of its bytes: 64 hexadecimal digits, lower case.
    pub sha256: String,
    /// Its size.
    pub bytes: u64,
}

/// An artifact of a run of a sweep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArtifactRecord {
    /// The run's number in the sweep.
    pub number: u32,
    /// The file.
    pub artifact: Artifact,
    /// Which attempt of the run brought it.
    pub attempt: u32,
    /// When.
    pub added_ms: i64,
}

/// A place in the list of a sweep's artifacts: that of the artifact of a run, a step and a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArtifactPlace {
    /// The run's number in the sweep.
    pub number: u32,
    /// Steps done.
    pub step: u64,
    /// The artifact's name.
    pub name: String,
}

impl ArtifactRecord {
    /// Its place in the list.
    #[must_use]
    pub fn place(&self) -> ArtifactPlace {
        ArtifactPlace { number: self.number, step: self.artifact.step, name: self.artifact.name.clone() }
    }
}

/// One file in the place where blobs are kept.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobFile {
    /// Of its bytes: 64 hexadecimal digits, lower case.
    pub sha256: String,
    /// What tells it from other files of the same bytes.
    pub tag: String,
}

impl From<&Name> for BlobFile {
    fn from(name: &Name) -> Self {
        BlobFile { sha256: name.digest().to_string(), tag: name.tag().to_owned() }
    }
}
