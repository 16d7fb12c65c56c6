//! What a few values say of all that there could be.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// The share of intervals that hold what they are about.
const CONFIDENCE: f64 = 0.95;

/// What stands after ± beside a mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spread {
    /// Standard deviation of the values at hand (divided by n), as in the paper's tables.
    Population,
    /// Standard deviation of all values that there could be (divided by n − 1).
    Sample,
    /// Of the mean: the sample's standard deviation by √n.
    StandardError,
    /// Half of the mean's 95 % interval, by Student's t with n − 1 degrees of freedom.
    Confidence95,
}

impl Spread {
    /// Of `n` values whose population standard deviation is `std`; `None` where that says nothing: of one value, and for an
    /// interval of two, which would be nine times as wide as their deviation.
    #[must_use]
    pub fn of(self, n: u32, std: f64) -> Option<f64> {
        let count = f64::from(n);
        let sample = || std * (count / (count - 1.0)).sqrt();
        match self {
            _ if n < 2 => None,
            Spread::Population => Some(std),
            Spread::Sample => Some(sample()),
            Spread::StandardError => Some(sample() / count.sqrt()),
            Spread::Confidence95 if n < 3 => None,
            Spread::Confidence95 => Some(t_quantile(n - 1)? * sample() / count.sqrt()),
        }
    }

    /// For headings and captions.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Spread::Population => "population standard deviation",
            Spread::Sample => "sample standard deviation",
            Spread::StandardError => "standard error of the mean",
            Spread::Confidence95 => "95 % confidence (t)",
        }
    }
}

/// How many standard errors the 95 % interval of a mean spans to each side; `None` without degrees of freedom.
#[must_use]
pub fn t_quantile(degrees_of_freedom: u32) -> Option<f64> {
    let t = StudentsT::new(0.0, 1.0, f64::from(degrees_of_freedom)).ok()?;
    Some(t.inverse_cdf(0.5 + CONFIDENCE / 2.0))
}

/// How probable a mean this far from 0, or farther, is if the values are of a normal distribution around 0: two-sided, by
/// Student's t, of `n` values whose population standard deviation is `std`. `None` for fewer than three values, of which it
/// would say nothing, and where they do not deviate.
#[must_use]
pub fn p_value(n: u32, mean: f64, std: f64) -> Option<f64> {
    if n < 3 || std == 0.0 {
        return None;
    }
    let degrees = f64::from(n - 1);
    // The standard error is the sample's deviation by √n, and that the population's by √(n − 1).
    let t = mean / (std / degrees.sqrt());
    let distribution = StudentsT::new(0.0, 1.0, degrees).ok()?;
    Some(2.0 * distribution.cdf(-t.abs()))
}

/// p-values of several questions that are asked at once, by Holm's method: each is as large as it must be for the chance of
/// any mistake among all of them to stay what one alone says. In the order given; `None` is no question.
#[must_use]
pub fn holm(p_values: &[Option<f64>]) -> Vec<Option<f64>> {
    let mut asked: Vec<(usize, f64)> =
        p_values.iter().enumerate().filter_map(|(place, p)| Some((place, (*p)?))).collect();
    asked.sort_by(|(_, a), (_, b)| a.total_cmp(b));
    let mut adjusted = vec![None; p_values.len()];
    let mut largest = 0.0f64;
    for (rank, &(place, p)) in asked.iter().enumerate() {
        largest = largest.max(p * (asked.len() - rank) as f64).min(1.0);
        adjusted[place] = Some(largest);
    }
    adjusted
}

/// Mean and population standard deviation; `None` of no values.
#[must_use]
pub fn mean_and_std(values: &[f64]) -> Option<(f64, f64)> {
    if values.is_empty() {
        return None;
    }
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
    Some((mean, variance.sqrt()))
}
