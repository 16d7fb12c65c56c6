//! What a run leaves on this machine.

mod checkpoint;
mod folder;
mod pictures;

pub(crate) use checkpoint::Checkpoint;
pub(crate) use folder::{Basis, RunFolder, remove_empty};
pub use pictures::picture_folders;
