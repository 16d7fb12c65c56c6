//! What a sweep is judged by.

use serde::{Deserialize, Serialize};

use crate::spelling::did_you_mean;

/// Scores of every evaluation begin with this, the figures that stand for a whole run with the other.
pub const EVALUATION: &str = "eval/";
/// See [`EVALUATION`].
pub const FINAL: &str = "final/";
/// What both are followed by.
const SCORES: [&str; 6] = [
    "clustering_accuracy",
    "latent_accuracy",
    "mean_distance",
    "reconstruction_mse",
    "smoothness",
    "smoothness_nan",
];

/// A metric, and which way is better.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metric {
    /// Such as `eval/mean_distance`.
    pub name: String,
    /// `None`: shown, but no reason to prefer a run.
    pub goal: Option<Goal>,
}

/// Which values of a metric are better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// Small ones.
    Minimize,
    /// Large ones.
    Maximize,
}

/// A score that no run has, and what was probably meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no score `{name}`")]
pub struct UnknownScore {
    name: String,
    /// The nearest score.
    pub hint: Option<String>,
}

/// Refuses names of scores that are misspelt. Losses (`train/…`), and what else a trainer may report, are not known here.
///
/// # Errors
/// [`UnknownScore`].
pub fn check_name(name: &str) -> Result<(), UnknownScore> {
    let is_score = [EVALUATION, FINAL].iter().any(|kind| name.starts_with(kind));
    let scores: Vec<String> =
        [EVALUATION, FINAL].iter().flat_map(|kind| SCORES.map(|score| format!("{kind}{score}"))).collect();
    if !is_score || scores.iter().any(|score| score == name) {
        return Ok(());
    }
    let hint = did_you_mean(name, scores.iter().map(String::as_str));
    Err(UnknownScore { name: name.to_owned(), hint })
}
