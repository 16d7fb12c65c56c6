//! The real program, as a worker and as a person runs it.

mod allocator;
mod machine_faults;
mod released;
mod serve;
mod train;
mod trained;
mod trainer;
