//! Every model: what it starts from, what it learns, and that a group changes nothing.

mod acai_step;
mod golden;
mod gradients;
mod groups;
mod initial;
mod learning;
mod small_run;
