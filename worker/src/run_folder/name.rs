//! The name of a run's folder.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::about::About;
use super::record::Record;

/// The name of a run's folder among those in `runs`, whether it exists or is still to be made: as people call the run,
/// unless a folder of that name is another run's, whose sweep has a similar name.
pub(super) fn name_of(runs: &Path, sweep: &str, number: u32, run: u64) -> io::Result<PathBuf> {
    let of_run = format!("-run{run}");
    let name = PathBuf::from(format!("{}-{number}", slug(sweep)));
    let holder = About::read(&runs.join(&name))?.map(|about| about.id);
    if holder == Some(run) {
        return Ok(name);
    }
    if let Some(earlier) = of_earlier_version(runs, &of_run)? {
        return Ok(earlier);
    }
    // A folder that says nothing is nobody else's: an agent was killed when it had just made the folder.
    Ok(if holder.is_some() { PathBuf::from(name.display().to_string() + &of_run) } else { name })
}

/// The folder whose name ends with the run's id, as earlier versions named it. Where one of them left several folders of a
/// run, of several places in the plan, it is the one with the newest checkpoint.
fn of_earlier_version(runs: &Path, of_run: &str) -> io::Result<Option<PathBuf>> {
    let mut earlier = None;
    for entry in fs::read_dir(runs)? {
        let name = entry?.file_name();
        if !name.to_str().is_some_and(|name| name.ends_with(of_run)) {
            continue;
        }
        let step = match Record::read(&runs.join(&name)) {
            Err(error) if error.kind() == ErrorKind::InvalidData => None,
            record => record?.checkpoints.first().map(|newest| newest.step),
        };
        earlier = earlier.max(Some((step, PathBuf::from(name))));
    }
    Ok(earlier.map(|(_, name)| name))
}

/// A sweep's name as part of a folder's name: what could mean something to a file system becomes `-`.
pub(super) fn slug(name: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
    name.chars().take(64).map(safe).collect()
}

#[cfg(test)]
mod tests {
    use acai_proto::v1::{Assignment, Attempt};

    use super::*;
    use crate::run_folder::RunFolder;
    use crate::run_folder::fixture::{basis, newest, written};
    use crate::run_folder::layout::RECORD;

    #[test]
    fn a_run_keeps_its_folder_when_its_place_in_the_plan_moves_even_if_the_folder_was_named_by_that_place() {
        let state = tempfile::tempdir().unwrap();
        let runs = state.path().join("runs");
        let at = |run, number| {
            let assignment = Assignment { sweep: "s".into(), number: run, ..Assignment::default() };
            RunFolder::open(&runs, &assignment, Attempt { run: 7, number, token: 0 }).unwrap()
        };
        for (step, name) in [(10, "s-4-run7"), (30, "s-12-run7"), (20, "s-8-run7"), (90, "s-4-run77")] {
            let attempt = runs.join(name).join("attempt-1");
            fs::create_dir_all(&attempt).unwrap();
            fs::write(attempt.join("step"), "weights").unwrap();
            let record = format!(r#"{{"checkpoints":[{{"step":{step},"file":"attempt-1/step"}}]}}"#);
            fs::write(runs.join(name).join(RECORD), record).unwrap();
        }
        assert_eq!(newest(&at(2, 2)).unwrap().step, 30);
        for name in ["s-4-run7", "s-12-run7", "s-8-run7"] {
            fs::remove_dir_all(runs.join(name)).unwrap();
        }
        let folder = at(2, 3);
        folder.commit(&written(&folder, 40), basis()).unwrap();
        assert_eq!(newest(&at(2, 4)).unwrap().step, 40);
        assert!(runs.join("s-2/run.json").is_file());
    }

    #[test]
    fn runs_of_sweeps_with_similar_names_have_folders_of_their_own() {
        let state = tempfile::tempdir().unwrap();
        let runs = state.path().join("runs");
        let open = |sweep: &str, run| {
            let assignment = Assignment { sweep: sweep.into(), number: 1, ..Assignment::default() };
            RunFolder::open(&runs, &assignment, Attempt { run, number: 1, token: 0 }).unwrap().name()
        };
        for _ in 0..2 {
            assert_eq!(open("a b", 7), Path::new("a-b-1"));
            assert_eq!(open("a/b", 8), Path::new("a-b-1-run8"));
        }
    }
}
