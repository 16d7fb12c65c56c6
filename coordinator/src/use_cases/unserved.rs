//! Datasets of a submission that no living worker has.

use std::collections::{BTreeSet, HashSet};
use std::path::{Component, Path};

use acai_sweep::run::RunState;
use acai_sweep::training::Dataset;

use super::{Result, UseCases};
use crate::store::{NewRun, NewSweep};

/// Before the path of a folder of one's own pictures.
const IMAGES: &str = "images:";
/// A worker tells of so many folders at the most,
const MOST_TOLD: usize = 100;
/// that are no further below its data folder,
const DEEPEST_TOLD: usize = 4;
/// and whose names are no longer, in bytes.
const LONGEST_TOLD: usize = 128;

impl UseCases {
    /// The datasets on which the sweep has runs to train, and which no worker that is alive says that it has, by name.
    ///
    /// What is built in is not among them: its runs wait for any worker. Of folders of one's own pictures, only those count
    /// that workers tell of; they tell what they had when they started. Where there may be more than they tell of, none is
    /// among them.
    pub(super) async fn unserved_datasets(&self, sweep: &NewSweep) -> Result<Vec<String>> {
        let served = self.served_datasets().await?;
        let mut unserved: BTreeSet<&str> = sweep.runs.iter().map(dataset).collect();
        let folders = served.iter().filter(|dataset| dataset.starts_with(IMAGES)).count();
        let tell_all = |dataset: &str| folders < MOST_TOLD || !dataset.starts_with(IMAGES);
        let is_unserved = |name: String| !served.contains(&name);
        unserved.retain(|dataset| tell_all(dataset) && name_that_is_told(dataset).is_some_and(is_unserved));
        if unserved.is_empty() {
            return Ok(Vec::new());
        }
        let ended: Vec<RunState> = RunState::ALL.into_iter().filter(|state| state.is_terminal()).collect();
        let ended = self.store.run_list(&sweep.name, &ended, 0, u32::MAX).await?;
        let ended: HashSet<(String, u64)> =
            ended.iter().map(|run| (run.configuration.config_hash(), run.seed)).collect();
        let is_to_train = |run: &&NewRun| !ended.contains(&(run.configuration.config_hash.clone(), run.seed));
        let wanted: BTreeSet<&str> = sweep.runs.iter().filter(is_to_train).map(dataset).collect();
        Ok(unserved.intersection(&wanted).map(|&dataset| dataset.to_owned()).collect())
    }
}

fn dataset(run: &NewRun) -> &str {
    &run.configuration.dataset
}

/// The name by which a worker that has this dataset tells of it: `images:faces` for `images:./faces/`. `None` where
/// that says nothing: every worker has what is built in, and none tells of files of strings, or of folders that are not below its data folder, or far
/// below it.
fn name_that_is_told(dataset: &str) -> Option<String> {
    let parsed = Dataset::from_name(dataset);
    if let Some(Dataset::Lines32 | Dataset::Digits32) = parsed {
        return None;
    }
    let path = match &parsed {
        Some(Dataset::Curve(_) | Dataset::Text(_)) => return None,
        Some(images @ Dataset::Images(_)) => images.own_path()?,
        _ => return Some(dataset.to_owned()),
    };
    let mut folders = Vec::new();
    for component in Path::new(path).components() {
        match component {
            Component::Normal(folder) => folders.push(folder.to_str()?),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    let name = format!("{IMAGES}{}", folders.join("/"));
    ((1..=DEEPEST_TOLD).contains(&folders.len()) && name.len() <= LONGEST_TOLD).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::name_that_is_told;

    #[test]
    fn a_folder_below_the_data_folder_has_one_name_and_others_are_not_told_of() {
        for (dataset, name) in [
            ("mnist32", Some("mnist32")),
            ("lines32", None),
            ("images:faces", Some("images:faces")),
            ("images:./my//faces/", Some("images:my/faces")),
            ("images:/srv/faces", None),
            ("images:../faces", None),
            ("images:.", None),
            ("images:a/b/c/d", Some("images:a/b/c/d")),
            ("images:a/b/c/d/e", None),
            ("curve:seasons.txt", None),
        ] {
            assert_eq!(name_that_is_told(dataset).as_deref(), name, "{dataset}");
        }
    }
}
