//! Processor time of an evaluation of ACAI on lines32 at one thread, without the start of the program and what is set up once:
//! `cargo bench --bench evaluation -- [DEPTH GOES]`.
//!
//! `cargo test` runs it as well, once at depth 2: its figure means nothing then, but it is known to work.

#![allow(missing_docs, clippy::print_stdout, reason = "a program that prints a figure")]

mod processor;

use acai_sweep::configuration::Configuration;
use acai_sweep::scalar::Scalar;
use acai_trainer::allocator;
use acai_trainer::benchmark::Benchmarks;
use acai_trainer::model;
use tch::{Device, Kind};

fn main() -> anyhow::Result<()> {
    // As in a training.
    allocator::tune();
    let given: Vec<i64> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    match given[..] {
        [depth, goes] => evaluations(depth, goes),
        // `cargo bench` says `--bench`, `cargo test` does not.
        _ if std::env::args().any(|argument| argument == "--bench") => {
            evaluations(8, 5)?;
            evaluations(16, 5)
        }
        _ => evaluations(2, 1),
    }
}

fn evaluations(depth: i64, goes: i64) -> anyhow::Result<()> {
    tch::set_num_threads(1);
    let config = Configuration::new([
        ("model", Scalar::from("acai")),
        ("dataset", Scalar::from("lines32")),
        ("depth", Scalar::Int(depth)),
    ])?
    .training_config();
    let benchmark = Benchmarks::new(Device::Cpu, None).get(&config.dataset)?;
    let images = (benchmark.source.medium(), benchmark.source.classes());
    let model = model::new(&[(&config, 0)], images, (Kind::Float, Device::Cpu))?;
    let mut seconds: Vec<f64> = (0..goes)
        .map(|_| {
            let start = processor::seconds();
            let _ = benchmark.evaluate(&*model, &mut || {});
            processor::seconds() - start
        })
        .collect();
    seconds.sort_by(f64::total_cmp);
    println!(
        "depth {depth}: {:.2} s, the least of {goes}; median {:.2} s",
        seconds[0],
        seconds[seconds.len() / 2]
    );
    Ok(())
}
