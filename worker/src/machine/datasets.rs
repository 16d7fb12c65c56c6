//! Which datasets this machine can train on.

use std::path::Path;

use acai_datasets::missing_files;
use acai_sweep::training::Dataset;

/// Datasets that can be trained on with this data folder, in [`Dataset::NAMED`]'s order. A user's own folders of
/// pictures are not among them: whether such a folder exists shows only when a run asks for it.
#[must_use]
pub fn available(data: Option<&Path>) -> Vec<Dataset> {
    Dataset::NAMED.into_iter().filter(|dataset| missing_files(dataset, data).is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dataset_is_available_when_each_file_is_there_plain_or_gzipped() {
        let data = tempfile::tempdir().unwrap();
        let built_in = [Dataset::Lines32, Dataset::Digits32];
        assert_eq!(available(None), built_in);

        std::fs::create_dir(data.path().join("mnist")).unwrap();
        let (last, others) = Dataset::Mnist32.files().split_last().unwrap();
        for file in others {
            std::fs::write(data.path().join(format!("{file}.gz")), "").unwrap();
        }
        assert_eq!(available(Some(data.path())), built_in);
        assert_eq!(missing_files(&Dataset::Mnist32, Some(data.path())), [data.path().join(last)]);

        std::fs::write(data.path().join(last), "").unwrap();
        assert_eq!(available(Some(data.path())), [Dataset::Lines32, Dataset::Digits32, Dataset::Mnist32]);
    }
}
