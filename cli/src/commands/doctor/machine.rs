//! The disk and the datasets.

use std::fs;
use std::path::Path;

use acai_datasets::missing_files;
use acai_sweep::training::Dataset;

use super::finding::Finding;
use crate::disk::free_bytes;

/// Less than this is soon full of checkpoints.
const LITTLE: u64 = 2 << 30;

/// Whether a worker could keep its files here.
pub(super) fn disk(state: &Path) -> Finding {
    // The nearest folder that is there, in which a worker would make the others.
    let Some(folder) = std::path::absolute(state)
        .ok()
        .and_then(|path| path.ancestors().find(|folder| folder.is_dir()).map(Path::to_owned))
    else {
        return Finding::wrong(
            "disk",
            format!("there is no way to `{}`", state.display()),
            "name another --state",
        );
    };
    let probe = folder.join(format!(".acai-doctor-{}", std::process::id()));
    let written = fs::write(&probe, b"written by acai doctor").and_then(|()| fs::remove_file(&probe));
    if let Err(error) = written {
        let words = format!("`{}` cannot be written: {error}", folder.display());
        return Finding::wrong("disk", words, "name another --state, or free some room");
    }
    match free_bytes(&folder) {
        Ok(free) => {
            let words = format!("{} GiB free in `{}`", free >> 30, folder.display());
            match free < LITTLE {
                true => Finding::note("disk", words, "a worker whose disk is full rests until there is room"),
                false => Finding::good("disk", words),
            }
        }
        Err(error) => {
            Finding::note("disk", format!("nobody says how much is free: {error}"), "look yourself")
        }
    }
}

/// Which datasets a worker could train on.
pub(super) fn datasets(data: &Path) -> Finding {
    let is_there = |dataset: &&Dataset| missing_files(dataset, Some(data)).is_empty();
    let (there, missing): (Vec<&Dataset>, Vec<&Dataset>) = Dataset::NAMED.iter().partition(is_there);
    let names = |datasets: Vec<&Dataset>| {
        datasets.iter().map(|dataset| dataset.name().to_owned()).collect::<Vec<_>>().join(", ")
    };
    let words = format!("in `{}`: {}", data.display(), names(there));
    match missing.is_empty() {
        true => Finding::good("datasets", words),
        false => Finding::note(
            "datasets",
            format!("{words}; not there: {}", names(missing)),
            "`acai data fetch NAME` gets one; or name another --data",
        ),
    }
}
