//! `acai data check`

use std::path::Path;

use acai_datasets::{DataError, downloads, md5, published_counts};
use acai_sweep::training::Dataset;
use anyhow::{Context, anyhow, bail};
use serde_json::json;

use crate::output::Output;

/// Reads all of the dataset; the error says what is wrong with it.
pub(super) fn check(dataset: &Dataset, data: &Path, json: bool, output: Output) -> anyhow::Result<()> {
    let name = dataset.name();
    let mut repacked = Vec::new();
    for download in downloads(dataset) {
        let path = data.join(download.path);
        if path.is_file() {
            let found = md5(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
            if found != download.md5 {
                output.note(&format!(
                    "`{}` is not the published file bit by bit (MD5 {found}, not {}): packed again, or changed",
                    path.display(),
                    download.md5
                ));
                repacked.push(path);
            }
        }
    }
    let Some(images) = acai_datasets::open(dataset, Some(data)).map_err(paragraph)? else {
        let built_in = json!({"version": 1, "name": name, "built_in": true});
        return Ok(output.data(&if json { built_in.to_string() } else { format!("{name} is built in") })?);
    };
    let counts = (images.train.len(), images.test.len());
    if let Some(published) = published_counts(dataset)
        && counts != published
    {
        bail!(
            "{name} has {} + {} images; published are {} + {}",
            counts.0,
            counts.1,
            published.0,
            published.1
        );
    }
    if json {
        let found = json!({
            "version": 1, "name": name, "built_in": false, "training": counts.0, "test": counts.1, "classes": images.classes,
            "colours": images.colours, "not_as_published": repacked,
        });
        output.data(&found.to_string())?;
    } else {
        let labels = match images.classes {
            0 => "no labels".to_owned(),
            classes => format!("{classes} classes"),
        };
        output.data(&format!(
            "{name} is whole: {} training and {} test images, {labels}",
            counts.0, counts.1
        ))?;
    }
    Ok(())
}

/// With the causes, in one line.
fn paragraph(error: DataError) -> anyhow::Error {
    anyhow!("{:#}", anyhow::Error::from(error))
}
