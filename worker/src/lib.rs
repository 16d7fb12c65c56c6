//! The agent of one machine.

mod configuration;
pub mod datasets;
pub mod devices;
pub mod hardware;
mod trainer_binary;

pub use configuration::{ConfigurationError, training_config};
pub use trainer_binary::{TrainerNotFound, locate};
