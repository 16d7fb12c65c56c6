//! The folder of one worker's own files.
//!
//! ```text
//! <state>/
//!   worker.lock   held by the agent for as long as it lives
//!   origin        which folder of which machine this is: a copy is refused (see `origin`)
//!   database      the coordinator's database that all of this belongs to
//!   runs/         checkpoints and trained models (see `run_folder`)
//!   spool/        reports that nobody has acknowledged (see `spool`)
//!   others/<id>/  `runs` and `spool` of other databases: their runs have the same numbers (see `swap`)
//! ```

mod folder;
mod layout;
mod origin;
mod swap;

pub(crate) use folder::StateFolder;
