//! Numbers as a figure shows them.

use std::fmt::Write;

/// `digits` × 10^`exponent`, exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Decimal {
    pub(crate) digits: i64,
    pub(crate) exponent: i32,
}

impl Decimal {
    /// The nearest number of the computer; infinite beyond its largest.
    pub(crate) fn value(self) -> f64 {
        format!("{}e{}", self.digits, self.exponent).parse().unwrap_or(f64::INFINITY)
    }

    /// In units of 10^`factor`: `25` × 10^-1 is `2.5`, and `2500` when the factor is -3.
    pub(crate) fn fixed(self, factor: i32) -> String {
        let sign = if self.digits < 0 { "−" } else { "" };
        let digits = self.digits.unsigned_abs().to_string();
        let exponent = self.exponent.saturating_sub(factor);
        if self.digits == 0 && exponent >= 0 {
            return "0".to_owned();
        }
        let places = exponent.unsigned_abs() as usize;
        if exponent >= 0 {
            return format!("{sign}{digits}{}", "0".repeat(places));
        }
        let digits = format!("{digits:0>width$}", width = places + 1);
        let (whole, fraction) = digits.split_at(digits.len() - places);
        format!("{sign}{whole}.{fraction}")
    }

    /// As `10⁻⁴` or `2×10⁻⁴`.
    pub(crate) fn power(self) -> String {
        scientific(&self.digits.to_string(), self.exponent)
    }
}

/// The power of ten that is taken out of numbers up to this size, so that none has many digits: 0, or a multiple of 3.
pub(crate) fn factor(largest: f64) -> i32 {
    let largest = largest.abs();
    if largest == 0.0 || !largest.is_finite() || (0.01..1e5).contains(&largest) {
        return 0;
    }
    power_of_ten(largest).div_euclid(3) * 3
}

/// The power of ten of the first digit; not below -300, since numbers of the computer have few digits left there.
pub(crate) fn power_of_ten(value: f64) -> i32 {
    if value == 0.0 || !value.is_finite() { 0 } else { value.abs().log10().floor().max(-300.0) as i32 }
}

/// `value` in units of 10^`factor`.
pub(crate) fn in_units(value: f64, factor: i32) -> f64 {
    value / Decimal { digits: 1, exponent: factor }.value()
}

/// `×10⁻³`.
pub(crate) fn times_power_of_ten(exponent: i32) -> String {
    format!("×10{}", superscript(exponent))
}

/// The shortest text that means this number, as `0.25` or `2×10⁻⁷`. Always as a power of ten if `powers`.
pub(crate) fn shortest(value: f64, powers: bool) -> String {
    if !value.is_finite() {
        return value.to_string();
    }
    let text = format!("{value:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if powers && value != 0.0 || is_long(value) {
        return scientific(digits, exponent);
    }
    minus(&value.to_string())
}

/// Whether a number is written as a power of ten.
pub(crate) fn is_long(value: f64) -> bool {
    value != 0.0 && !(1e-4..1e6).contains(&value.abs())
}

/// A mean and what follows ±, with two significant digits of the latter; without it four of the mean.
pub(crate) fn mean_and_spread(mean: f64, spread: Option<f64>) -> (String, Option<String>) {
    let decimals = |of: f64, digits: i32| {
        if of == 0.0 {
            return 2;
        }
        (digits - 1 - power_of_ten(of)).clamp(0, 7) as usize
    };
    let spread = spread.filter(|spread| spread.is_finite());
    let places = match spread {
        Some(spread) if spread != 0.0 => decimals(spread, 2),
        _ => decimals(mean, 4),
    };
    (fixed(mean, places), spread.map(|spread| fixed(spread, places)))
}

