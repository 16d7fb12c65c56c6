//! The folder of one worker's own files.

mod folder;
mod layout;
mod origin;
mod swap;

pub(crate) use folder::StateFolder;
