//! How good interpolations between the strings of a closed curve are.
//!
//! Each string follows from the one before, and the first from the last, so that their order can be seen in the strings. As
//! corners h_0 … h_{N-1} of one-hot characters they span a closed polygon, which stands for what the circle of lines is in the
//! paper's benchmark: a decoded example should lie in the direction of a point of it.

use tch::{Device, Kind, Tensor};

use crate::medium::most_likely;

/// Less of the way from the first point to the last, in strings, is no movement.
const NO_MOVEMENT: f64 = 1e-3;

/// Scores of a set of interpolations; all but `valid` are 0 for the ideal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StringScores {
    /// Cosine distance of an example to the nearest point of the polygon, averaged over all. NaN if an example has no direction.
    pub mean_distance: f64,
    /// Largest step between neighbouring positions over the whole way, less the ideal 1/(n-1): summed over the interpolations
    /// that have such a score and divided by the count of all, as for lines. `None` if none has.
    pub smoothness: Option<f64>,
    /// The median of those that have it: the mean is without bound where the ends are close.
    pub median_smoothness: Option<f64>,
    /// How many interpolations have no smoothness: their ends have the same position, or an example has no direction.
    pub nan: usize,
    /// How many of the examples between the ends are strings of the curve where each place has its most likely symbol, in %.
    pub valid: f64,
    /// The share of the places at which these strings, ends included, differ from the nearest string of the curve.
    pub edit: f64,
}

/// The nearest point of the polygon.
#[derive(Debug, Clone, Copy)]
struct Nearest {
    /// Cosine of the angle to it.
    similarity: f64,
    /// In strings from the first one, in [0, N].
    position: f64,
}

/// Strings that examples are compared with, on the CPU.
#[derive(Debug)]
pub struct StringJudge {
    /// The numbers of each string's symbols.
    strings: Vec<Vec<usize>>,
}

impl StringJudge {
    /// Of strings `[N, width]`, numbers of symbols.
    #[must_use]
    pub fn new(strings: &Tensor) -> StringJudge {
        StringJudge { strings: rows(strings) }
    }

    /// The share of the places at which examples' most likely strings differ from the nearest of these strings, averaged over
    /// interpolations `[n, steps, symbols, 1, width]`. It says nothing of the order in which they come.
    #[must_use]
    pub fn edit(&self, examples: &Tensor) -> f64 {
        let found = rows(&most_likely(&examples.flatten(0, 1)));
        mean(found.iter().map(|string| self.edit_of(string)))
    }

    fn edit_of(&self, string: &[usize]) -> f64 {
        let fewest = self.strings.iter().map(|other| hamming(string, other)).min();
        fewest.unwrap_or(0) as f64 / string.len() as f64
    }
}

/// Scores examples against the strings of a curve, on the CPU.
#[derive(Debug)]
pub struct CurveJudge {
    corners: StringJudge,
    /// At how many places each string has the symbol of the next one: ⟨h_p, h_{p+1}⟩.
    overlaps: Vec<f64>,
}

impl CurveJudge {
    /// Of strings `[N, width]`, numbers of symbols, of which no two neighbours (the last and the first are neighbours) are equal.
    #[must_use]
    pub fn new(strings: &Tensor) -> CurveJudge {
        let corners = StringJudge::new(strings);
        let strings = &corners.strings;
        let overlap = |a: &Vec<usize>, b: &Vec<usize>| (a.len() - hamming(a, b)) as f64;
        let next = strings.iter().cycle().skip(1);
        let overlaps = strings.iter().zip(next).map(|(string, next)| overlap(string, next)).collect();
        CurveJudge { corners, overlaps }
    }

