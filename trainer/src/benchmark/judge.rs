//! Who scores interpolations.

use acai_sweep::training::Dataset;
use tch::Tensor;

use crate::data::Source;
use crate::medium::most_likely;
use crate::score::lines::LineJudge;
use crate::score::strings::{CurveJudge, StringJudge};

/// Scores interpolations of a dataset of which it is known what lies between two examples, or at least what strings there are.
#[derive(Debug)]
pub(super) enum Judge {
    Lines(LineJudge),
    Curve(CurveJudge),
    Text(StringJudge),
}

impl Judge {
    /// That of the dataset, if there is one.
    pub(super) fn of(dataset: &Dataset, source: &dyn Source) -> Option<Judge> {
        let strings = || most_likely(&source.test().images);
        match dataset {
            Dataset::Lines32 => Some(Judge::Lines(LineJudge::new())),
            Dataset::Typeover32 | Dataset::Curve(_) => Some(Judge::Curve(CurveJudge::new(&strings()))),
            Dataset::Text(_) => {
                let trained = source.train(0..i64::MAX)?.images;
                Some(Judge::Text(StringJudge::new(&most_likely(&trained))))
            }
            _ => None,
        }
    }

    /// Scores of interpolations `[n, steps, c, h, 32]`, by name.
    pub(super) fn score(&self, examples: &Tensor) -> Vec<(&'static str, f64)> {
        let mut scores = Vec::new();
        let (mean_distance, smoothness, nan) = match self {
            Judge::Text(judge) => return vec![("eval/edit", judge.edit(examples))],
            Judge::Lines(judge) => {
                let lines = judge.score(&examples.squeeze_dim(2));
                (lines.mean_distance, lines.smoothness, lines.nan)
            }
            Judge::Curve(judge) => {
                let curve = judge.score(examples);
                scores.extend([("eval/valid", curve.valid), ("eval/edit", curve.edit)]);
                scores.extend(curve.median_smoothness.map(|median| ("eval/median_smoothness", median)));
                (curve.mean_distance, curve.smoothness, curve.nan)
            }
        };
        scores.push(("eval/mean_distance", mean_distance));
        scores.extend(smoothness.map(|smoothness| ("eval/smoothness", smoothness)));
        scores.push(("eval/smoothness_nan", nan as f64));
        scores
    }
}
