//! Values of single runs, in groups.

use acai_plot::Interval;
use acai_proto::convert::scalar;
use acai_proto::v1::{ResultsRow, ResultsTable};
use acai_sweep::results::SEED;
use acai_sweep::scalar::Scalar;
use acai_sweep::statistics::{Spread, mean_and_std};

/// Runs that differ in their seeds alone.
pub(super) struct Runs {
    pub(super) group: Vec<(String, Scalar)>,
    /// Seed, and the values of the metrics, in the order of the table's.
    pub(super) runs: Vec<(u64, Vec<Option<f64>>)>,
}

/// The rows of a table, each of which is a run, in groups that come in the order of their first runs.
pub(super) fn by_group(table: &ResultsTable) -> Vec<Runs> {
    let mut groups: Vec<Runs> = Vec::new();
    for row in &table.rows {
        let (group, seed) = split(row);
        let values =
            row.aggregates.iter().map(|aggregate| (aggregate.n > 0).then_some(aggregate.mean)).collect();
        match groups.iter_mut().find(|known| known.group == group) {
            Some(known) => known.runs.push((seed, values)),
            None => groups.push(Runs { group, runs: vec![(seed, values)] }),
        }
    }
    // As people read them: by their values.
    groups.sort_by(|a, b| {
        by_values(&a.group).partial_cmp(&by_values(&b.group)).unwrap_or(std::cmp::Ordering::Equal)
    });
    groups
}

/// What groups are sorted by: numbers before words.
fn by_values(group: &[(String, Scalar)]) -> Vec<(f64, String)> {
    let key = |(_, value): &(String, Scalar)| match value {
        Scalar::Int(number) => (*number as f64, String::new()),
        Scalar::Float(number) => (*number, String::new()),
        Scalar::Word(word) => (f64::INFINITY, word.clone()),
    };
    group.iter().map(key).collect()
}

/// A row's parameters without the seed, and that.
fn split(row: &ResultsRow) -> (Vec<(String, Scalar)>, u64) {
    let mut seed = 0;
    let mut group = Vec::new();
    for parameter in &row.group {
        match (parameter.name.as_str(), scalar(parameter)) {
            (SEED, Ok(Scalar::Int(value))) => seed = value.cast_unsigned(),
            (name, Ok(value)) => group.push((name.to_owned(), value)),
            (_, Err(_)) => {}
        }
    }
    (group, seed)
}

/// The mean of values, and what is drawn around it; `None` of no values.
pub(super) fn interval(values: &[f64], spread: Spread) -> Option<Interval> {
    let (mean, std) = mean_and_std(values)?;
    let n = u32::try_from(values.len()).unwrap_or(u32::MAX);
    let half = spread.of(n, std).unwrap_or(f64::NAN);
    Some(Interval { mean, low: mean - half, high: mean + half })
}
