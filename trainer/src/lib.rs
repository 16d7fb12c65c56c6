//! ACAI and its peers on libtorch: networks, losses, datasets, scores.

pub mod adam;
pub mod data;
pub mod model;
pub mod network;
pub mod random;
pub mod score;
