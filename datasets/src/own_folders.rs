//! Which folders of one's own pictures a data folder has.

use std::collections::{BTreeSet, VecDeque};
use std::fs::{self, DirEntry};
use std::path::{Path, PathBuf};

use acai_sweep::training::Dataset;

use crate::pictures::{is_hidden, is_picture};

/// Folders so many levels below the data folder are looked into, and none deeper: so all are found that are four levels
/// below it, also where their pictures are in subfolders.
const DEEPEST: usize = 5;
/// Names of files and folders that are looked at, at the most: nothing waits long for a disk that is full of others.
const ENTRIES: usize = 100_000;
/// Bytes of a dataset's name, at the most: a coordinator takes no longer ones.
const LONGEST_NAME: usize = 128;

/// The folders below `data` that hold pictures, directly or in subfolders, as datasets `images:PATH`: those near the data
/// folder first, then by name, `most` at the most.
///
/// Only names are looked at, no picture is read. Symbolic links that lead out of the data folder are not followed, hidden
/// folders and those in which nothing can be seen are left out.
#[must_use]
pub fn own_folders(data: &Path, most: usize) -> Vec<Dataset> {
    let Ok(root) = data.canonicalize() else { return Vec::new() };
    let mut found = BTreeSet::new();
    let mut entries_left = ENTRIES;
    let mut waiting = VecDeque::from([(0, PathBuf::new())]);
    while let Some((depth, folder)) = waiting.pop_front() {
        let Contents { has_picture, subfolders } = look(&root, &folder, &mut entries_left);
        if has_picture {
            found.extend(folder.parent().map(|parent| (depth - 1, parent.to_owned())));
            found.insert((depth, folder));
        }
        if depth < DEEPEST {
            waiting.extend(subfolders.into_iter().map(|subfolder| (depth + 1, subfolder)));
        }
    }
    let below_data = found.into_iter().filter(|(depth, _)| *depth > 0);
    below_data.filter_map(|(_, folder)| dataset(&folder)).take(most).collect()
}

/// What a folder holds. Where it holds pictures, its subfolders do not matter; in the data folder itself, pictures do not.
#[derive(Default)]
struct Contents {
    has_picture: bool,
    subfolders: BTreeSet<PathBuf>,
}

/// Looks into `folder`, which is relative to `root`.
fn look(root: &Path, folder: &Path, entries_left: &mut usize) -> Contents {
    let is_root = folder.as_os_str().is_empty();
    let mut contents = Contents::default();
    for entry in fs::read_dir(root.join(folder)).into_iter().flatten().flatten() {
        let Some(left) = entries_left.checked_sub(1) else { break };
        *entries_left = left;
        let name = PathBuf::from(entry.file_name());
        if is_hidden(&name) {
            continue;
        }
        match kind(root, &entry) {
            Some(Kind::File) if is_picture(&name) && !is_root => {
                return Contents { has_picture: true, subfolders: BTreeSet::new() };
            }
            Some(Kind::Folder) => {
                contents.subfolders.insert(folder.join(name));
            }
            _ => {}
        }
    }
    contents
}

enum Kind {
    File,
    Folder,
}

/// What an entry of a folder is, behind a link too; `None` where the link leads out of `root`.
fn kind(root: &Path, entry: &DirEntry) -> Option<Kind> {
    let mut file_type = entry.file_type().ok()?;
    if file_type.is_symlink() {
        let target = entry.path().canonicalize().ok().filter(|target| target.starts_with(root))?;
        file_type = fs::metadata(target).ok()?.file_type();
    }
    match (file_type.is_file(), file_type.is_dir()) {
        (true, _) => Some(Kind::File),
        (_, true) => Some(Kind::Folder),
        _ => None,
    }
}

/// `images:PATH`; `None` for a path that no dataset can have, or that is too long to be told.
fn dataset(folder: &Path) -> Option<Dataset> {
    let name = format!("images:{}", folder.to_str()?);
    Dataset::from_name(&name).filter(|_| name.len() <= LONGEST_NAME)
}
