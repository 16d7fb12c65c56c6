//! The sweeps that are trained: small, deterministic, and patient with lost machines. They have no patience with faults of
//! their own: they have none, so none may be charged to them.

/// Runs of a sweep: two values of λ, two seeds.
pub const RUNS: usize = 4;

/// The `number`-th sweep's name.
#[must_use]
pub fn name(number: u64) -> String {
    format!("chaos-{number}")
}

/// The `number`-th sweep's file. Each has seeds of its own, and so points of its own.
#[must_use]
pub fn file(number: u64) -> String {
    let (name, first, second) = (name(number), 2 * number, 2 * number + 1);
    format!(
        "version: 1
name: {name}
description: trained under faults
metric: {{name: eval/latent_accuracy, goal: maximize}}
parameters:
  model: acai
  dataset: digits32
  lambda: [0.1, 0.5]
  depth: 2
  latent: 2
  batch: 16
  total_kimg: 2
  eval_kimg: 0.25
seeds: [{first}, {second}]
checkpoint: {{every_kimg: 0.25}}
max_restarts: 0
max_lost_workers: 1000
"
    )
}
