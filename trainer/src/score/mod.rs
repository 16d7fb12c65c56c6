//! Scores of a trained autoencoder.

mod accuracy;
pub mod clustering;
pub mod lines;
mod nearest;
mod recent;
pub mod strings;

pub use accuracy::accuracy;
pub use recent::Recent;
