//! Checkpoints: files that training resumes from, bit by bit.
//!
//! A checkpoint is a safetensors file: every parameter under its own name (`encoder.0.weight`, shaped
//! `[out, in, h, w]`), Adam's moments under `first_moment.` and `second_moment.` before that name, and a
//! [`Header`] that says what they are. VQ-VAE's running averages lie beside them (`codebook`, `codebook_counts`,
//! `codebook_sums`). There is no generator state to hold: random numbers are keyed.
//!
//! What a released version wrote stays readable for ever (`tests/released/`); what a later version writes is refused and
//! kept. A parameter that is added says what runs had in effect before (`acai_sweep::parameters`); anything else that
//! changes what a file holds, or what it means, is a new format, and `load` learns to read both.

mod error;
mod export;
mod header;
mod load;
mod name;
mod save;

pub use error::CheckpointError;
pub use export::{export, export_model};
pub use header::{Header, Identity, Progress};
pub use load::{load, read_header};
pub use name::{file_name, step_of};
pub use save::Snapshot;

use sha2::{Digest, Sha256};
use tch::Tensor;

use crate::model::Model;

/// What the names of Adam's moments begin with.
const MOMENTS: [&str; 2] = ["first_moment.", "second_moment."];

/// Everything a checkpoint holds of `model`, which is of one run: names with views of its tensors.
fn contents(model: &dyn Model) -> Vec<(String, Tensor)> {
    let mut contents = Vec::new();
    let [first, second] = MOMENTS;
    for parameters in model.parameters() {
        for (prefix, flat) in [
            ("", &parameters.weights),
            (first, &parameters.first_moment),
            (second, &parameters.second_moment),
        ] {
            let named = parameters.named(flat, 0).map(|(name, view)| (format!("{prefix}{name}"), view));
            contents.extend(named);
        }
    }
    contents
        .extend(model.averages().into_iter().map(|(name, average)| (name.to_owned(), average.select(0, 0))));
    contents
}

/// SHA-256 (hexadecimal) over a header's JSON without any, and names and bytes of tensors in the order of names.
fn digest<B: AsRef<[u8]>>(header: &str, contents: impl IntoIterator<Item = (String, B)>) -> String {
    let mut hasher = Sha256::new_with_prefix(header);
    for (name, bytes) in contents {
        hasher.update(name);
        hasher.update(bytes);
    }
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
