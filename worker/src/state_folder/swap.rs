//! The exchange of what a state folder holds of one database for what it holds of another.
//!
//! What is to be done is written down before the first move, and that note is removed after the last one. A swap that
//! was broken off is done to its end before anything else, whichever database is served then. Each step finds out by
//! itself whether it was done, so all steps can be repeated from the first on.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::layout::{DATABASE, OTHERS, RUNS, SPOOL};
use crate::machine::durable::replace;

const INTENT: &str = "swap";

/// An exchange of one database's folders for another's.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Swap {
    pub(super) from: String,
    pub(super) to: String,
}

/// One change of a name, or of a file.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// Writes down what is about to be done.
    Intend,
    /// Moves a folder of the old database to the others.
    MoveAside(&'static str),
    /// Moves a folder of the new database back, or makes an empty one.
    BringBack(&'static str),
    /// Says that the new database is the one at hand.
    Record,
    /// Removes what [`Step::Intend`] wrote.
    Forget,
}

const STEPS: [Step; 7] = [
    Step::Intend,
    Step::MoveAside(RUNS),
    Step::BringBack(RUNS),
    Step::MoveAside(SPOOL),
    Step::BringBack(SPOOL),
    Step::Record,
    Step::Forget,
];

impl Swap {
    /// The swap that was broken off in this state folder, if there was one.
    pub(super) fn begun(root: &Path) -> io::Result<Option<Self>> {
        match fs::read(root.join(INTENT)) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            intent => Ok(Some(serde_json::from_slice(&intent?)?)),
        }
    }

    /// Does the swap, or what is left of it.
    pub(super) fn finish(&self, root: &Path) -> io::Result<()> {
        STEPS.iter().try_for_each(|step| self.take(*step, root))
    }

    fn take(&self, step: Step, root: &Path) -> io::Result<()> {
        match step {
            Step::Intend => replace(&root.join(INTENT), &serde_json::to_vec(self)?),
            Step::MoveAside(folder) => {
                let aside = other(root, &self.from, folder);
                if aside.try_exists()? {
                    return Ok(());
                }
                fs::create_dir_all(root.join(OTHERS).join(&self.from))?;
                fs::rename(root.join(folder), aside)
            }
            Step::BringBack(folder) => bring_back(root, &self.to, folder),
            Step::Record => replace(&root.join(DATABASE), self.to.as_bytes()),
            Step::Forget => fs::remove_file(root.join(INTENT)),
        }
    }
}

/// Undoes a swap that was broken off by an earlier version, which did not write down what was to be done: the folders
/// of the database that is still the one at hand come back.
pub(super) fn mend(root: &Path, current: &str) -> io::Result<()> {
    for folder in [RUNS, SPOOL] {
        bring_back(root, current, folder)?;
    }
    Ok(())
}

/// Where a folder of another database is.
fn other(root: &Path, database: &str, folder: &str) -> PathBuf {
    root.join(OTHERS).join(database).join(folder)
}

/// Moves a database's folder back to where one is missing or empty.
fn bring_back(root: &Path, database: &str, folder: &str) -> io::Result<()> {
    let (aside, place) = (other(root, database, folder), root.join(folder));
    match fs::rename(&aside, &place) {
        Err(error) if error.kind() == ErrorKind::NotFound => fs::create_dir_all(place),
        Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => Err(io::Error::new(
            ErrorKind::DirectoryNotEmpty,
            format!(
                "both `{folder}` and `{}` hold something, and only one can be of the coordinator's database; move the other one to `{OTHERS}/ID/{folder}`, where ID is its database",
                aside.display()
            ),
        )),
        moved => moved,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state_folder::StateFolder;

    /// The names of what the folder of runs and the folder of spools hold.
    fn held(state: &StateFolder) -> [Vec<String>; 2] {
        [state.runs(), state.spools()].map(|folder| {
            let names = fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name());
            names.map(|name| name.into_string().unwrap()).collect()
        })
    }

    fn fill(state: &StateFolder, database: &str) {
        state.serve(database).unwrap();
        for folder in [state.runs(), state.spools()] {
            fs::write(folder.join(format!("of {database}")), "").unwrap();
        }
    }

    fn of(database: &str) -> [Vec<String>; 2] {
        [vec![format!("of {database}")], vec![format!("of {database}")]]
    }

    #[test]
    fn a_swap_that_is_broken_off_anywhere_is_finished_and_no_file_gets_to_another_database() {
        for steps in 0..=STEPS.len() {
            for next in ["first", "second", "third"] {
                let folder = tempfile::tempdir().unwrap();
                let root = folder.path().canonicalize().unwrap();
                let state = StateFolder::open(&root, false).unwrap();
                fill(&state, "second");
                fill(&state, "first");
                let swap = Swap { from: "first".into(), to: "second".into() };
                STEPS[..steps].iter().try_for_each(|step| swap.take(*step, &root)).unwrap();
                drop(state);

                // Opening it twice is like a second crash at the same place.
                drop(StateFolder::open(&root, false).unwrap());
                let state = StateFolder::open(&root, false).unwrap();
                state.serve(next).unwrap();
                let expected = if next == "third" { [vec![], vec![]] } else { of(next) };
                assert_eq!(held(&state), expected, "{steps} steps, then {next}");
                for database in ["first", "second"] {
                    state.serve(database).unwrap();
                    assert_eq!(held(&state), of(database), "{steps} steps, {next}, {database}");
                }
            }
        }
    }

    #[test]
    fn folders_that_an_earlier_version_moved_aside_before_it_was_killed_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateFolder::open(folder.path(), false).unwrap();
        fill(&state, "first");
        fs::create_dir_all(folder.path().join("others/first")).unwrap();
        fs::rename(state.runs(), folder.path().join("others/first/runs")).unwrap();
        drop(state);
        let state = StateFolder::open(folder.path(), false).unwrap();
        state.serve("first").unwrap();
        assert_eq!(held(&state), of("first"));

        fs::create_dir_all(folder.path().join("others/first/runs/more")).unwrap();
        let unclear = state.serve("first").unwrap_err();
        let cause = std::error::Error::source(&unclear).unwrap().to_string();
        assert!(cause.contains("move the other one"), "{cause}");
    }
}
