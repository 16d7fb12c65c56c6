//! One small figure of each kind, byte by byte. After a change that is meant, look at the new figures and keep them:
//!
//!     UPDATE_FIGURES=1 cargo test -p acai-plot --test figures golden

use std::path::Path;

use acai_plot::{
    Band, Cell, ContactSheet, Cross, CurveGroup, Curves, Dot, HeatMap, Interval, MeanPoint, Picture,
    Progress, Quantity, Scaling, Scatter, ScatterGroup, ScatterPoint, Spread, Strip, StripGroup, Width,
};
use acai_sweep::curve::CurvePoint;
use acai_sweep::metric::Goal;
use acai_sweep::scalar::Scalar;

use crate::sound::check;

fn check_golden(name: &str, svg: &str) {
    check(svg);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name).with_extension("svg");
    if std::env::var_os("UPDATE_FIGURES").is_some() {
        std::fs::write(&path, svg).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap();
    let changed = golden.lines().zip(svg.lines()).find(|(golden, line)| golden != line);
    assert!(golden == svg, "{name}.svg is another figure now; the first line that differs: {changed:?}");
}

fn interval(mean: f64, std: f64) -> Interval {
    Interval { mean, low: mean - std, high: mean + std }
}

#[test]
fn a_heat_map_looks_as_it_did() {
    let cell = |x: f64, y: f64, mean: f64, n| Cell {
        x: Scalar::Float(x),
        y: Scalar::Float(y),
        mean,
        spread: mean / 10.0,
        n,
        runs: 3,
        why: if n < 3 { "1 diverged".to_owned() } else { String::new() },
    };
    let figure = HeatMap {
        title: "Lines".to_owned(),
        x: "λ".to_owned(),
        y: "γ".to_owned(),
        metric: Quantity::new("mean distance"),
        spread: Spread::Population,
        goal: Some(Goal::Minimize),
        cells: vec![cell(0.0, 0.2, 0.0069, 3), cell(0.5, 0.2, 0.0024, 3), cell(0.5, 0.0, 0.0031, 2)],
        width: Width::OneColumn,
    };
    check_golden("heat_map", &figure.to_svg());
}

#[test]
fn curves_look_as_they_did() {
    let group = |name: &str, floor: f64| {
        let value = |step: u64, seed: u64| floor + 0.02 / (1.0 + step as f64 / 1024.0) + 0.001 * seed as f64;
        let steps = [0, 1024, 2048, 4096];
        let seed = |seed| steps.map(|step| CurvePoint { step, value: value(step, seed) }).to_vec();
        let mean = steps.map(|step| MeanPoint { step, n: 3, interval: interval(value(step, 1), 0.0008) });
        CurveGroup {
            name: name.to_owned(),
            images_per_step: 64,
            seeds: (0..3).map(seed).collect(),
            mean: mean.to_vec(),
        }
    };
    let figure = Curves {
        title: "Training".to_owned(),
        progress: Progress::Kimg,
        progress_scaling: Scaling::Linear,
        metric: Quantity { scaling: Scaling::Log, ..Quantity::new("reconstruction error") },
        band: Some(Band::PlusMinus(Spread::Population)),
        groups: vec![group("baseline", 0.004), group("acai", 0.002)],
        width: Width::OneColumn,
    };
    check_golden("curves", &figure.to_svg());
}

#[test]
fn a_scatter_plot_looks_as_it_did() {
    let group = |name: &str, x: f64, y: f64| {
        let point = |dx: f64, dy: f64| ScatterPoint { x: x + dx, y: y + dy, label: format!("{name}, a run") };
        let points = vec![point(0.001, 0.02), point(-0.001, 0.01), point(0.0, -0.03)];
        let mean = Some(Cross { x: interval(x, 0.0008), y: interval(y, 0.02) });
        ScatterGroup { name: name.to_owned(), points, mean }
    };
    let figure = Scatter {
        title: String::new(),
        x: Quantity::new("mean distance"),
        y: Quantity::new("smoothness"),
        band: Some(Band::PlusMinus(Spread::Population)),
        groups: vec![group("baseline", 0.0069, 0.27), group("acai", 0.0024, 0.15)],
        width: Width::OneColumn,
    };
    check_golden("scatter", &figure.to_svg());
}

#[test]
fn a_strip_plot_looks_as_it_did() {
    let group = |name: &str, values: [f64; 3]| {
        let dots = values.map(|value| Dot { value, label: String::new() });
        StripGroup { name: name.to_owned(), dots: dots.to_vec(), mean: Some(interval(values[1], 0.8)) }
    };
    let figure = Strip {
        title: String::new(),
        metric: Quantity { unit: "%".to_owned(), ..Quantity::new("latent accuracy") },
        band: Some(Band::PlusMinus(Spread::Population)),
        groups: vec![group("baseline", [77.1, 78.0, 79.2]), group("acai", [93.0, 94.5, 94.6])],
        width: Width::OneColumn,
    };
    check_golden("strip", &figure.to_svg());
}

#[test]
fn a_contact_sheet_looks_as_it_did() {
    // The smallest PNG that is a picture: two grey pixels beside each other.
    let png = [
        &b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x02\0\0\0\x01\x08\0\0\0\0\xd1\x2e\x44\xde"[..],
        &b"\0\0\0\x0bIDAT\x78\x9c\x63\x70\x60\x68\0\0\x01\x44\0\xc1\xa5\x1d\x9c\xd7"[..],
        &b"\0\0\0\0IEND\xaeB`\x82"[..],
    ]
    .concat();
    let picture = |x: f64, y: f64| Picture {
        x: Scalar::Float(x),
        y: Scalar::Float(y),
        png: png.clone(),
        label: format!("lines/{x}"),
    };
    let figure = ContactSheet {
        title: "Interpolations".to_owned(),
        x: "λ".to_owned(),
        y: "γ".to_owned(),
        pictures: vec![picture(0.0, 0.2), picture(0.5, 0.2), picture(0.5, 0.0)],
        width: Width::OneColumn,
    };
    check_golden("contact_sheet", &figure.to_svg());
}
