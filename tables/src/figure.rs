//! Figures with as many digits as say something.

use std::str::FromStr;

use acai_sweep::scalar::Scalar;

/// Numbers below this are written with powers of ten.
const SMALLEST: f64 = 1e-5;

/// Numbers from this on as well.
const LARGEST: f64 = 1e7;

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
    if needs_power(largest) {
        let digits = match spread {
            Some(spread) if spread != 0.0 && mean != 0.0 => power_of_ten(mean)
                .saturating_sub(power_of_ten(spread))
                .saturating_add(significant)
                .clamp(1, significant + 6),
            _ => alone,
        };
        return (with_power(mean, digits), spread.map(|spread| with_power(spread, significant)));
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

/// Whether a number is written with a power of ten.
fn needs_power(number: f64) -> bool {
    let size = number.abs();
    size.is_finite() && size != 0.0 && !(SMALLEST..LARGEST).contains(&size)
}

/// The power of ten of a number's first digit.
pub(crate) fn power_of_ten(number: f64) -> i32 {
    let text = format!("{number:e}");
    text.split_once('e').and_then(|(_, power)| power.parse().ok()).unwrap_or_default()
}

/// `1.1e-14`, with so many digits.
fn with_power(number: f64, digits: i32) -> String {
    if number == 0.0 {
        return "0".to_owned();
    }
    let decimals = usize::try_from(digits - 1).unwrap_or_default();
    let text = format!("{number:.decimals$e}");
    text.strip_suffix("e0").unwrap_or(&text).to_owned()
}

/// A number with all its digits, and with no more zeros than people can count.
#[must_use]
pub fn number(number: f64) -> String {
    if needs_power(number) { format!("{number:e}") } else { number.to_string() }
}

/// A parameter's value, without the point that tells a number from a count.
#[must_use]
pub fn value(value: &Scalar) -> String {
    match value {
        Scalar::Float(it) => number(*it),
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
        assert_eq!(figure(0.000_001_26, Some(0.000_000_3), "sig=1"), pair("1.3e-6", "3e-7"));
        for wrong in ["2", "sig=0", "sig=16", "dec=-1", "digits=2"] {
            assert!(wrong.parse::<Digits>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn very_small_and_very_large_figures_have_powers_of_ten() {
        let figure = |mean, spread| match figure(mean, spread, Digits::Significant(2)) {
            (mean, None) => mean,
            (mean, Some(spread)) => format!("{mean} ± {spread}"),
        };
        assert_eq!(figure(1.1e-14, Some(5e-16)), "1.100e-14 ± 5.0e-16");
        assert_eq!(figure(1e-9, Some(3e-8)), "1e-9 ± 3.0e-8");
        assert_eq!(figure(0.0, Some(3e-8)), "0 ± 3.0e-8");
        assert_eq!(figure(1.05e9, Some(3e6)), "1.0500e9 ± 3.0e6");
        assert_eq!(figure(1.05e9, Some(3.0)), "1.0500000e9 ± 3.0");
        assert_eq!(figure(1e308, None), "1.000e308");
        assert_eq!(figure(9_999_999.0, Some(120.0)), "9999999 ± 120");
        assert_eq!(figure(f64::NAN, Some(f64::INFINITY)), "NaN ± inf");
    }

    #[test]
    fn numbers_with_all_their_digits_have_powers_of_ten_as_well() {
        let texts = [0.0, 1e-5, 1e-6, -1.25e-7, 9_999_999.0, 1.05e9, 1e308, 3.0].map(number);
        assert_eq!(texts, ["0", "0.00001", "1e-6", "-1.25e-7", "9999999", "1.05e9", "1e308", "3"]);
        assert_eq!(value(&Scalar::Float(1e300)), "1e300");
        assert_eq!(value(&Scalar::Int(1_050_000_000)), "1050000000");
    }
}
