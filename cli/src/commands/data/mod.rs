//! `acai data`: datasets on this machine.

mod archive;
mod beside;
mod check;
mod fetch;
mod ls;

use std::path::Path;

use acai_datasets::md5;
use acai_sweep::training::Dataset;
use anyhow::{Context, anyhow};

use crate::args::DataCommand;
use crate::failure::Failure;
use crate::output::Output;

pub(super) async fn data(command: DataCommand, output: Output) -> Result<(), Failure> {
    // Reads and downloads for minutes: not on the threads that others wait for.
    let work = move || match command {
        DataCommand::Ls { folder, json } => Ok(ls::ls(&folder.data, json, output)?),
        DataCommand::Check { dataset, folder, json } => {
            check::check(&named(&dataset)?, &folder.data, json, output)
        }
        DataCommand::Fetch { dataset, folder, mirror, json } => {
            let dataset = named(&dataset)?;
            let files = fetch::fetch(&dataset, &folder.data, mirror.as_deref(), output)?;
            if json {
                output.data(&fetch::as_json(&dataset, &files).to_string())?;
            }
            Ok(())
        }
    };
    Ok(tokio::task::spawn_blocking(work).await.context("the command broke off")??)
}

fn named(name: &str) -> anyhow::Result<Dataset> {
    Dataset::from_name(name).ok_or_else(|| {
        let names: Vec<String> =
            Dataset::NAMED.iter().map(|dataset| format!("`{}`", dataset.name())).collect();
        anyhow!(
            "there is no dataset `{}`; there are {}, and `images:PATH`, `curve:PATH` and `text:PATH`",
            name.escape_debug(),
            names.join(", ")
        )
    })
}

/// MD5 of a file.
fn checksum(path: &Path) -> anyhow::Result<String> {
    md5(path).with_context(|| format!("cannot read `{}`", path.display()))
}
