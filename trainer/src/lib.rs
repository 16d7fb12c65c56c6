//! ACAI and its peers on libtorch, from networks to a training process.
//!
//! To read in this order: [`network`] (layers and their parameters), [`model`] (what is minimised),
//! [`adam`], [`session`] (a group of runs from its first step to its last), [`benchmark`] (what a model is
//! measured on), [`checkpoint`], [`serve`] (groups of runs for a worker). [`medium`], [`data`], [`score`], [`picture`],
//! [`random`] and [`allocator`] are what they rely on.

pub mod adam;
pub mod allocator;
pub mod benchmark;
pub mod checkpoint;
pub mod data;
pub mod device;
pub mod libtorch;
pub mod medium;
pub mod model;
pub mod network;
pub mod picture;
pub mod random;
pub mod score;
pub mod serve;
pub mod session;

/// This program's version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
