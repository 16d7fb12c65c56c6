//! Work on the disk, and what its errors say.

use std::io::{self, ErrorKind};

/// Runs work that blocks on the disk where it may block.
///
/// # Errors
/// What `work` returns; also when it panics.
pub(crate) async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    acai_blocking::blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}

/// Whether there was no room: on the disk, in a quota, or for a file of this length.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge)
}

/// Whether an error is about the path that was asked for, which leads to nothing. Any other error is about this
/// machine, and says nothing of what is there.
pub(crate) fn leads_nowhere(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::InvalidInput | ErrorKind::InvalidFilename
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_there_is_told_apart_from_one_that_this_machine_cannot_look_at() {
        const EIO: i32 = 5;
        const ESTALE: i32 = 116;
        assert!(leads_nowhere(&std::fs::metadata("/dev/null/file").unwrap_err()));
        assert!(leads_nowhere(&std::fs::metadata("/no/such/file").unwrap_err()));
        assert!(leads_nowhere(&std::fs::metadata("/nul\0/file").unwrap_err()));
        for code in [EIO, ESTALE] {
            assert!(!leads_nowhere(&io::Error::from_raw_os_error(code)));
        }
    }
}
