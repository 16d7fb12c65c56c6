//! Removes what no later attempt and no person needs.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use super::layout::{ABOUT, RECORD, attempts};
use super::record::Record;
use super::set_aside::is_set_aside;

/// Deletes from all attempts in the run's folder `root` what `record` does not name, except what was set aside.
pub(super) fn clear(root: &Path, record: &Record) -> io::Result<()> {
    for attempt in attempts(root)? {
        for file in fs::read_dir(&attempt)? {
            let file = file?;
            let is_file = file.file_type()?.is_file();
            let file = file.path();
            let is_named = record.names(file.strip_prefix(root).unwrap_or(&file));
            if is_file && !is_named && !is_set_aside(&file) {
                remove(&file)?;
            }
        }
        remove_folder_if_empty(&attempt);
    }
    Ok(())
}

/// Deletes a file that may be gone already.
pub(super) fn remove(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Removes the folders of runs that have neither a checkpoint nor a picture, nor anything else but an empty record. To
/// be called when no attempt is under way. A folder that cannot be read stays as it is.
pub(crate) fn remove_empty(runs: &Path) -> io::Result<()> {
    for entry in fs::read_dir(runs)? {
        let root = entry?.path();
        if root.is_dir()
            && let Err(error) = remove_if_empty(&root)
        {
            tracing::warn!("cannot tell whether `{}` is still needed: {error}", root.display());
        }
    }
    Ok(())
}

fn remove_if_empty(root: &Path) -> io::Result<()> {
    for attempt in attempts(root)? {
        remove_folder_if_empty(&attempt);
    }
    let record = root.join(RECORD);
    if Record::read(root)?.checkpoints.is_empty() && attempts(root)?.is_empty() && record.try_exists()? {
        fs::remove_file(record)?;
    }
    // What the folder says of the run stays as long as there is anything of the run.
    let names = fs::read_dir(root)?.map(|entry| Ok(entry?.file_name())).collect::<io::Result<Vec<_>>>()?;
    if names.iter().all(|name| name == ABOUT) {
        remove(&root.join(ABOUT))?;
    }
    remove_folder_if_empty(root);
    Ok(())
}

fn remove_folder_if_empty(folder: &Path) {
    // The system refuses to remove a folder that still holds something, and such a folder is to stay.
    let _ = fs::remove_dir(folder);
}

#[cfg(test)]
mod tests {
    use acai_proto::v1::Attempt;

    use super::*;
    use crate::run_folder::fixture::{basis, open, written};

    #[test]
    fn only_a_folder_without_checkpoints_and_pictures_is_removed() {
        let state = tempfile::tempdir().unwrap();
        let folder = open(state.path(), 1);
        remove_empty(&state.path().join("runs")).unwrap();
        assert!(!folder.root.exists());
        let folder = open(state.path(), 2);
        let picture = folder.attempt().join("picture.png");
        fs::write(&picture, "").unwrap();
        let attempt = Attempt { run: 7, number: 2, token: 0 };
        folder.keep_artifact(&picture, attempt, 10).unwrap();
        let kept = written(&folder, 10);
        folder.commit(&kept, basis()).unwrap();
        remove_empty(&state.path().join("runs")).unwrap();
        assert!(kept.file.is_file() && folder.root.join("pictures/picture.png").is_file());
        fs::remove_file(&kept.file).unwrap();
        remove_empty(&state.path().join("runs")).unwrap();
        assert!(folder.root.join("pictures/picture.png").is_file() && !folder.attempt().exists());
        fs::remove_dir_all(folder.root.join("pictures")).unwrap();
        remove_empty(&state.path().join("runs")).unwrap();
        assert!(!folder.root.exists());
    }
}
