//! The network between workers and coordinators: one proxy a worker, which writes down what passes and breaks it.

mod blobs;
mod call;
mod connection;
mod door;
mod network;
mod replay;
mod witness;

pub use door::Door;
pub use network::{Hole, Network};
pub use replay::replay_the_dead;
