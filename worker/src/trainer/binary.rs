//! Finding the trainer program.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// File name of the trainer.
const PROGRAM: &str = "acai-trainer";

/// There is no trainer program where one should be.
#[derive(Debug, thiserror::Error)]
#[error(
    "no trainer found: looked for {}; build it with `cargo build --release -p acai-trainer`, or name it with `ACAI_TRAINER`",
    .looked_at.join(" and ")
)]
pub struct TrainerNotFound {
    looked_at: Vec<String>,
}

/// The trainer program: the file `named`, else `acai-trainer` beside the running program, else on `PATH`.
///
/// # Errors
///
/// Names the places looked at when there is no such file.
pub fn locate(named: Option<&Path>) -> Result<PathBuf, TrainerNotFound> {
    let program = std::env::current_exe().ok();
    find(named, program.as_deref().and_then(Path::parent), std::env::var_os("PATH").as_deref())
}

fn find(
    named: Option<&Path>,
    beside: Option<&Path>,
    path: Option<&OsStr>,
) -> Result<PathBuf, TrainerNotFound> {
    if let Some(named) = named {
        let missing = || TrainerNotFound { looked_at: vec![format!("`{}`", named.display())] };
        return named.is_file().then(|| named.to_owned()).ok_or_else(missing);
    }
    let beside = beside.map(|folder| folder.join(PROGRAM));
    let on_path: Vec<PathBuf> =
        path.map(|path| std::env::split_paths(path).map(|f| f.join(PROGRAM)).collect()).unwrap_or_default();
    let mut candidates = beside.iter().chain(&on_path);
    candidates.find(|candidate| candidate.is_file()).cloned().ok_or_else(|| {
        let beside = beside.iter().map(|beside| format!("`{}`", beside.display()));
        let on_path = format!("`{PROGRAM}` in the {} folders of `PATH`", on_path.len());
        TrainerNotFound { looked_at: beside.chain([on_path]).collect() }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_named_trainer_comes_first_then_the_one_beside_the_program_then_path() {
        let (beside, on_path) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (near, far) = (beside.path().join(PROGRAM), on_path.path().join(PROGRAM));
        std::fs::write(&far, "").unwrap();
        let find = |named| find(named, Some(beside.path()), Some(on_path.path().as_os_str()));
        assert_eq!(find(None).unwrap(), far);
        std::fs::write(&near, "").unwrap();
        assert_eq!(find(None).unwrap(), near);
        assert_eq!(find(Some(&far)).unwrap(), far);
        let nowhere = Path::new("/nowhere/trainer");
        assert!(find(Some(nowhere)).unwrap_err().to_string().contains("`/nowhere/trainer`"));
    }

    #[test]
    fn a_missing_trainer_names_the_places_looked_at() {
        let empty = tempfile::tempdir().unwrap();
        let message = find(None, Some(empty.path()), Some(OsStr::new("/none:/nil"))).unwrap_err().to_string();
        assert!(message.contains(&format!("`{}`", empty.path().join(PROGRAM).display())), "{message}");
        assert!(message.contains("2 folders of `PATH`") && message.contains("cargo build"), "{message}");
    }
}
