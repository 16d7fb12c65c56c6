//! What a figure shows and says, in words.

use acai_plot::{
    Band, Cell, CurveGroup, Curves, HeatMap, Interval, MeanPoint, Progress, Quantity, Scaling, Spread, Width,
};
use acai_sweep::curve::CurvePoint;
use acai_sweep::metric::Goal;
use acai_sweep::scalar::Scalar;
use roxmltree::{Document, Node};

fn cell(x: f64, y: f64, mean: f64, n: usize, why: &str) -> Cell {
    Cell { x: Scalar::Float(x), y: Scalar::Float(y), mean, spread: 0.0004, n, runs: 5, why: why.to_owned() }
}

fn heat_map(cells: Vec<Cell>) -> HeatMap {
    HeatMap {
        title: String::new(),
        x: "lambda".to_owned(),
        y: "gamma".to_owned(),
        metric: Quantity::new("mean distance"),
        spread: Spread::Population,
        goal: Some(Goal::Minimize),
        cells,
        width: Width::OneColumn,
    }
}

fn curve(values: &[f64]) -> Vec<CurvePoint> {
    values.iter().enumerate().map(|(at, &value)| CurvePoint { step: at as u64 * 1000, value }).collect()
}

fn curves(groups: Vec<CurveGroup>) -> Curves {
    Curves {
        title: String::new(),
        progress: Progress::Steps,
        progress_scaling: Scaling::Linear,
        metric: Quantity::new("loss"),
        band: Some(Band::PlusMinus(Spread::Confidence95)),
        groups,
        width: Width::OneColumn,
    }
}

fn group(name: &str, values: &[f64]) -> CurveGroup {
    CurveGroup { name: name.to_owned(), images_per_step: 64, seeds: vec![curve(values)], mean: Vec::new() }
}

/// All texts that are seen.
fn texts(svg: &str) -> Vec<String> {
    let document = Document::parse(svg).unwrap();
    let texts =
        document.descendants().filter(|node| node.has_tag_name(("http://www.w3.org/2000/svg", "text")));
    texts.filter_map(|text| text.text().map(str::to_owned)).collect()
}

/// Elements that have this class.
fn with_class<'a, 'input>(document: &'a Document<'input>, class: &str) -> Vec<Node<'a, 'input>> {
    let has_class = |node: &Node<'_, '_>| {
        node.attribute("class").is_some_and(|classes| classes.split(' ').any(|known| known == class))
    };
    document.descendants().filter(has_class).collect()
}

/// What an element of this class says under the pointer.
fn titles(document: &Document<'_>, class: &str) -> Vec<String> {
    let title = |node: &Node<'_, '_>| node.first_element_child()?.text().map(str::to_owned);
    with_class(document, class).iter().filter_map(title).collect()
}

#[test]
fn a_cell_shows_its_mean_its_spread_and_its_runs_and_the_best_one_is_named() {
    let svg = heat_map(vec![cell(0.0, 0.2, 0.0052, 5, ""), cell(0.5, 0.2, 0.0031, 5, "")]).to_svg();
    let texts = texts(&svg);
    for text in ["5.20 ± 0.40", "3.10 ± 0.40", "n = 5", "mean distance (×10⁻³)", "best (smallest)"] {
        assert!(texts.iter().any(|seen| seen == text), "{text} is not among {texts:?}");
    }
    assert!(svg.contains("Best: lambda = 0.5, gamma = 0.2."), "{svg}");
}

#[test]
fn cells_that_are_equally_good_are_all_marked_as_the_best() {
    let cells =
        vec![cell(0.0, 0.2, 0.0052, 5, ""), cell(0.5, 0.2, 0.0031, 5, ""), cell(0.5, 0.1, 0.0031, 5, "")];
    let svg = heat_map(cells).to_svg();
    assert!(svg.contains("Best: lambda = 0.5, gamma = 0.2; lambda = 0.5, gamma = 0.1."), "{svg}");
    // Two cells and the legend.
    assert_eq!(svg.matches("<g class=\"plot-best\">").count(), 3, "{svg}");
}

