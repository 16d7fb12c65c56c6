//! Datasets of a submission that no living worker has.

use std::collections::{BTreeSet, HashSet};
use std::path::{Component, Path};

use acai_sweep::run::RunState;
use acai_sweep::training::Dataset;

use super::{Result, UseCases};
use crate::store::{NewRun, NewSweep};

impl UseCases {
    /// The datasets on which the sweep has runs to train, and which no worker that is alive says that it has, by name.
    ///
    /// Of folders of one's own pictures, only those count that workers tell of: folders below their data folder. They tell
    /// what they had when they started.
    pub(super) async fn unserved_datasets(&self, sweep: &NewSweep) -> Result<Vec<String>> {
        let served = self.served_datasets().await?;
        let mut unserved: BTreeSet<&str> = sweep.runs.iter().map(dataset).collect();
        unserved.retain(|dataset| name_that_is_told(dataset).is_some_and(|name| !served.contains(&name)));
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
/// workers do not tell: of folders that are not below their data folder.
fn name_that_is_told(dataset: &str) -> Option<String> {
    let parsed = Dataset::from_name(dataset);
    let Some(path) = parsed.as_ref().and_then(Dataset::images_path) else {
        return Some(dataset.to_owned());
    };
    let mut folders = Vec::new();
    for component in Path::new(path).components() {
        match component {
            Component::Normal(folder) => folders.push(folder.to_str()?),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    (!folders.is_empty()).then(|| format!("images:{}", folders.join("/")))
}

#[cfg(test)]
mod tests {
    use super::name_that_is_told;

    #[test]
    fn a_folder_below_the_data_folder_has_one_name_and_others_are_not_told_of() {
        for (dataset, name) in [
            ("lines32", Some("lines32")),
            ("images:faces", Some("images:faces")),
            ("images:./my//faces/", Some("images:my/faces")),
            ("images:/srv/faces", None),
            ("images:../faces", None),
            ("images:.", None),
        ] {
            assert_eq!(name_that_is_told(dataset).as_deref(), name, "{dataset}");
        }
    }
}
