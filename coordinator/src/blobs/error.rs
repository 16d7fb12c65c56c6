//! What can go wrong with blobs, by what the caller can do about it.

use std::io;

use super::Digest;

/// Something that was not done with a blob.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// No such blob.
    #[error("there is no blob {0}")]
    Missing(Digest),
    /// The upload must go on elsewhere.
    #[error("{staged} bytes of the blob are there: go on from there")]
    Offset {
        /// Where to go on.
        staged: u64,
    },
    /// Somebody is uploading the same blob; the answer may soon be that it is there.
    #[error("another upload of the same blob is under way: try again later")]
    Busy,
    /// The bytes are not those that were announced; they are forgotten.
    #[error("{0}: what was sent is forgotten, start again from 0")]
    Mismatch(String),
    /// The disk is full; room may come, and what is staged stays.
    #[error(
        "the coordinator's disk has no room left for checkpoints: make room, uploads go on where they were"
    )]
    Full,
    /// The disk or the bucket will not do it until somebody repairs it, or gives this coordinator the right to.
    #[error("cannot {doing}: {cause}")]
    Broken {
        /// What was attempted.
        doing: &'static str,
        /// What the system or the bucket said.
        cause: String,
    },
    /// The disk or the bucket failed; trying again may help.
    #[error("cannot {doing}: {cause}")]
    Failed {
        /// What was attempted.
        doing: &'static str,
        /// What the system or the bucket said.
        cause: String,
    },
}

/// "Input/output error": what a disk says of what it cannot read or write.
const EIO: i32 = 5;

impl BlobError {
    /// For `map_err`: what the system said while `doing` this.
    pub(super) fn while_doing(doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |error| match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => BlobError::Full,
            io::ErrorKind::PermissionDenied
            | io::ErrorKind::ReadOnlyFilesystem
            | io::ErrorKind::NotADirectory
            | io::ErrorKind::IsADirectory
            | io::ErrorKind::NotFound => BlobError::Broken { doing, cause: error.to_string() },
            _ if error.raw_os_error() == Some(EIO) => BlobError::Broken { doing, cause: error.to_string() },
            _ => BlobError::Failed { doing, cause: error.to_string() },
        }
    }
}

/// A place for blobs that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Neither a folder nor a bucket.
    #[error(
        "`{0}` names no place for checkpoints\nhint: write a folder, or s3://BUCKET/PREFIX with AWS_ACCESS_KEY_ID and its like in the environment"
    )]
    Place(String),
    /// Anything else.
    #[error("cannot keep checkpoints in `{place}`: {cause}")]
    Failed {
        /// The folder or URL.
        place: String,
        /// What the system or the bucket said.
        cause: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_and_a_full_quota_are_told_apart_from_faults() {
        const EMFILE: i32 = 24;
        const EACCES: i32 = 13;
        const ENOSPC: i32 = 28;
        const EDQUOT: i32 = 122;
        let error = |code| BlobError::while_doing("write")(io::Error::from_raw_os_error(code));
        assert!(matches!(error(ENOSPC), BlobError::Full));
        assert!(matches!(error(EDQUOT), BlobError::Full));
        assert!(matches!(error(EMFILE), BlobError::Failed { .. }), "it passes");
        assert!(matches!(error(EIO), BlobError::Broken { .. }));
        assert!(matches!(error(EACCES), BlobError::Broken { .. }));
    }
}
