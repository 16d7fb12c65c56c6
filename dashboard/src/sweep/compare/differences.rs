//! How far sides are from the first one, by pairs of the same seed.

use acai_sweep::comparison::{Comparison, Differences, Observation, compare};
use acai_sweep::metric::Metric;
use acai_sweep::scalar::Scalar;
use maud::{Markup, html};

use super::sides::{Side, Sides};
use crate::command::{Form, forms};

/// What tells sides apart in a comparison: their places.
const SIDE: &str = "side";

/// Of one metric, each side but the first; `None` where no seed is common.
struct Line {
    metric: Metric,
    of_sides: Vec<Option<Differences>>,
}

fn group(place: usize) -> Vec<(String, Scalar)> {
    vec![(SIDE.to_owned(), Scalar::Int(i64::try_from(place).unwrap_or(i64::MAX)))]
}

fn lines(sides: &Sides) -> Vec<Line> {
    let line = |metric: Metric| {
        let observations = sides.sides.iter().enumerate().flat_map(|(place, side)| {
            let by_seed = side.by_seed(&metric.name).into_iter();
            by_seed.map(move |(seed, value)| Observation { group: group(place), seed, value })
        });
        let compared: Vec<Comparison> = compare(&observations.collect::<Vec<_>>(), &group(0), metric.goal);
        let of_side =
            |place| compared.iter().find(|it| it.group == group(place)).and_then(|it| it.differences);
        Line { of_sides: (1..sides.sides.len()).map(of_side).collect(), metric }
    };
    sides.metrics().into_iter().map(line).collect()
}

/// `0.31 ± 0.09 (n=3, 3/3 seeds better, p = 0.012)`
fn words(found: &Differences) -> String {
    let better =
        found.better.map(|better| format!(", {better}/{} seeds better", found.n)).unwrap_or_default();
    let p = found.p.map(|p| format!(", p = {p:.3}")).unwrap_or_default();
    format!("{} (n={}{better}{p})", acai_plot::figure(found.mean, found.confidence95), found.n)
}

pub(super) fn section(sides: &Sides, csv: String) -> Markup {
    let Some((first, others)) = sides.sides.split_first().filter(|(_, others)| !others.is_empty()) else {
        return html! {};
    };
    html! {
        section {
            h2 { "Differences from " code { (first.name) } }
            p.small {
                "By pairs of the same seed: mean ± 95 % interval (t); p by Holm, over the sides of a row."
                @if sides.sides.iter().any(Side::has_several_runs_of_a_seed) { " Of several runs of a seed, their mean counts." }
            }
            div.scroll { table {
                thead { tr { th scope="col" { "metric" } @for side in others { th.value scope="col" { code { (side.name) } } } } }
                tbody { @for line in lines(sides) { tr {
                    th scope="row" { (line.metric.name) }
                    @for found in &line.of_sides { td.value { (found.as_ref().map_or_else(|| "no common seed".to_owned(), words)) } }
                } } }
            } }
            (forms(&[Form::File("CSV", csv)]))
        }
    }
}

pub(super) const HEADINGS: [&str; 7] = ["metric", "runs", "difference", "ci95", "n", "better", "p"];

/// The same for programs, a metric of a side a row.
pub(super) fn rows(sides: &Sides) -> Vec<Vec<String>> {
    let number = |value: Option<f64>| value.map(acai_tables::number).unwrap_or_default();
    let mut rows = Vec::new();
    for Line { metric, of_sides } in lines(sides) {
        for (side, found) in sides.sides.iter().skip(1).zip(of_sides) {
            let mut row = vec![metric.name.clone(), side.name.clone()];
            row.extend([number(found.map(|it| it.mean)), number(found.and_then(|it| it.confidence95))]);
            row.push(found.map_or(0, |it| it.n).to_string());
            row.push(found.and_then(|it| it.better).map(|better| better.to_string()).unwrap_or_default());
            row.push(number(found.and_then(|it| it.p)));
            rows.push(row);
        }
    }
    rows
}
