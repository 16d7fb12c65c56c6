//! What a sweep is judged by.

use serde::{Deserialize, Serialize};

use crate::spelling::did_you_mean;
use crate::training::Dataset;

/// Scores of every evaluation begin with this, the figures that stand for a whole run with the other.
pub const EVALUATION: &str = "eval/";
/// See [`EVALUATION`].
pub const FINAL: &str = "final/";
/// How many evaluations the medians among a run's final figures are of: those of the score that the fewest of them have.
pub const FINAL_EVALUATIONS: &str = "final/evaluations";
/// What both are followed by, and which values are better.
const SCORES: [(&str, Goal); 12] = [
    ("accuracy", Goal::Maximize),
    ("clustering_accuracy", Goal::Maximize),
    ("edit", Goal::Minimize),
    ("exact", Goal::Maximize),
    ("latent_accuracy", Goal::Maximize),
    ("mean_distance", Goal::Minimize),
    ("median_smoothness", Goal::Minimize),
    ("reconstruction_mse", Goal::Minimize),
    ("reconstruction_nats", Goal::Minimize),
    ("smoothness", Goal::Minimize),
    ("smoothness_nan", Goal::Minimize),
    ("valid", Goal::Maximize),
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
    let known = [EVALUATION, FINAL].iter().find_map(|kind| Some((kind, name.strip_prefix(kind)?)));
    match known {
        Some((kind, score)) if of_score(score).is_none() && name != FINAL_EVALUATIONS => {
            let scores = SCORES.map(|(score, _)| format!("{kind}{score}"));
            let names = scores.iter().map(String::as_str).chain([FINAL_EVALUATIONS]);
            Err(UnknownScore { name: name.to_owned(), hint: did_you_mean(name, names) })
        }
        _ => Ok(()),
    }
}

/// The whole name of a metric: a score alone is that of every evaluation.
#[must_use]
pub fn whole_name(name: &str) -> String {
    match of_score(name) {
        Some(_) => format!("{EVALUATION}{name}"),
        None => name.to_owned(),
    }
}

/// Which values of a metric are better, where that is known of it.
#[must_use]
pub fn goal_of(name: &str) -> Option<Goal> {
    let score = [EVALUATION, FINAL].iter().find_map(|kind| name.strip_prefix(kind));
    of_score(score.unwrap_or(name))
}

/// Whether runs on the dataset may report the metric. Of a folder of pictures nobody knows here whether it has labels.
pub(crate) fn may_be_reported_on(dataset: &Dataset, metric: &str) -> bool {
    let is_on_lines = *dataset == Dataset::Lines32;
    let is_on_strings = dataset.is_strings();
    match [EVALUATION, FINAL].iter().find_map(|kind| metric.strip_prefix(kind)) {
        Some("mean_distance" | "smoothness" | "smoothness_nan") => dataset.has_ground_truth(),
        Some("median_smoothness" | "valid") => is_on_strings && dataset.has_ground_truth(),
        Some("accuracy" | "edit" | "exact" | "reconstruction_nats") => is_on_strings,
        Some("clustering_accuracy" | "latent_accuracy" | "reconstruction_mse") if is_on_strings => false,
        // Only a training set that has an end is clustered.
        Some("clustering_accuracy") => !is_on_lines && *dataset != Dataset::Celeba32,
        Some("latent_accuracy") => *dataset != Dataset::Celeba32,
        _ => true,
    }
}

/// The names by which files may call scores.
pub(crate) fn score_names() -> impl Iterator<Item = String> {
    ["", EVALUATION, FINAL].into_iter().flat_map(|kind| SCORES.map(|(score, _)| format!("{kind}{score}")))
}

/// The hint for a name without its kind that is near a score.
pub(crate) fn did_you_mean_score(name: &str) -> Option<String> {
    did_you_mean(name, SCORES.map(|(score, _)| score))
}

fn of_score(score: &str) -> Option<Goal> {
    SCORES.iter().find(|(known, _)| *known == score).map(|(_, goal)| *goal)
}
