//! `acai data check`

use std::path::Path;

use acai_datasets::{Counts, DataError, counts, downloads, open_strings};
use acai_sweep::training::Dataset;
use anyhow::{anyhow, bail};
use serde_json::json;

use super::beside::refuse_others;
use super::checksum;
use crate::output::Output;

/// Reads all of the dataset; the error says what is wrong with it.
pub(super) fn check(dataset: &Dataset, data: &Path, json: bool, output: Output) -> anyhow::Result<()> {
    let name = dataset.name();
    let mut repacked = Vec::new();
    for download in downloads(dataset) {
        let path = data.join(download.path);
        if path.is_file() {
            let found = checksum(&path)?;
            if found == download.md5 {
                refuse_others(dataset, download, &path)?;
            } else {
                output.note(&format!(
                    "`{}` is not the published file bit by bit (MD5 {found}, not {}): packed again, or changed",
                    path.display(),
                    download.md5
                ));
                repacked.push(path);
            }
        }
    }
    if dataset.own_path().is_some()
        && let Some(strings) = open_strings(dataset, Some(data)).map_err(paragraph)?
    {
        let (train, test) = (strings.train.len(), strings.test.len());
        let checked = json!({"version": 1, "name": name, "built_in": false, "training": train, "test": test});
        let text = format!("{name} is whole: {train} training and {test} test strings");
        return Ok(output.data(&if json { checked.to_string() } else { text })?);
    }
    let Some(images) = acai_datasets::open(dataset, Some(data)).map_err(paragraph)? else {
        let built_in = json!({"version": 1, "name": name, "built_in": true});
        return Ok(output.data(&if json { built_in.to_string() } else { format!("{name} is built in") })?);
    };
    let found = (images.train.len(), images.test.len());
    if let Some(Counts { train: Some(train), test }) = counts(dataset)
        && found != (train, test)
    {
        bail!("{name} has {} + {} images; published are {train} + {test}", found.0, found.1);
    }
    if json {
        let checked = json!({
            "version": 1, "name": name, "built_in": false, "training": found.0, "test": found.1, "classes": images.classes,
            "colours": images.colours, "not_as_published": repacked,
        });
        output.data(&checked.to_string())?;
    } else {
        let labels = match images.classes {
            0 => "no labels".to_owned(),
            classes => format!("{classes} classes"),
        };
        output
            .data(&format!("{name} is whole: {} training and {} test images, {labels}", found.0, found.1))?;
    }
    Ok(())
}

/// With the causes, in one line.
fn paragraph(error: DataError) -> anyhow::Error {
    anyhow!("{:#}", anyhow::Error::from(error))
}
