//! Where a coordinator listens, said beside its database: so commands on this machine find it.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// A coordinator's address beside its database, until this is dropped.
#[derive(Debug)]
pub(crate) struct Published(PathBuf);

/// Writes the URL beside the database. What a killed coordinator left there is replaced. Where that cannot be done, as on a
/// full disk, the coordinator has to be named to commands, and serves all the same.
pub(crate) fn publish(database: &Path, url: &str) -> Option<Published> {
    let path = beside(database);
    let written = write(&path, url);
    if let Err(error) = &written {
        tracing::warn!("cannot write `{}`, by which commands find the coordinator: {error}", path.display());
    }
    written.ok().map(|()| Published(path))
}

fn write(path: &Path, url: &str) -> io::Result<()> {
    let mut file = File::options().create(true).write(true).truncate(true).mode(0o600).open(path)?;
    writeln!(file, "{url}")
}

/// What stands beside the database, which a killed coordinator may have left.
pub(crate) fn read(database: &Path) -> Option<String> {
    let url = fs::read_to_string(beside(database)).ok()?;
    Some(url.trim().to_owned()).filter(|url| !url.is_empty())
}

fn beside(database: &Path) -> PathBuf {
    database.with_added_extension("address")
}

impl Drop for Published {
    fn drop(&mut self) {
        // One that stays is recognized: nobody holds the database's lock.
        let _ = fs::remove_file(&self.0);
    }
}
