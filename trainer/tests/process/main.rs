//! The real program, as a worker and as a person runs it.

mod allocator;
mod ending;
mod joining;
mod machine_faults;
mod released;
mod resuming;
mod serve;
mod staying;
mod train;
mod trained;
mod trainer;
