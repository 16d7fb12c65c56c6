//! Which cluster stands for which label.

use pathfinding::kuhn_munkres::kuhn_munkres;
use pathfinding::matrix::Matrix;

/// How many examples have the label of their cluster, when clusters are matched one-to-one with labels so that
/// these are as many as possible (Hungarian algorithm). `counts` is square: examples of each label (row) in each
/// cluster (column).
#[must_use]
pub fn matched(counts: Vec<Vec<i64>>) -> i64 {
    let counts = Matrix::from_rows(counts).expect("a square of counts");
    kuhn_munkres(&counts).0
}
