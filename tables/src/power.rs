//! Numbers with a power of ten, `1.1e-14`, as LaTeX sets them.

/// A spread that is more powers of ten below its mean, or above it, has one of its own.
const FURTHEST: u32 = 5;

/// The text of a number, `1.1 \times 10^{-14}` or `10^{-6}`; `None` where it is no number with a power of ten.
pub(crate) fn number(text: &str) -> Option<String> {
    let (digits, power) = split(text)?;
    Some(match digits {
        "1" => format!("10^{{{power}}}"),
        "-1" => format!("-10^{{{power}}}"),
        digits => format!("{digits} \\times 10^{{{power}}}"),
    })
}

/// A mean and what stands after ±, `(3.2 \pm 1.5) \times 10^{-8}`; `None` where neither has a power of ten.
pub(crate) fn figure(mean: &str, spread: &str) -> Option<String> {
    let (of_mean, of_spread) = (split(mean), split(spread));
    let power = match (of_mean, of_spread) {
        (None, None) => return None,
        // A zero has any power.
        (Some((_, power)), None) if is_zero(spread) => power,
        (None, Some((_, power))) if is_zero(mean) => power,
        (of_mean, of_spread) => {
            let power = |of: Option<(&str, i32)>| of.map_or(0, |(_, power)| power);
            power(of_mean).max(power(of_spread))
        }
    };
    let in_power = |text: &str, of: Option<(&str, i32)>| {
        if is_zero(text) {
            return Some(text.to_owned());
        }
        let (digits, own) = of.unwrap_or((text, 0));
        let by = u32::try_from(power - own).ok().filter(|by| *by <= FURTHEST)?;
        Some(smaller(digits, by as usize))
    };
    Some(match (in_power(mean, of_mean), in_power(spread, of_spread)) {
        (Some(mean), Some(spread)) if power != 0 => {
            format!("({mean} \\pm {spread}) \\times 10^{{{power}}}")
        }
        (Some(mean), Some(spread)) => format!("{mean} \\pm {spread}"),
        _ => {
            let alone = |text: &str| number(text).unwrap_or_else(|| text.to_owned());
            format!("{} \\pm {}", alone(mean), alone(spread))
        }
    })
}

/// Digits and power of ten; `None` of a word, or of a number without one.
fn split(text: &str) -> Option<(&str, i32)> {
    let (digits, power) = text.split_once('e')?;
    digits.parse().ok().filter(|number: &f64| number.is_finite())?;
    Some((digits, power.parse().ok()?))
}

fn is_zero(text: &str) -> bool {
    text.parse() == Ok(0.0)
}

/// The number with its point moved by so many places, digit for digit.
fn smaller(digits: &str, by: usize) -> String {
    if by == 0 {
        return digits.to_owned();
    }
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let decimals = fraction.len() + by;
    let all = format!("{:0>width$}", format!("{whole}{fraction}"), width = decimals + 1);
    let (whole, fraction) = all.split_at(all.len() - decimals);
    format!("{sign}{whole}.{fraction}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_and_its_spread_share_a_power_where_that_reads_well() {
        for (mean, spread, expected) in [
            ("3.2e-8", "1.5e-8", "(3.2 \\pm 1.5) \\times 10^{-8}"),
            ("1.100e-14", "5.0e-16", "(1.100 \\pm 0.050) \\times 10^{-14}"),
            ("-1e-9", "3.0e-8", "(-0.1 \\pm 3.0) \\times 10^{-8}"),
            ("0", "3.0e-8", "(0 \\pm 3.0) \\times 10^{-8}"),
            ("8.630e-7", "0", "(8.630 \\pm 0) \\times 10^{-7}"),
            ("1.1000000e9", "5.0", "1.1000000 \\times 10^{9} \\pm 5.0"),
            ("5", "1.0e8", "5 \\pm 1.0 \\times 10^{8}"),
            ("5", "1.0e-2", "5 \\pm 0.010"),
        ] {
            assert_eq!(figure(mean, spread).unwrap(), expected);
        }
        assert_eq!(figure("0.24", "0.01"), None);
    }

    #[test]
    fn only_numbers_with_a_power_are_set_otherwise_than_they_are_written() {
        assert_eq!(number("1.1e-14").unwrap(), "1.1 \\times 10^{-14}");
        assert_eq!(number("-1e7").unwrap(), "-10^{7}");
        for text in ["0.24", "vae", "inf", "infe3", "e3", "1e", ""] {
            assert_eq!(number(text), None, "{text}");
        }
    }
}
