//! ACAI and its peers on libtorch: networks, losses, datasets, scores.

pub mod data;
pub mod random;
pub mod score;
