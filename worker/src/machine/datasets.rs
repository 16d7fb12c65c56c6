//! Which datasets this machine can train on.

use std::path::Path;

use acai_datasets::{missing_files, own_folders};
use acai_sweep::training::Dataset;

/// Folders of a user's own pictures that are told of, at the most.
const OWN_FOLDERS: usize = 100;

/// Datasets that can be trained on with this data folder: first those in [`Dataset::NAMED`], in its order, then folders of a
/// user's own pictures below it. Folders that are elsewhere are not among them, and not all where there are many: whether
/// such a folder exists shows when a run asks for it.
#[must_use]
pub fn available(data: Option<&Path>) -> Vec<Dataset> {
    let named = Dataset::NAMED.into_iter().filter(|dataset| missing_files(dataset, data).is_empty());
    let own = data.map(|data| own_folders(data, OWN_FOLDERS));
    named.chain(own.into_iter().flatten()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dataset_is_available_when_each_file_is_there_plain_or_gzipped() {
        let data = tempfile::tempdir().unwrap();
        let built_in = [Dataset::Lines32, Dataset::Digits32, Dataset::Typeover32];
        assert_eq!(available(None), built_in);

        std::fs::create_dir(data.path().join("mnist")).unwrap();
        let (last, others) = Dataset::Mnist32.files().split_last().unwrap();
        for file in others {
            std::fs::write(data.path().join(format!("{file}.gz")), "").unwrap();
        }
        assert_eq!(available(Some(data.path())), built_in);
        assert_eq!(missing_files(&Dataset::Mnist32, Some(data.path())), [data.path().join(last)]);

        std::fs::write(data.path().join(last), "").unwrap();
        let [lines, digits, typeover] = built_in;
        assert_eq!(available(Some(data.path())), [lines, digits, Dataset::Mnist32, typeover]);
    }

    #[test]
    fn a_hundred_folders_of_own_pictures_are_told_of() {
        let data = tempfile::tempdir().unwrap();
        for number in 0..103 {
            let folder = data.path().join(format!("own-{number:03}"));
            std::fs::create_dir(&folder).unwrap();
            std::fs::write(folder.join("1.png"), "").unwrap();
        }
        let names: Vec<String> =
            available(Some(data.path())).iter().map(|dataset| dataset.name().to_owned()).collect();
        assert_eq!(names[..4], ["lines32", "digits32", "typeover32", "images:own-000"]);
        assert_eq!(names[3..].last().map(String::as_str), Some("images:own-099"));
    }
}