/// A mean and what follows ±, if that is known, as figures write them: `0.240 ± 0.010`, or `(2.4 ± 0.1)×10⁻⁷`.
#[must_use]
pub fn figure(mean: f64, spread: Option<f64>) -> String {
    if !mean.is_finite() {
        return mean.to_string();
    }
    let spread = spread.filter(|spread| spread.is_finite());
    if !is_long(mean) {
        return match mean_and_spread(mean, spread) {
            (mean, None) => mean,
            (mean, Some(spread)) => format!("{mean} ± {spread}"),
        };
    }
    let units = power_of_ten(mean);
    let (power, mean) = (times_power_of_ten(units), fixed(in_units(mean, units), 1));
    match spread.map(|spread| in_units(spread, units)).filter(|spread| spread.abs() < 1e6) {
        None => format!("{mean}{power}"),
        Some(spread) => format!("({mean} ± {}){power}", fixed(spread, 1)),
    }
}

/// With so many digits after the point.
pub(crate) fn fixed(value: f64, places: usize) -> String {
    minus(&format!("{value:.places$}"))
}

fn scientific(digits: &str, exponent: i32) -> String {
    match digits {
        "1" => format!("10{}", superscript(exponent)),
        "-1" => format!("−10{}", superscript(exponent)),
        _ => format!("{}×10{}", minus(digits), superscript(exponent)),
    }
}

/// With the sign that is as wide as a plus.
fn minus(text: &str) -> String {
    text.replacen('-', "−", 1)
}

fn superscript(exponent: i32) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let mut text = String::new();
    for character in exponent.to_string().chars() {
        let _ = match character.to_digit(10) {
            Some(digit) => write!(text, "{}", DIGITS[digit as usize]),
            None => write!(text, "⁻"),
        };
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_is_written_without_errors_of_binary_fractions() {
        let tenths = |digits| Decimal { digits, exponent: -1 };
        assert_eq!([3, -5, 0].map(|digits| tenths(digits).fixed(0)), ["0.3", "−0.5", "0.0"]);
        assert_eq!(tenths(3).value(), 0.3);
        assert_eq!(Decimal { digits: 25, exponent: 2 }.fixed(0), "2500");
        assert_eq!(Decimal { digits: 25, exponent: -5 }.fixed(-3), "0.25");
    }

    #[test]
    fn numbers_with_many_digits_become_powers_of_ten() {
        assert_eq!(shortest(0.25, false), "0.25");
        assert_eq!(shortest(1e-5, false), "10⁻⁵");
        assert_eq!(shortest(-2.5e300, false), "−2.5×10³⁰⁰");
        assert_eq!(shortest(0.001, true), "10⁻³");
        assert_eq!(shortest(0.0, true), "0");
    }

    #[test]
    fn a_common_factor_is_taken_out_of_small_and_large_numbers_only() {
        assert_eq!([0.0, 0.25, 0.0052, 99_999.0, 250_000.0, 1e-300].map(factor), [0, 0, -3, 0, 3, -300]);
        assert!((in_units(0.0052, -3) - 5.2).abs() < 1e-12);
    }

    #[test]
    fn a_figure_is_written_with_a_power_of_ten_where_it_is_long() {
        assert_eq!(figure(0.003_912_3, Some(0.000_214)), "0.00391 ± 0.00021");
        assert_eq!(figure(2.4e-7, Some(1e-8)), "(2.4 ± 0.1)×10⁻⁷");
        assert_eq!(figure(98.254, None), "98.25");
        assert_eq!(figure(f64::NAN, Some(1.0)), "NaN");
    }

    #[test]
    fn a_mean_has_the_digits_that_its_spread_makes_meaningful() {
        let text = |mean, spread| mean_and_spread(mean, spread);
        assert_eq!(text(0.003_912_3, Some(0.000_214)), ("0.00391".to_owned(), Some("0.00021".to_owned())));
        assert_eq!(text(-98.254, Some(1.26)), ("−98.3".to_owned(), Some("1.3".to_owned())));
        assert_eq!(text(0.003_912_3, None), ("0.003912".to_owned(), None));
    }
}
