//! What a sweep is judged by.

/// A metric, and which way is better.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metric {
    /// Such as `eval/mean_distance`.
    pub name: String,
    /// `None`: shown, but no reason to prefer a run.
    pub goal: Option<Goal>,
}

/// Which values of a metric are better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// Small ones.
    Minimize,
    /// Large ones.
    Maximize,
}
