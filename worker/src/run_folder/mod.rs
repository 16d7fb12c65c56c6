//! What a run leaves on this machine.
//!
//! ```text
//! <state>/runs/<sweep>-<number>/
//!   run.json         which run this is: sweep, number, id, seed, configuration
//!   resume.json      committed checkpoints, newest first: what a later attempt may continue from
//!   pictures/        what its trainers drew; `.NAME.upload` beside what the coordinator does not have yet
//!   logs/            what its trainers printed, with the same notes
//!   attempt-<n>/     written by attempt n's trainer; no two attempts share a folder
//! ```
//!
//! The number is the run's own in its sweep, which no submission changes. Earlier versions had the run's id in the folder's
//! name: their folders are found and used under the names that they have.
//!
//! Checkpoints, pictures and logs stay until a person deletes them, except for checkpoints that later ones replace. A
//! completed run leaves its trained model, its pictures and its logs. A folder that holds none of them is removed when a
//! worker starts.
//!
//! Read `folder` first, then `checkpoints` (which of them count), which rest on `record` (what `resume.json` says),
//! `basis` (what a checkpoint relies on), `set_aside` and `cleanup` (files that are not used any more). `artifact` is about
//! pictures and logs.
//!
//! All calls block on the disk.

mod about;
mod artifact;
mod basis;
mod checkpoint;
mod checkpoints;
mod cleanup;
#[cfg(test)]
mod fixture;
mod folder;
mod layout;
mod name;
mod pictures;
mod record;
mod set_aside;

pub(crate) use artifact::{Artifact, artifacts_to_upload};
pub(crate) use basis::Basis;
pub(crate) use checkpoint::Checkpoint;
pub(crate) use cleanup::remove_empty;
pub(crate) use folder::RunFolder;
pub use pictures::picture_folders;
