//! Why rows lack values of some of their runs.

use acai_proto::v1::{GetResultsResponse, ResultsRow, RunState};
use acai_sweep::spelling::counted;

use crate::args::TableArguments;
use crate::failure::Failure;

/// Whether any row has runs that wait.
pub(super) fn any_waits(results: &GetResultsResponse) -> bool {
    let mut rows = results.tables.iter().flat_map(|table| &table.rows);
    rows.any(|row| row.states.iter().any(|count| count.state() == RunState::Queued))
}

/// Leaves out the rows in which fewer than `min_n` runs have a value of the metric that sorts; answers how many.
pub(super) fn leave_out(results: &mut GetResultsResponse, min_n: u32) -> usize {
    let n = |row: &ResultsRow| row.aggregates.first().map_or(row.completed, |aggregate| aggregate.n);
    let mut left_out = 0;
    for table in &mut results.tables {
        let before = table.rows.len();
        table.rows.retain(|row| n(row) >= min_n);
        left_out += before - table.rows.len();
        // The best one may have been among them.
        if min_n > 0
            && table.metrics.first().is_some_and(|metric| metric.goal != 0)
            && let Some(best) = table.rows.first().and_then(mean)
        {
            for row in &mut table.rows {
                row.best = mean(row) == Some(best);
            }
        }
    }
    left_out
}

/// The mean that sorts, where any run has a value.
fn mean(row: &ResultsRow) -> Option<f64> {
    row.aggregates.first().filter(|aggregate| aggregate.n > 0).map(|aggregate| aggregate.mean)
}

/// With `--strict`, that rows lack values is a failure.
pub(super) fn refuse(results: &GetResultsResponse, arguments: &TableArguments) -> Result<(), Failure> {
    let lacks = |row: &&ResultsRow| {
        row.completed < row.runs || row.aggregates.iter().any(|aggregate| aggregate.n < row.runs)
    };
    match results.tables.iter().flat_map(|table| &table.rows).filter(lacks).count() {
        0 => Ok(()),
        rows if arguments.strict => Err(Failure::Runs(format!(
            "--strict: {} without a value of each of their runs",
            counted(rows as u64, "row")
        ))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use acai_proto::v1::{Aggregate, Goal, Metric, ResultsTable};

    use super::*;

    #[test]
    fn the_best_rows_of_those_that_are_left_are_marked() {
        let row = |n, mean| ResultsRow {
            aggregates: vec![Aggregate { n, mean, ..Aggregate::default() }],
            best: n == 1,
            ..ResultsRow::default()
        };
        let metric = Metric { name: "eval/x".to_owned(), goal: Goal::Minimize.into() };
        let table = ResultsTable {
            metrics: vec![metric],
            rows: vec![row(1, 0.1), row(2, 0.2), row(3, 0.2), row(2, 0.3)],
            ..ResultsTable::default()
        };
        let mut results = GetResultsResponse { tables: vec![table], ..GetResultsResponse::default() };
        assert_eq!(leave_out(&mut results, 2), 1);
        let best: Vec<bool> = results.tables[0].rows.iter().map(|row| row.best).collect();
        assert_eq!(best, [true, true, false]);
    }
}
