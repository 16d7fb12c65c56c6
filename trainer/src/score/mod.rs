//! Scores of a trained autoencoder.

mod accuracy;
pub mod lines;

pub use accuracy::accuracy;
