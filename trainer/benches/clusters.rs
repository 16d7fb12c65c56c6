//! Time of the K-means behind the clustering accuracy: `cargo bench --bench clusters -- [N D CLASSES RESTARTS]`.
//!
//! Codes are those of an untrained kind: a mixture of normal distributions that overlap, so that restarts take many
//! iterations, as whitened latents do.
//!
//! `cargo test` runs it as well, on a few codes: its figures mean nothing then, but it is known to work.

#![allow(missing_docs, clippy::print_stdout, reason = "a program that prints a figure")]

use std::time::{Duration, Instant};

use acai_trainer::score::clustering::{KMeans, Whitening};
use tch::{Device, Kind, Tensor};

fn main() {
    let given: Vec<i64> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let [examples, width, classes, restarts] = given[..] else {
        // `cargo bench` says `--bench`, `cargo test` does not.
        return match std::env::args().any(|argument| argument == "--bench") {
            true => clusters(60_000, 256, 10, 1_000),
            false => clusters(200, 8, 3, 2),
        };
    };
    clusters(examples, width, classes, restarts as u32);
}

fn clusters(examples: i64, width: i64, classes: i64, restarts: u32) {
    tch::manual_seed(0);
    let float = (Kind::Float, Device::Cpu);
    let centres = Tensor::randn([classes, width], float);
    let of = Tensor::randint(classes, [examples], (Kind::Int64, Device::Cpu));
    let codes = centres.index_select(0, &of) + Tensor::randn([examples, width], float) * 2.0;
    let start = Instant::now();
    let whitened = Whitening::of(&codes).apply(&codes);
    let whitening = start.elapsed();
    let start = Instant::now();
    let mut search = KMeans { clusters: classes, restarts }.search(whitened);
    let (mut longest, mut iterations) = (Duration::ZERO, 0);
    let found = loop {
        let start = Instant::now();
        let found = search.advance();
        (longest, iterations) = (longest.max(start.elapsed()), iterations + 1);
        if let Some(found) = found {
            break found;
        }
    };
    println!(
        "{examples} codes of {width} values, {classes} clusters, {restarts} restarts, {} threads: \
         whitening {:.1} s, K-means {:.1} s in {iterations} parts of {:.2} s at most, inertia {:.6}",
        tch::get_num_threads(),
        whitening.as_secs_f64(),
        start.elapsed().as_secs_f64(),
        longest.as_secs_f64(),
        found.inertia,
    );
}
