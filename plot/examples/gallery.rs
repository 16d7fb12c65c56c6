//! Writes one figure of each kind, and some that are hard to draw, from made-up data:
//!
//!     cargo run -p acai-plot --example gallery -- FOLDER

use std::error::Error;
use std::path::PathBuf;

use acai_plot::{
    Band, Cell, Cross, CurveGroup, Curves, Dot, HeatMap, Interval, MeanPoint, Progress, Quantity, Scaling,
    Scatter, ScatterGroup, ScatterPoint, Spread, Strip, StripGroup, Width,
};
use acai_sweep::curve::CurvePoint;
use acai_sweep::metric::Goal;
use acai_sweep::scalar::Scalar;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args_os().nth(1).ok_or("name a folder to write figures into")?);
    std::fs::create_dir_all(&folder)?;
    let figures = [
        ("heat-map", heat_map(&[0.0, 0.1, 0.25, 0.5, 1.0], Width::OneColumn).to_svg()),
        ("heat-map-wide", wide_heat_map().to_svg()),
        ("heat-map-log", log_heat_map().to_svg()),
        ("heat-map-words", heat_map_of_words().to_svg()),
        ("heat-map-large", large_heat_map().to_svg()),
        ("curves", curves(3, Width::OneColumn).to_svg()),
        ("curves-wide", curves(6, Width::TwoColumns).to_svg()),
        ("curves-many", curves(49, Width::OneColumn).to_svg()),
        ("curves-gaps", curves_with_gaps().to_svg()),
        ("scatter", scatter(4).to_svg()),
        ("scatter-many", scatter(12).to_svg()),
        ("strip", strip(5, Width::OneColumn).to_svg()),
        ("strip-many", strip(60, Width::TwoColumns).to_svg()),
        ("heat-map-hard", hard_heat_map().to_svg()),
        ("strip-hard", hard_strip().to_svg()),
        ("scatter-hard", hard_scatter().to_svg()),
        ("curves-empty", curves(0, Width::OneColumn).to_svg()),
        ("heat-map-empty", HeatMap { cells: Vec::new(), ..heat_map(&[], Width::OneColumn) }.to_svg()),
        ("strip-empty", strip(0, Width::OneColumn).to_svg()),
    ];
    for (name, svg) in figures {
        std::fs::write(folder.join(name).with_extension("svg"), svg)?;
    }
    Ok(())
}

