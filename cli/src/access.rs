//! Where access files are: beside the database of a coordinator on this machine, and the user's own one.

use std::env;
use std::fs::{self, DirBuilder};
use std::io::{self, ErrorKind};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use acai_access::AccessFile;
use acai_access::file::AccessFileError;
use anyhow::Context as _;

use crate::output::Output;
use crate::user_folder;

/// The user's own access file, which commands use when nobody is named; none where the user has no home.
pub(crate) fn default_path() -> Option<PathBuf> {
    user_folder::file("access.toml")
}

/// The access file of a coordinator on this database.
pub(crate) fn beside(database: &Path) -> PathBuf {
    database.with_added_extension("access")
}

/// Where a coordinator says how it is reached that is there for a while: that of `acai run`, or one without tokens.
fn for_a_while(database: &Path) -> PathBuf {
    database.with_added_extension("running")
}

/// How the coordinator is reached that serves this database at the moment.
pub(crate) fn serving(database: &Path) -> Result<Option<AccessFile>, AccessFileError> {
    Ok(read(&for_a_while(database))?.or(read(&beside(database))?))
}

/// Where systemd puts what it hands to a service, which alone is let in there: by lists that a file's mode does not show.
const HANDED_OVER: &str = "CREDENTIALS_DIRECTORY";

/// Says that a file could be used by others too.
pub(crate) fn warn_if_open(path: &Path) {
    let is_handed_over = env::var_os(HANDED_OVER).is_some_and(|folder| path.starts_with(folder));
    if AccessFile::is_open_to_others(path) && !is_handed_over {
        let path = path.display();
        Output::new().note(&format!(
            "warning: others can read the access file `{path}`, and with it do what you may\nhint: chmod 600 '{path}'; if somebody may have, `acai access revoke` takes its token back"
        ));
    }
}

/// Reads an access file; none if there is no such file.
pub(crate) fn read(path: &Path) -> Result<Option<AccessFile>, AccessFileError> {
    match AccessFile::read(path) {
        Err(AccessFileError::Read { cause, .. }) if cause.kind() == ErrorKind::NotFound => Ok(None),
        read => read.map(Some),
    }
}

/// Writes an access file, with the folder that it is in.
pub(crate) fn write(access: &AccessFile, path: &Path) -> anyhow::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.with_context(|| format!("cannot make the folder `{}`", folder.display()))?;
    }
    Ok(access.write(path)?)
}

/// How a coordinator is reached that is there for a while, beside its database until this is dropped: other commands on this
/// machine find the coordinator by it.
#[derive(Debug)]
pub(crate) struct Published(PathBuf);

/// Publishes how to reach the coordinator on `database`. What a killed one left there is replaced. Where the file cannot be
/// written, as on a full disk, other commands do not find the coordinator, which serves all the same.
pub(crate) fn publish(access: &AccessFile, database: &Path) -> Option<Published> {
    let path = for_a_while(database);
    match write(access, &path) {
        Ok(()) => Some(Published(path)),
        Err(error) => {
            tracing::warn!("commands will not find this coordinator: {error:#}");
            None
        }
    }
}

/// Removes what a killed coordinator that was there for a while has left, so that nobody follows it to nowhere.
pub(crate) fn forget_killed(database: &Path) -> io::Result<()> {
    match fs::remove_file(for_a_while(database)) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

impl Drop for Published {
    fn drop(&mut self) {
        // One that stays is recognized: nobody holds the database's lock.
        let _ = fs::remove_file(&self.0);
    }
}
