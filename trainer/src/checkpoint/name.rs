//! Names of checkpoint files.

/// `checkpoint-<step, 9 digits>.safetensors`, so that names sort as steps do.
#[must_use]
pub fn file_name(step: u64) -> String {
    format!("checkpoint-{step:09}.safetensors")
}

/// The step in a checkpoint's file name; `None` for other names.
#[must_use]
pub fn step_of(file_name: &str) -> Option<u64> {
    let step = file_name.strip_prefix("checkpoint-")?.strip_suffix(".safetensors")?.parse().ok()?;
    (self::file_name(step) == file_name).then_some(step)
}
