//! Tables of results as figures: the same as `acai plot` draws.

use acai_plot::{Band, Cell, Cross, HeatMap, Interval, Quantity, Scatter, ScatterGroup, ScatterPoint, Width};
use acai_sweep::results::{Member, Row, Table};
use acai_sweep::scalar::Scalar;
use acai_sweep::statistics::{Spread, mean_and_std};

use crate::words;

/// A metric as an axis shows it.
pub(crate) fn quantity(metric: &str) -> Quantity {
    Quantity::new(words::metric(metric))
}

/// The heat map of a table whose rows are cells.
pub(crate) fn heat_map(table: &Table, [x, y]: [&str; 2], spread: Spread) -> HeatMap {
    let metric = table.metrics.first();
    HeatMap {
        title: String::new(),
        x: words::parameter(x),
        y: words::parameter(y),
        metric: quantity(metric.map_or("", |metric| &metric.name)),
        spread,
        goal: metric.and_then(|metric| metric.goal),
        cells: table.rows.iter().filter_map(|row| cell(row, [x, y], spread)).collect(),
        width: Width::OneColumn,
    }
}

fn cell(row: &Row, [x, y]: [&str; 2], spread: Spread) -> Option<Cell> {
    let value =
        |name: &str| row.group.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    let aggregate = row.aggregates.first().copied().flatten();
    let n = aggregate.map_or(0, |aggregate| aggregate.n);
    let (missing, open) = (row.runs - n.min(row.runs), row.runs - row.completed.min(row.runs));
    let why = match missing {
        0 => String::new(),
        missing if missing == open => format!("{open} not completed"),
        missing => format!("{missing} without a value"),
    };
    let deviation = aggregate.and_then(|it| spread.of(u32::try_from(it.n).unwrap_or(u32::MAX), it.std));
    Some(Cell {
        x: value(x)?,
        y: value(y)?,
        mean: aggregate.map_or(f64::NAN, |aggregate| aggregate.mean),
        spread: deviation.unwrap_or(f64::NAN),
        n,
        runs: row.runs,
        why,
    })
}

/// One metric of a table's runs against another, given by their places; `None` where no run has both.
pub(crate) fn scatter(table: &Table, [x, y]: [usize; 2], spread: Spread) -> Option<Scatter> {
    let group = |row: &Row| {
        let of = |member: &Member, place: usize| member.values.get(place).copied().flatten();
        let both = row.members.iter().filter_map(|member| Some((member, of(member, x)?, of(member, y)?)));
        let points: Vec<ScatterPoint> = both
            .map(|(member, x, y)| ScatterPoint {
                x,
                y,
                label: format!("#{}, seed {}", member.number, member.seed),
            })
            .collect();
        let [xs, ys]: [Vec<f64>; 2] =
            [points.iter().map(|point| point.x).collect(), points.iter().map(|point| point.y).collect()];
        let mean = interval(&xs, spread).zip(interval(&ys, spread)).map(|(x, y)| Cross { x, y });
        ScatterGroup { name: words::group(&row.group), points, mean }
    };
    let [x, y] = [&table.metrics.get(x)?.name, &table.metrics.get(y)?.name];
    let groups: Vec<ScatterGroup> =
        by_values(&table.rows).into_iter().map(group).filter(|group| !group.points.is_empty()).collect();
    (!groups.is_empty()).then(|| Scatter {
        title: String::new(),
        x: quantity(x),
        y: quantity(y),
        band: Some(Band::PlusMinus(spread)),
        groups,
        width: Width::OneColumn,
    })
}

/// Rows as people read groups, by their values: the best one is not first, and a group has its colour in all figures.
pub(crate) fn by_values(rows: &[Row]) -> Vec<&Row> {
    let key = |(_, value): &(String, Scalar)| match value {
        Scalar::Int(number) => (*number as f64, String::new()),
        Scalar::Float(number) => (*number, String::new()),
        Scalar::Word(word) => (f64::INFINITY, word.clone()),
    };
    let keys = |row: &Row| row.group.iter().map(key).collect::<Vec<_>>();
    let mut rows: Vec<&Row> = rows.iter().collect();
    rows.sort_by(|a, b| keys(a).partial_cmp(&keys(b)).unwrap_or(std::cmp::Ordering::Equal));
    rows
}

/// The mean of values, and what is drawn around it; `None` of no values.
pub(crate) fn interval(values: &[f64], spread: Spread) -> Option<Interval> {
    let (mean, std) = mean_and_std(values)?;
    let half = spread.of(u32::try_from(values.len()).unwrap_or(u32::MAX), std).unwrap_or(f64::NAN);
    Some(Interval { mean, low: mean - half, high: mean + half })
}