/// Between -1 and 1, different for each `key` and always the same for one.
fn noise(key: usize) -> f64 {
    let mixed = (key as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    ((mixed ^ (mixed >> 32)) >> 11) as f64 / (1u64 << 52) as f64 - 1.0
}

fn distance(lambda: f64, gamma: f64) -> f64 {
    0.0069 - 0.0052 * (1.0 - (-6.0 * lambda).exp()) * (1.0 - 0.4 * (gamma - 0.2).abs())
        + 0.0012 * lambda * lambda
}

fn heat_map(lambdas: &[f64], width: Width) -> HeatMap {
    let mut cells = Vec::new();
    for (row, &gamma) in [0.0, 0.1, 0.2, 0.5].iter().enumerate() {
        for (column, &lambda) in lambdas.iter().enumerate() {
            let key = row * 10 + column;
            let (n, why) = match (row, column) {
                (3, 0) => continue,
                (0, 4) => (3, "2 diverged"),
                (1, 3) => (4, "1 is queued: no worker has celeba32"),
                (2, 4) => (0, "5 are queued"),
                _ => (5, ""),
            };
            cells.push(Cell {
                x: Scalar::Float(lambda),
                y: Scalar::Float(gamma),
                mean: if n == 0 { f64::NAN } else { distance(lambda, gamma) * (1.0 + 0.1 * noise(key)) },
                spread: 0.0004 * (1.2 + noise(key + 50)),
                n,
                runs: 5,
                why: why.to_owned(),
            });
        }
    }
    HeatMap {
        title: "Interpolations on lines".to_owned(),
        x: "λ, weight of the adversary".to_owned(),
        y: "γ, mix of the critic".to_owned(),
        metric: Quantity::new("mean distance"),
        spread: Spread::Population,
        goal: Some(Goal::Minimize),
        cells,
        width,
    }
}

fn wide_heat_map() -> HeatMap {
    let mut figure = heat_map(&[0.0, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0], Width::TwoColumns);
    figure.title =
        "Accuracy of a classifier of latent codes, by the weight of the adversary and the mix of the critic"
            .to_owned();
    figure.metric = Quantity { unit: "%".to_owned(), ..Quantity::new("latent accuracy") };
    figure.goal = Some(Goal::Maximize);
    for cell in &mut figure.cells {
        cell.mean = 98.6 - cell.mean * 3200.0;
        cell.spread *= 2000.0;
    }
    figure
}

/// Learning rates and batch sizes, with losses over decades.
fn log_heat_map() -> HeatMap {
    let mut cells = Vec::new();
    for batch in [16, 32, 64, 128] {
        for (column, lr) in [1e-5, 3e-5, 1e-4, 3e-4, 1e-3].into_iter().enumerate() {
            let mean = 10f64.powf(-1.0 - column as f64 * 0.7 + (batch as f64 / 64.0 - 1.0) * 0.4);
            cells.push(Cell {
                x: Scalar::Float(lr),
                y: Scalar::Int(batch),
                mean,
                spread: mean * 0.2,
                n: 5,
                runs: 5,
                why: String::new(),
            });
        }
    }
    HeatMap {
        title: String::new(),
        x: "learning rate".to_owned(),
        y: "batch size".to_owned(),
        metric: Quantity { scaling: Scaling::Log, ..Quantity::new("reconstruction error") },
        spread: Spread::Sample,
        goal: Some(Goal::Minimize),
        cells,
        width: Width::OneColumn,
    }
}

fn heat_map_of_words() -> HeatMap {
    let datasets = ["lines32", "mnist32", "fashion-mnist32", "svhn32", "cifar10", "celeba32"];
    let models = ["baseline", "denoising", "vae", "aae", "vq-vae", "acai"];
    let cell = |row: usize, column: usize| Cell {
        x: Scalar::from(datasets[column]),
        y: Scalar::from(models[row]),
        mean: 60.0 + 6.0 * row as f64 - 9.0 * column as f64 + 3.0 * noise(row * 6 + column),
        spread: 1.5 + noise(row + 7 * column),
        n: 5,
        runs: 5,
        why: String::new(),
    };
    HeatMap {
        title: "Clustering".to_owned(),
        x: "dataset".to_owned(),
        y: "model".to_owned(),
        metric: Quantity { unit: "%".to_owned(), ..Quantity::new("clustering accuracy") },
        spread: Spread::Confidence95,
        goal: Some(Goal::Maximize),
        cells: (0..6).flat_map(|row| (0..6).map(move |column| cell(row, column))).collect(),
        width: Width::OneColumn,
    }
}

fn large_heat_map() -> HeatMap {
    let cell = |row: usize, column: usize| Cell {
        x: Scalar::Float(column as f64 / 20.0),
        y: Scalar::Float(row as f64 / 20.0),
        mean: (row as f64 / 9.0).sin() * (column as f64 / 6.0).cos(),
        spread: 0.1,
        n: if (row + column).is_multiple_of(11) { 2 } else { 3 },
        runs: 3,
        why: String::new(),
    };
    HeatMap {
        title: "A fine grid".to_owned(),
        cells: (0..30).flat_map(|row| (0..24).map(move |column| cell(row, column))).collect(),
        goal: None,
        ..heat_map(&[], Width::OneColumn)
    }
}

/// Seeds of a group that falls from 0.02 to about `floor`, every 64 kimg.
fn seeds(group: usize, floor: f64) -> Vec<Vec<CurvePoint>> {
    let value = |seed: usize, at: usize| {
        let decay = 0.02 * (-(at as f64) / 9.0).exp();
        let wobble =
            1.0 + 0.16 * noise(group * 7919 + seed * 101) + 0.07 * noise(group * 977 + seed * 331 + at * 7);
        (floor + decay) * wobble
    };
    (0..5)
        .map(|seed| {
            (0..=64).map(|at| CurvePoint { step: at as u64 * 1024, value: value(seed, at) }).collect()
        })
        .collect()
}

fn interval(values: &[f64]) -> Interval {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let std = (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt();
    Interval { mean, low: mean - std, high: mean + std }
}

fn group(name: String, seeds: Vec<Vec<CurvePoint>>) -> CurveGroup {
    let at = |at: usize| {
        let values: Vec<f64> =
            seeds.iter().map(|seed| seed[at].value).filter(|value| value.is_finite()).collect();
        MeanPoint { step: seeds[0][at].step, n: values.len(), interval: interval(&values) }
    };
    CurveGroup { name, images_per_step: 64, mean: (0..seeds[0].len()).map(at).collect(), seeds }
}

fn curves(groups: usize, width: Width) -> Curves {
    let lambda = |at: usize| at as f64 * 0.25;
    Curves {
        title: "Mean distance while training".to_owned(),
        progress: Progress::Kimg,
        progress_scaling: Scaling::Linear,
        metric: Quantity::new("mean distance"),
        band: Some(Band::PlusMinus(Spread::Population)),
        groups: (0..groups)
            .map(|at| group(format!("λ = {}", lambda(at)), seeds(at, 0.0069 / (1.0 + at as f64))))
            .collect(),
        width,
    }
}

/// On log axes, with a seed that diverges, one that has not come far, and a mean that misses steps.
fn curves_with_gaps() -> Curves {
    let mut figure = curves(3, Width::OneColumn);
    figure.title = "Two log axes, gaps and a diverged run".to_owned();
    figure.progress = Progress::Steps;
    figure.progress_scaling = Scaling::Log;
    figure.metric.scaling = Scaling::Log;
    figure.groups = (0..3)
        .map(|at| {
            let mut seeds = seeds(at, 0.0069 / (1.0 + at as f64).powi(4));
            if at == 0 {
                seeds[1][20..].iter_mut().for_each(|point| point.value = f64::NAN);
                seeds
                    .iter_mut()
                    .for_each(|seed| seed[30..36].iter_mut().for_each(|point| point.value = f64::NAN));
            }
            group(["baseline", "acai, λ = 0.5", "acai, λ = 1"][at].to_owned(), seeds)
        })
        .collect();
    for (at, point) in figure.groups[2].mean.iter_mut().enumerate().skip(40) {
        point.interval.low -= 0.0001 * (at - 40) as f64;
    }
    figure
}

fn scatter(groups: usize) -> Scatter {
    let group = |at: usize| {
        let point = |seed: usize| ScatterPoint {
            x: 0.007 / (1.0 + at as f64) * (1.0 + 0.25 * noise(at * 31 + seed)) + 0.0004,
            y: 0.3 / (1.0 + 0.4 * at as f64) + 0.05 * noise(at * 57 + seed + 900),
            label: format!("demo/{}, seed {seed}", at * 8 + seed),
        };
        let points: Vec<ScatterPoint> = (0..8).map(point).collect();
        let of = |value: fn(&ScatterPoint) -> f64| interval(&points.iter().map(value).collect::<Vec<_>>());
        let mean = Cross { x: of(|point| point.x), y: of(|point| point.y) };
        ScatterGroup { name: format!("λ = {}", at as f64 * 0.25), points, mean: Some(mean) }
    };
    Scatter {
        title: "Distance against smoothness".to_owned(),
        x: Quantity::new("mean distance"),
        y: Quantity::new("smoothness"),
        band: Some(Band::PlusMinus(Spread::Population)),
        groups: (0..groups).map(group).collect(),
        width: Width::OneColumn,
    }
}

fn strip(groups: usize, width: Width) -> Strip {
    let group = |at: usize| {
        let value =
            |seed: usize| 97.5 - 1.4 * at as f64 / (1.0 + at as f64 / 9.0) + 0.8 * noise(at * 13 + seed);
        let values: Vec<f64> = (0..5).map(value).collect();
        let dots =
            values.iter().enumerate().map(|(seed, &value)| Dot { value, label: format!("seed {seed}") });
        StripGroup {
            name: format!("λ = {}, γ = 0.2", at as f64 / 4.0),
            dots: dots.collect(),
            mean: Some(interval(&values)),
        }
    };
    Strip {
        title: "Accuracy of a classifier of latent codes".to_owned(),
        metric: Quantity { unit: "%".to_owned(), ..Quantity::new("latent accuracy") },
        band: Some(Band::PlusMinus(Spread::Population)),
        groups: (0..groups).map(group).collect(),
        width,
    }
}

/// Many values without an even spacing, and means from 1e-300 to 1e300.
fn hard_heat_map() -> HeatMap {
    let cell = |row: i64, column: i64| Cell {
        x: Scalar::Int(column * column * 37 + column),
        y: Scalar::from(format!("a model with a long name, of kind {row}").as_str()),
        mean: 10f64.powi((row * 20 + column) as i32 * 4 - 300),
        spread: 1e-5,
        n: 3,
        runs: 3,
        why: String::new(),
    };
    HeatMap {
        title: "A title that is longer than a figure is wide, and goes on and on over all the lines that a title may have".to_owned(),
        x: "number of images that the evaluation takes from the validation set of the dataset".to_owned(),
        metric: Quantity { scaling: Scaling::Log, unit: "s".to_owned(), ..Quantity::new("time for an evaluation on the validation set of the dataset") },
        cells: (0..7).flat_map(|row| (0..20).map(move |column| cell(row, column))).collect(),
        ..heat_map(&[], Width::OneColumn)
    }
}

/// Long names, values on a log axis, and more dots than a row has room for.
fn hard_strip() -> Strip {
    let mut figure = strip(6, Width::OneColumn);
    figure.metric.scaling = Scaling::Log;
    for (at, group) in figure.groups.iter_mut().enumerate() {
        group.name = format!("optimizer.learning_rate = {}, batch = 64", 10f64.powi(-(at as i32)));
        let dot =
            |seed: usize| Dot { value: 10f64.powf(at as f64 + noise(seed * 17 + at)), label: String::new() };
        group.dots = (0..60 * (at + 1)).map(dot).collect();
        group.mean =
            Some(Interval { mean: 10f64.powi(at as i32), low: -1.0, high: 10f64.powi(at as i32) * 4.0 });
    }
    figure
}

/// All values equal on one axis, and as far apart as numbers can be on the other.
fn hard_scatter() -> Scatter {
    let mut figure = scatter(3);
    for (at, group) in figure.groups.iter_mut().enumerate() {
        group.name = format!("runs/{at}/of/a/path/that/is/much/longer/than/any/legend/has/room/for");
        group.mean = None;
        for (seed, point) in group.points.iter_mut().enumerate() {
            (point.x, point.y) = (123_456.789, if seed % 2 == 0 { f64::MAX } else { -1e300 * at as f64 });
        }
    }
    figure
}
