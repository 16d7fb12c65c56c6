//! Checkpoints on disk, and final weights in them as SHA-256 of their tensors.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use sha2::{Digest, Sha256};

use crate::check::snapshot::{CheckpointRow, FinalWeights};

/// The final weights of all runs below a worker's state folder that have reached their last step: a checkpoint is
/// named after its step, and lies in `runs/<sweep>-<number>/attempt-<n>/`; which run that is stands in `run.json`.
///
/// # Errors
/// If a file cannot be read, or is none that a trainer writes.
pub fn in_state_folder(
    state: &Path,
    total_steps: impl Fn(u64) -> Option<u64>,
) -> anyhow::Result<Vec<FinalWeights>> {
    let mut found = Vec::new();
    for folder in folders(&state.join("runs")) {
        let about = fs::read(folder.join("run.json")).ok();
        let about = about.and_then(|about| serde_json::from_slice::<serde_json::Value>(&about).ok());
        let run = about.and_then(|about| about["id"].as_u64());
        let Some((run, steps)) = run.and_then(|run| Some((run, total_steps(run)?))) else { continue };
        for attempt in folders(&folder) {
            let file = attempt.join(format!("checkpoint-{steps:09}.safetensors"));
            if file.is_file() {
                found.push(FinalWeights { run, sha256: digest(&file)?, place: file.display().to_string() });
            }
        }
    }
    Ok(found)
}

/// Where the blob store, a folder, has a blob: in a file named by its digest and, as a rule, a tag.
fn blob(store: &Path, sha256: &str) -> Option<PathBuf> {
    let is_named = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.strip_prefix(sha256).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    let files = fs::read_dir(store.join(sha256.get(..2)?)).ok()?;
    files.flatten().map(|file| file.path()).find(is_named)
}

/// Whether the blob store has a checkpoint, and its bytes have the digest that it goes by.
#[must_use]
pub fn is_whole(store: &Path, sha256: &str) -> bool {
    blob(store, sha256).is_some_and(|file| fs::read(file).is_ok_and(|bytes| hexadecimal(&bytes) == sha256))
}

/// The final weights of a run that this checkpoint is, if the blob store has it whole.
///
/// # Errors
/// If it cannot be read, or is no checkpoint.
pub fn in_blob_store(store: &Path, checkpoint: &CheckpointRow) -> anyhow::Result<Option<FinalWeights>> {
    let file = blob(store, &checkpoint.sha256).filter(|_| is_whole(store, &checkpoint.sha256));
    let Some(file) = file else { return Ok(None) };
    let place = file.display().to_string();
    Ok(Some(FinalWeights { run: checkpoint.run, sha256: digest(&file)?, place }))
}

/// Folders in a folder, in the order of their names; none where it is missing.
fn folders(of: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(of).into_iter().flatten().flatten();
    let mut folders: Vec<_> = entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

/// SHA-256 of a safetensors file without its header, which starts with its length as a 64-bit number.
fn digest(file: &Path) -> anyhow::Result<String> {
    let bytes = fs::read(file).with_context(|| format!("cannot read `{}`", file.display()))?;
    let payload = bytes.first_chunk::<8>().and_then(|length| {
        let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
        bytes.get(length.checked_add(8)?..)
    });
    let payload = payload.with_context(|| format!("`{}` is no safetensors file", file.display()))?;
    Ok(hexadecimal(payload))
}

fn hexadecimal(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn final_checkpoints_are_found_and_their_headers_do_not_count() {
        let state = tempfile::tempdir().unwrap();
        let write = |file: &str, header: &str, payload: &[u8]| {
            let path = state.path().join("runs").join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            let bytes = [&(header.len() as u64).to_le_bytes(), header.as_bytes(), payload].concat();
            fs::write(path, bytes).unwrap();
        };
        for (folder, id) in [("s-0", 7), ("s-1", 8)] {
            let folder = state.path().join("runs").join(folder);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("run.json"), format!(r#"{{"id": {id}}}"#)).unwrap();
        }
        write("s-0/attempt-1/checkpoint-000000016.safetensors", "{}", b"early");
        write("s-0/attempt-1/checkpoint-000000032.safetensors", "{}", b"weights");
        write("s-0/attempt-2/checkpoint-000000032.safetensors", "{\"a\": 1}", b"weights");
        write("s-1/attempt-2/checkpoint-000000016.safetensors", "{}", b"early");
        let found = in_state_folder(state.path(), |run| (run < 9).then_some(32)).unwrap();
        let expected = hexadecimal(b"weights");
        assert_eq!(found.len(), 2);
        assert!(found.iter().all(|weights| weights.run == 7 && weights.sha256 == expected), "{found:?}");
        assert!(in_state_folder(&state.path().join("missing"), |_| Some(32)).unwrap().is_empty());
    }
}
