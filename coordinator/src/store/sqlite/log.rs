//! The log of a database (`-wal`), as an earlier process left it.
//!
//! The process may have ended because a flush failed, or may have been killed before one. Then what it wrote can still
//! be read, from the system's memory, but may not be on the disk; and no flush brings it there, since the system
//! believes that it is. If the power failed, it would be lost, and with it whatever is committed behind it in the log.
//! So the bytes of the log are written once more, and flushed.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use sqlx::{Executor, SqliteConnection};

/// How many bytes are written at a time.
const CHUNK: usize = 1 << 20;

/// Makes all that is in the log of the database at `path` durable. A transaction keeps others from writing to the
/// database meanwhile, so that nobody changes the log.
///
/// # Errors
/// What the disk reports, or that another program writes to the database; in words.
pub(super) async fn make_durable(connection: &mut SqliteConnection, path: &Path) -> Result<(), String> {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    connection.execute("begin immediate").await.map_err(|error| error.to_string())?;
    let written = tokio::task::spawn_blocking(move || write_again(&PathBuf::from(log))).await;
    connection.execute("rollback").await.map_err(|error| error.to_string())?;
    written.map_err(|error| error.to_string())?.map_err(|error| error.to_string())
}

fn write_again(log: &Path) -> io::Result<()> {
    let file = match File::options().read(true).write(true).open(log) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        file => file?,
    };
    let (mut chunk, mut at) = (vec![0; CHUNK], 0);
    loop {
        let read = file.read_at(&mut chunk, at)?;
        if read == 0 {
            return file.sync_all();
        }
        file.write_all_at(&chunk[..read], at)?;
        at += read as u64;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::time::{Duration, SystemTime};

    use crate::clock::Clock;
    use crate::store::sqlite::SqliteStore;
    use crate::store::{NewSweep, Store};

    use super::*;

    #[tokio::test]
    async fn what_a_process_that_is_gone_left_in_the_log_is_written_once_more_before_anything_is_committed_behind_it()
     {
        let folder = tempfile::tempdir().unwrap();
        let of = |name: &str| folder.path().join(name);
        let store = SqliteStore::open(&of("acai.db"), Clock::start()).await.unwrap();
        store.sweep_submit(NewSweep::new("kept", Vec::new())).await.unwrap();
        // Copies of the files, as a process leaves them that is killed.
        std::fs::copy(of("acai.db"), of("left.db")).unwrap();
        std::fs::copy(of("acai.db-wal"), of("left.db-wal")).unwrap();
        let before = std::fs::read(of("left.db-wal")).unwrap();
        assert!(!before.is_empty());
        let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        let log = File::options().write(true).open(of("left.db-wal")).unwrap();
        log.set_modified(long_ago).unwrap();

        let next = SqliteStore::open(&of("left.db"), Clock::start()).await.unwrap();

        assert!(log.metadata().unwrap().modified().unwrap() > long_ago, "nobody has written to the log");
        assert!(std::fs::read(of("left.db-wal")).unwrap().starts_with(&before), "and its bytes are the same");
        assert_eq!(next.sweep_list().await.unwrap().len(), 1);
    }
}