#[test]
fn an_incomplete_cell_is_hatched_and_says_why() {
    let cells = vec![cell(0.0, 0.2, 0.0052, 3, "2 diverged"), cell(0.5, 0.2, 0.0031, 5, "")];
    let svg = heat_map(cells).to_svg();
    let document = Document::parse(&svg).unwrap();
    let incomplete = titles(&document, "plot-incomplete");
    assert_eq!(incomplete[0], "lambda = 0, gamma = 0.2: 0.00520 ± 0.00040, n = 3 of 5 (2 diverged)");
    // In the cell, and in the legend.
    assert_eq!(with_class(&document, "plot-hatching").len(), 2);
}

#[test]
fn pairs_without_runs_are_empty_cells() {
    let svg = heat_map(vec![cell(0.0, 0.2, 0.0052, 5, ""), cell(0.5, 0.1, 0.0031, 5, "")]).to_svg();
    let document = Document::parse(&svg).unwrap();
    let empty = titles(&document, "plot-empty");
    assert_eq!(empty[..2], ["lambda = 0.5, gamma = 0.2: no runs", "lambda = 0, gamma = 0.1: no runs"]);
}

#[test]
fn a_value_that_is_not_a_number_leaves_a_gap() {
    let svg = curves(vec![group("acai", &[3.0, 2.0, f64::NAN, 1.0, 0.5])]).to_svg();
    let document = Document::parse(&svg).unwrap();
    let seeds = with_class(&document, "plot-seed");
    let path = seeds[0].attribute("d").unwrap();
    assert_eq!((path.matches('M').count(), path.matches('L').count()), (2, 2), "{path}");
    assert!(texts(&svg).iter().any(|text| text == "Values left out: 1 not finite."));
}

#[test]
fn what_a_log_axis_cannot_show_is_counted() {
    let mut figure = curves(vec![group("acai", &[3.0, -2.0, 0.0, 1.0])]);
    figure.metric.scaling = Scaling::Log;
    let texts = texts(&figure.to_svg());
    assert!(texts.iter().any(|text| text == "Values left out: 2 not positive on a log axis."), "{texts:?}");
}

#[test]
fn a_band_is_named_and_its_runs_are_counted() {
    let mut group = group("acai", &[3.0, 2.0]);
    let interval = Interval { mean: 2.0, low: 1.5, high: 2.5 };
    group.mean = vec![MeanPoint { step: 0, n: 5, interval }, MeanPoint { step: 1000, n: 3, interval }];
    let svg = curves(vec![group]).to_svg();
    assert_eq!(with_class(&Document::parse(&svg).unwrap(), "plot-band").len(), 1);
    let texts = texts(&svg);
    assert!(texts.iter().any(|text| text == "acai (n = 3–5)"), "{texts:?}");
    assert!(texts.iter().any(|text| text.ends_with("Band: ± 95 % confidence (t).")), "{texts:?}");
}

#[test]
fn a_legend_without_room_says_how_many_groups_there_are_more() {
    let groups = (0..50).map(|at| group(&format!("a group with a long name, {at}"), &[1.0, at as f64]));
    let svg = curves(groups.collect()).to_svg();
    let document = Document::parse(&svg).unwrap();
    let named = with_class(&document, "plot-legend-name").len() - 1;
    assert!(texts(&svg).iter().any(|text| *text == format!("and {} more", 50 - named)));
    assert_eq!(with_class(&document, "plot-seed").len(), 50, "all groups are drawn");
}

#[test]
fn steps_are_shown_in_images_when_asked_for() {
    let mut group = group("acai", &[1.0; 65]);
    group.images_per_step = 63;
    let mut figure = curves(vec![group]);
    figure.progress = Progress::Kimg;
    let texts = texts(&figure.to_svg());
    let is_seen = |wanted: &str| texts.iter().any(|text| text == wanted);
    // 64,000 steps of 63 images are 3,938 units of 1024 images.
    assert!(is_seen("training images (kimg)") && is_seen("3000") && !is_seen("4000"), "{texts:?}");
}

#[test]
fn a_figure_is_as_wide_as_its_columns() {
    let mut figure = curves(Vec::new());
    let width = |figure: &Curves| {
        let svg = figure.to_svg();
        Document::parse(&svg).unwrap().root_element().attribute("width").map(str::to_owned)
    };
    assert_eq!(width(&figure).as_deref(), Some("84mm"));
    figure.width = Width::TwoColumns;
    assert_eq!(width(&figure).as_deref(), Some("174mm"));
}
