//! `acai data ls`

use std::path::Path;

use acai_datasets::{downloads, missing_files, place, published_counts};
use acai_sweep::training::Dataset;
use serde_json::{Value, json};

use crate::format::grid;
use crate::output::{Output, Unwritten};

pub(super) fn ls(data: &Path, json: bool, output: Output) -> Result<(), Unwritten> {
    if json {
        let datasets: Vec<Value> = Dataset::NAMED.iter().map(|dataset| dataset_json(dataset, data)).collect();
        return output.data(&json!({"version": 1, "data": data, "datasets": datasets}).to_string());
    }
    let rows = Dataset::NAMED.iter().map(|dataset| row(dataset, data)).collect();
    output.data(&grid(&["dataset", "training", "test", "where", "state"], rows))?;
    output.note("a folder of your own pictures is the dataset images:PATH; its subfolders are labels");
    Ok(())
}

fn row(dataset: &Dataset, data: &Path) -> Vec<String> {
    let (train, test) = match (dataset, published_counts(dataset)) {
        (_, Some((train, test))) => (train.to_string(), test.to_string()),
        (Dataset::Digits32, None) => ("1437".to_owned(), "360".to_owned()),
        _ => ("endless".to_owned(), "5000".to_owned()),
    };
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
    let counts = published_counts(dataset);
    json!({
        "name": dataset.name(),
        "training": counts.map(|(train, _)| train),
        "test": counts.map(|(_, test)| test),
        "path": needs_files(dataset).then(|| place(dataset, Some(data))),
        "missing": missing_files(dataset, Some(data)),
    })
}

fn needs_files(dataset: &Dataset) -> bool {
    !matches!(dataset, Dataset::Lines32 | Dataset::Digits32)
}
