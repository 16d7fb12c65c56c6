//! Tables of results, from messages.

use acai_sweep::metric::Metric;
use acai_sweep::results::{Aggregate, Row, Table};

use crate::convert::{FieldError, goal, run_state, scalar};
use crate::v1;

/// A table from the wire, whose rows do not name their single runs.
///
/// # Errors
/// [`FieldError`] that names the field.
pub fn table(message: &v1::ResultsTable) -> Result<Table, FieldError> {
    let metric = |metric: &v1::Metric| {
        Ok(Metric { name: metric.name.clone(), goal: goal("metrics.goal", metric.goal)? })
    };
    Ok(Table {
        dataset: message.dataset.clone(),
        group_by: message.group_by.clone(),
        metrics: message.metrics.iter().map(metric).collect::<Result<_, FieldError>>()?,
        rows: message.rows.iter().map(row).collect::<Result<_, _>>()?,
    })
}

fn row(message: &v1::ResultsRow) -> Result<Row, FieldError> {
    let pair = |parameter: &v1::Parameter| Ok((parameter.name.clone(), scalar(parameter)?));
    // A state of a later release is not named; that its runs are missing is seen by their number.
    let states = message
        .states
        .iter()
        .filter_map(|count| Some((run_state("states", count.state).ok()?, count.runs as usize)));
    Ok(Row {
        group: message.group.iter().map(pair).collect::<Result<_, FieldError>>()?,
        runs: message.runs as usize,
        completed: message.completed as usize,
        states: states.collect(),
        aggregates: message.aggregates.iter().map(aggregate).collect(),
        best: message.best,
        members: Vec::new(),
    })
}

/// What is known of a metric of a row; `None` where no run has a value. A median that an earlier release does not say is NaN.
#[must_use]
pub fn aggregate(message: &v1::Aggregate) -> Option<Aggregate> {
    let v1::Aggregate { n, mean, std, min, max, median } = *message;
    let median = median.unwrap_or(f64::NAN);
    (n > 0).then_some(Aggregate { n: n as usize, mean, std, min, max, median })
}
