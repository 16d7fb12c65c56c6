//! Who answers a command.

use std::path::{Path, PathBuf};

use acai_access::AccessFile;
use anyhow::{Context, ensure};

use super::state;
use crate::access;
use crate::args::environment::variable;
use crate::args::{Answering, Coordinator};

/// The coordinator that is asked where none is named and there is no access file.
const USUAL: &str = "http://127.0.0.1:7700";

/// Who answers a command: whoever is named; or else the state folder of `acai run` where there is one, the coordinator of the
/// user's access file, or the usual one.
pub(crate) async fn answering(at: &Coordinator) -> anyhow::Result<AccessFile> {
    let usual = Path::new(state::DEFAULT);
    match named(at.coordinator.as_ref()) {
        Some(Answering::Place(path)) if path.is_dir() => for_folder(&path).await,
        Some(named) => coordinator(&named),
        None if state::database(usual).exists() => for_folder(usual).await,
        None => default(),
    }
}

/// The coordinator that a worker serves: whoever is named, or else that of the user's access file, or the usual one.
pub(crate) fn serving(at: Option<&Answering>) -> anyhow::Result<AccessFile> {
    match named(at) {
        Some(Answering::Place(path)) if path.is_dir() => {
            let served = state::served(&state::database(&path))?;
            served.with_context(|| {
                format!("nobody trains in the state folder `{}` at the moment", path.display())
            })
        }
        Some(named) => coordinator(&named),
        None => default(),
    }
}

/// The access file by which a command finds its coordinator, if it finds it by one.
pub(crate) fn access_file(at: Option<&Answering>) -> Option<PathBuf> {
    match named(at) {
        Some(Answering::Place(path)) if path.is_file() => Some(path),
        Some(_) => None,
        None => access::default_path().filter(|path| path.is_file()),
    }
}

fn named(on_the_line: Option<&Answering>) -> Option<Answering> {
    on_the_line.cloned().or_else(|| variable("ACAI_ACCESS").map(|path| Answering::Place(PathBuf::from(path))))
}

fn coordinator(named: &Answering) -> anyhow::Result<AccessFile> {
    match named {
        Answering::Place(path) => {
            ensure!(
                path.exists(),
                "there is no `{}`\nhint: --access and --coordinator take an access file, the state folder of `acai run`, or a coordinator's address",
                path.display()
            );
            access::warn_if_open(path);
            Ok(AccessFile::read(path)?)
        }
        Answering::Coordinator(url) => {
            let own = own_file()?.filter(|own| own.url == *url || own.url.ends_with(&format!("//{url}")));
            let is_whole = url.contains("://");
            let open = || AccessFile::open(&if is_whole { url.clone() } else { format!("http://{url}") });
            Ok(own.unwrap_or_else(open))
        }
    }
}

fn default() -> anyhow::Result<AccessFile> {
    Ok(own_file()?.unwrap_or_else(|| AccessFile::open(USUAL)))
}

/// The user's own access file.
fn own_file() -> anyhow::Result<Option<AccessFile>> {
    match access::default_path() {
        None => Ok(None),
        Some(path) => {
            access::warn_if_open(&path);
            Ok(access::read(&path)?)
        }
    }
}

/// The coordinator that serves a state folder; where there is none, this process, which reads it.
async fn for_folder(folder: &Path) -> anyhow::Result<AccessFile> {
    let database = state::database(folder);
    ensure!(
        database.exists(),
        "`{}` holds no database\nhint: --coordinator takes the state folder of `acai run`, an access file, or a coordinator's address",
        folder.display()
    );
    match state::served(&database)? {
        Some(access) => Ok(access),
        None => state::serve(&database).await,
    }
}
