//! `acai data ls`

use std::path::Path;

use acai_datasets::{counts, downloads, missing_files, place};
use acai_sweep::training::Dataset;
use serde_json::{Value, json};

use crate::grid::Grid;
use crate::output::{Output, Unwritten};

pub(super) fn ls(data: &Path, json: bool, output: Output) -> Result<(), Unwritten> {
    if json {
        let datasets: Vec<Value> = Dataset::NAMED.iter().map(|dataset| dataset_json(dataset, data)).collect();
        return output.data(&json!({"version": 1, "data": data, "datasets": datasets}).to_string());
    }
    let rows = Dataset::NAMED.iter().map(|dataset| row(dataset, data)).collect();
    output
        .data(&Grid::new(&["dataset", "training", "test", "where", "state"], rows).fit(None).to_string())?;
    output.note("a folder of your own pictures is the dataset images:PATH; its subfolders are labels");
    output.note("a file of your own strings, a line each, is curve:PATH if they follow each other, and text:PATH if not");
    Ok(())
}

fn row(dataset: &Dataset, data: &Path) -> Vec<String> {
    let counts = counts(dataset);
    let train =
        counts.and_then(|counts| counts.train).map_or("endless".to_owned(), |train| train.to_string());
    let test = counts.map(|counts| counts.test.to_string()).unwrap_or_default();
    let missing = missing_files(dataset, Some(data)).len();
    let (place, state) = match (needs_files(dataset), missing) {
        (false, _) => (String::new(), "built in".to_owned()),
        (true, 0) => (place(dataset, Some(data)).display().to_string(), "there".to_owned()),
        (true, missing) => {
            let get = if downloads(dataset).is_empty() { "see" } else { "get it with" };
            let state = match dataset.files().len() {
                0 => "missing".to_owned(),
                files => format!("{missing} of {files} files missing"),
            };
            let hint = format!("{state}; {get} `acai data fetch {}`", dataset.name());
            (place(dataset, Some(data)).display().to_string(), hint)
        }
    };
    vec![dataset.name().to_owned(), train, test, place, state]
}

fn dataset_json(dataset: &Dataset, data: &Path) -> Value {
    let counts = counts(dataset);
    json!({
        "name": dataset.name(),
        "training": counts.and_then(|counts| counts.train),
        "test": counts.map(|counts| counts.test),
        "path": needs_files(dataset).then(|| place(dataset, Some(data))),
        "missing": missing_files(dataset, Some(data)),
    })
}

fn needs_files(dataset: &Dataset) -> bool {
    !matches!(dataset, Dataset::Lines32 | Dataset::Digits32 | Dataset::Typeover32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_and_table_count_the_same_images() {
        for dataset in Dataset::NAMED {
            let (row, json) = (row(&dataset, Path::new("")), dataset_json(&dataset, Path::new("")));
            let train = json["training"].as_u64().map_or("endless".to_owned(), |train| train.to_string());
            assert_eq!(row[1..3], [train, json["test"].to_string()]);
        }
        let built_in = dataset_json(&Dataset::Digits32, Path::new(""));
        assert_eq!((&built_in["training"], &built_in["test"]), (&json!(1437), &json!(360)));
    }

    #[test]
    fn what_is_made_by_the_program_itself_is_built_in_and_nowhere() {
        for dataset in [Dataset::Lines32, Dataset::Digits32, Dataset::Typeover32] {
            assert_eq!(row(&dataset, Path::new("data"))[3..], ["", "built in"], "{}", dataset.name());
            assert_eq!(dataset_json(&dataset, Path::new("data"))["path"], Value::Null, "{}", dataset.name());
        }
    }
}