    /// Scores interpolations `[n, steps, symbols, 1, width]` (any float kind, any device, any scale), n ≥ 1, steps ≥ 2.
    #[must_use]
    pub fn score(&self, examples: &Tensor) -> StringScores {
        let _guard = tch::no_grad_guard();
        let [interpolations, steps, symbols, _, width] = examples.size()[..] else {
            panic!("interpolations of strings have five dimensions")
        };
        let flat = examples.to_device(Device::Cpu).to_kind(Kind::Double).reshape([-1, symbols, 1, width]);
        let values = flat.transpose(1, 3).flatten(1, 3).contiguous(); // [n·steps, width·symbols]
        let values = Vec::<f64>::try_from(values.view(-1)).expect("a vector of f64");
        let nearest: Vec<Nearest> = values
            .chunks_exact((width * symbols) as usize)
            .map(|example| self.nearest(example, symbols as usize))
            .collect();
        let (steps, interpolations) = (steps as usize, interpolations as usize);
        let mut scored: Vec<f64> =
            nearest.chunks_exact(steps).filter_map(|way| self.smoothness(way)).collect();
        let edits: Vec<f64> =
            rows(&most_likely(&flat)).iter().map(|string| self.corners.edit_of(string)).collect();
        let between: Vec<f64> =
            edits.chunks_exact(steps).flat_map(|way| &way[1..steps - 1]).copied().collect();
        let valid = between.iter().filter(|edit| **edit == 0.0).count();
        StringScores {
            mean_distance: mean(nearest.iter().map(|nearest| 1.0 - nearest.similarity)),
            smoothness: (!scored.is_empty()).then(|| scored.iter().sum::<f64>() / interpolations as f64),
            median_smoothness: median(&mut scored),
            nan: interpolations - scored.len(),
            valid: 100.0 * valid as f64 / between.len() as f64,
            edit: mean(edits.iter().copied()),
        }
    }

    /// The point of the polygon in whose direction the example lies nearest, given its values place by place; the first of equal
    /// ones.
    ///
    /// The best point of the edge from h_p to h_{p+1} is c₁h_p + c₂h_{p+1} with (c₁, c₂) = [[L, w], [w, L]]⁻¹(a_p, a_{p+1}) for
    /// w = ⟨h_p, h_{p+1}⟩ and a_p = ⟨q, h_p⟩, or one of its ends, where a coefficient is negative.
    fn nearest(&self, example: &[f64], symbols: usize) -> Nearest {
        let along = |string: &Vec<usize>| -> f64 {
            string.iter().enumerate().map(|(place, symbol)| example[place * symbols + symbol]).sum()
        };
        let along: Vec<f64> = self.corners.strings.iter().map(along).collect();
        let norm = example.iter().map(|value| value * value).sum::<f64>().sqrt();
        let length = self.corners.strings[0].len() as f64;
        let mut best: Option<Nearest> = None;
        for (p, (&a, &w)) in along.iter().zip(&self.overlaps).enumerate() {
            let b = along[(p + 1) % along.len()];
            let determinant = length * length - w * w;
            let (c1, c2) = ((length * a - w * b) / determinant, (length * b - w * a) / determinant);
            let (similarity, share) = if c1 >= 0.0 && c2 >= 0.0 {
                ((a * c1 + b * c2).sqrt() / norm, c2 / (c1 + c2))
            } else {
                (a.max(b) / (length.sqrt() * norm), if b > a { 1.0 } else { 0.0 })
            };
            if similarity.is_finite() && best.is_none_or(|best| similarity > best.similarity) {
                best = Some(Nearest { similarity, position: p as f64 + share });
            }
        }
        best.unwrap_or(Nearest { similarity: f64::NAN, position: f64::NAN })
    }

    /// Of one interpolation; `None` if its ends have the same position, or an example has no direction.
    fn smoothness(&self, way: &[Nearest]) -> Option<f64> {
        let period = self.corners.strings.len() as f64;
        let steps = way.windows(2).map(|pair| match pair[1].position - pair[0].position {
            step if step > period / 2.0 => step - period,
            step if step < -period / 2.0 => step + period,
            step => step,
        });
        let whole = steps.clone().sum::<f64>().abs();
        let largest = steps.map(f64::abs).fold(0.0, f64::max);
        (whole >= NO_MOVEMENT).then(|| largest / whole - 1.0 / (way.len() - 1) as f64)
    }
}

fn hamming(a: &[usize], b: &[usize]) -> usize {
    a.iter().zip(b).filter(|(a, b)| a != b).count()
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len() as f64;
    values.sum::<f64>() / count
}

/// Between the two in the middle where their number is even.
fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        count if count % 2 == 1 => Some(values[middle]),
        _ => Some((values[middle - 1] + values[middle]) / 2.0),
    }
}

/// The rows of numbers of symbols `[n, width]`.
fn rows(strings: &Tensor) -> Vec<Vec<usize>> {
    let rows = Vec::<Vec<i64>>::try_from(strings.to_device(Device::Cpu)).expect("a matrix of i64");
    rows.into_iter().map(|row| row.into_iter().map(|symbol| symbol as usize).collect()).collect()
}
