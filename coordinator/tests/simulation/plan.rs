//! Sweep files, and how people change them.

use acai_coordinator::store::{NewRun, NewSweep};
use acai_sweep::configuration::Configuration;
use acai_sweep::scalar::Scalar;
use rand::{Rng, RngExt};

use crate::training::STEPS;

/// Everything that a sweep's files ever ask for, in order: the seed varies slowest.
const SHAPES: [i64; 2] = [2, 4];
const LAMBDAS: [f64; 2] = [0.1, 0.2];
const SEEDS: u64 = 2;

/// A sweep, whatever its file says at the moment.
pub(crate) struct Sweep {
    pub(crate) name: String,
    runs: Vec<NewRun>,
}

impl Sweep {
    pub(crate) fn new(name: String) -> Sweep {
        let mut runs = Vec::new();
        for seed in 0..SEEDS {
            for latent in SHAPES {
                for lambda in LAMBDAS {
                    runs.push(run(latent, lambda, seed));
                }
            }
        }
        Sweep { name, runs }
    }

    /// Places in the longest plan.
    pub(crate) fn places(&self) -> u32 {
        self.runs.len() as u32
    }

    /// A file that asks for all runs, or for some of them, or in another order; with limits of its own.
    pub(crate) fn file(&self, random: &mut impl Rng) -> NewSweep {
        let mut runs = self.runs.clone();
        match random.random_range(0..4) {
            0 => runs.rotate_left(random.random_range(1..self.runs.len())),
            1 => {
                let first = random.random_range(0..self.runs.len());
                runs = runs.split_off(first);
            }
            2 => runs.retain(|_| random.random_range(0..3) > 0),
            _ => {}
        }
        if runs.is_empty() {
            runs.clone_from(&self.runs);
        }
        let budget = random.random_range(0..3);
        NewSweep {
            priority: random.random_range(0..2),
            max_concurrent: (random.random_range(0..3) == 0).then(|| random.random_range(1..5)),
            max_restarts: budget,
            max_lost_workers: 1 + 2 * budget,
            max_failed_runs: (random.random_range(0..3) == 0).then(|| random.random_range(1..4)),
            ..NewSweep::new(&self.name, runs)
        }
    }

    /// A file that asks for all runs.
    pub(crate) fn whole(&self) -> NewSweep {
        NewSweep { max_restarts: 1, max_lost_workers: 3, ..NewSweep::new(&self.name, self.runs.clone()) }
    }
}

fn run(latent: i64, lambda: f64, seed: u64) -> NewRun {
    let values = [
        ("model", Scalar::from("acai")),
        ("dataset", Scalar::from("lines32")),
        ("latent", Scalar::from(latent)),
        ("lambda", Scalar::from(lambda)),
    ];
    NewRun { total_steps: STEPS, ..NewRun::new(&Configuration::new(values).unwrap(), seed) }
}
