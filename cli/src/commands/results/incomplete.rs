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
        if let Some(first) = table.rows.first_mut()
            && min_n > 0
            && table.metrics.first().is_some_and(|metric| metric.goal != 0)
        {
            first.best = n(first) > 0;
        }
    }
    left_out
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
