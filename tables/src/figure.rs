//! Figures with as many digits as say something.

use std::str::FromStr;

use acai_sweep::scalar::Scalar;

/// Means and deviations below this are written with powers of ten.
const SMALLEST: f64 = 1e-5;

/// How many digits figures have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Digits {
    /// Significant ones of what stands after ±.
    Significant(u8),
    /// After the point.
    Decimals(u8),
}

impl FromStr for Digits {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = |text: &str, from: u8| text.parse().ok().filter(|number| (from..=15).contains(number));
        let digits = match text.split_once('=') {
            Some(("sig", digits)) => number(digits, 1).map(Digits::Significant),
            Some(("dec", digits)) => number(digits, 0).map(Digits::Decimals),
            _ => None,
        };
        digits.ok_or("it is neither sig=N, with 1 to 15 digits, nor dec=N, with 0 to 15")
    }
}

/// A mean and what stands after ±, with as many digits as the latter makes meaningful.
#[must_use]
pub fn figure(mean: f64, spread: Option<f64>, digits: Digits) -> (String, Option<String>) {
    let significant = match digits {
        Digits::Decimals(decimals) => {
            let fixed = |value: f64| format!("{value:.*}", usize::from(decimals));
            return (fixed(mean), spread.map(fixed));
        }
        Digits::Significant(digits) => i32::from(digits),
    };
    let alone = significant + 2;
    let largest = mean.abs().max(spread.unwrap_or(0.0).abs());
    if largest > 0.0 && largest < SMALLEST {
        let digits = if spread.is_some() { significant } else { alone };
        let power = |value: f64| format!("{value:.*e}", (digits - 1) as usize);
        return (power(mean), spread.map(power));
    }
    let decimals = |of: f64, digits: i32| -> usize {
        if of == 0.0 {
            return 2;
        }
        let leading = of.abs().log10().floor() as i32;
        (digits - 1 - leading).clamp(0, significant + 5) as usize
    };
    let decimals = match spread {
        Some(spread) if spread != 0.0 => decimals(spread, significant),
        _ => decimals(mean, alone),
    };
    let fixed = |value: f64| format!("{value:.decimals$}");
    (fixed(mean), spread.map(fixed))
}

/// A parameter's value, without the point that tells a number from a count.
#[must_use]
pub fn value(value: &Scalar) -> String {
    match value {
        Scalar::Float(number) => number.to_string(),
        value => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_as_they_are_asked_for() {
        let figure = |mean, spread, digits: &str| figure(mean, spread, digits.parse().unwrap());
        let pair = |mean: &str, spread: &str| (mean.to_owned(), Some(spread.to_owned()));
        assert_eq!(figure(1.23456, Some(0.01234), "sig=1"), pair("1.23", "0.01"));
        assert_eq!(figure(1.23456, Some(0.01234), "sig=4"), pair("1.23456", "0.01234"));
        assert_eq!(figure(1.23456, Some(0.01234), "dec=1"), pair("1.2", "0.0"));
        assert_eq!(figure(1.23456, None, "sig=1").0, "1.23");
        assert_eq!(figure(0.000_001_26, Some(0.000_000_3), "sig=1"), pair("1e-6", "3e-7"));
        for wrong in ["2", "sig=0", "sig=16", "dec=-1", "digits=2"] {
            assert!(wrong.parse::<Digits>().is_err(), "{wrong}");
        }
    }
}
