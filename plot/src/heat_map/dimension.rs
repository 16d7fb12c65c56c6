//! The values of a parameter along one side of a heat map.

use std::collections::HashMap;

use acai_sweep::scalar::Scalar;

use crate::number::{is_long, shortest};

/// A place for each value: numbers by size, and words, or numbers among words, in the order in which they come.
#[derive(Debug)]
pub struct Dimension {
    values: Values,
    /// Of the values, in their order.
    pub(crate) names: Vec<String>,
    pub(crate) spacing: Spacing,
}

/// What cells of equal width are, for the values at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spacing {
    /// An axis of numbers: they have equal differences.
    Linear,
    /// A log axis: the numbers have equal ratios.
    Log,
    /// No axis of numbers: each value has to be read.
    Categorical,
}

#[derive(Debug)]
enum Values {
    Numbers(Vec<f64>),
    Words(HashMap<String, usize>),
}

impl Dimension {
    /// Of the values that there are, each as often as it comes.
    #[must_use]
    pub fn of<'a>(values: impl Iterator<Item = &'a Scalar> + Clone) -> Dimension {
        match values.clone().map(number).collect::<Option<Vec<f64>>>() {
            Some(numbers) => Dimension::of_numbers(numbers),
            None => Dimension::of_words(values),
        }
    }

    fn of_numbers(mut numbers: Vec<f64>) -> Dimension {
        numbers.sort_by(f64::total_cmp);
        numbers.dedup_by(|one, other| one.total_cmp(other).is_eq());
        let spacing = spacing(&numbers);
        let powers = spacing == Spacing::Log && numbers.iter().any(|&number| is_long(number));
        let names = numbers.iter().map(|&number| shortest(number, powers)).collect();
        Dimension { values: Values::Numbers(numbers), names, spacing }
    }

    fn of_words<'a>(values: impl Iterator<Item = &'a Scalar>) -> Dimension {
        let mut names: Vec<String> = Vec::new();
        let mut places = HashMap::new();
        for value in values {
            let name = value.to_string();
            places.entry(name.clone()).or_insert_with(|| {
                names.push(name);
                names.len() - 1
            });
        }
        Dimension { values: Values::Words(places), names, spacing: Spacing::Categorical }
    }

    /// The parameter's name, and that the axis is a log one if it is.
    pub(crate) fn axis_name(&self, parameter: &str) -> String {
        match self.spacing {
            Spacing::Log => format!("{parameter} (log scale)"),
            Spacing::Linear | Spacing::Categorical => parameter.to_owned(),
        }
    }

    /// Names of the values, in their order.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether the values are numbers, which are in the order of their size.
    #[must_use]
    pub fn are_numbers(&self) -> bool {
        matches!(self.values, Values::Numbers(_))
    }

    /// Counted from 0; `None` for a value that is not one of this parameter's.
    #[must_use]
    pub fn place(&self, value: &Scalar) -> Option<usize> {
        match &self.values {
            Values::Numbers(numbers) => {
                let wanted = number(value)?;
                numbers.binary_search_by(|number| number.total_cmp(&wanted)).ok()
            }
            Values::Words(places) => places.get(&value.to_string()).copied(),
        }
    }
}

fn number(value: &Scalar) -> Option<f64> {
    match value {
        Scalar::Int(value) => Some(*value as f64),
        // The sum makes one zero of two.
        Scalar::Float(value) => Some(*value + 0.0),
        Scalar::Word(_) => None,
    }
}

fn spacing(numbers: &[f64]) -> Spacing {
    if has_equal_steps(numbers) {
        return Spacing::Linear;
    }
    let logarithms: Vec<f64> = numbers.iter().map(|number| number.log10()).collect();
    if has_equal_steps(&logarithms) { Spacing::Log } else { Spacing::Categorical }
}

/// Whether three numbers or more differ from equal steps by rounding alone, as the logarithms of 1, 3, 10 and 30 do.
fn has_equal_steps(numbers: &[f64]) -> bool {
    let [first, .., last] = *numbers else { return false };
    let mean = (last - first) / (numbers.len() - 1) as f64;
    numbers.len() > 2 && numbers.windows(2).all(|pair| ((pair[1] - pair[0]) / mean - 1.0).abs() < 0.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[Scalar]) -> Dimension {
        Dimension::of(values.iter())
    }

    #[test]
    fn numbers_are_sorted_and_words_keep_their_order() {
        let numbers = of(&[0.5.into(), Scalar::Int(0), Scalar::Float(-0.0), 0.1.into()]);
        assert_eq!(numbers.names, ["0", "0.1", "0.5"]);
        assert_eq!(numbers.place(&Scalar::Float(0.0)), Some(0));
        let words = of(&["vae".into(), "acai".into(), "vae".into()]);
        assert_eq!((words.names.len(), words.place(&"acai".into())), (2, Some(1)));
    }

    #[test]
    fn equal_differences_make_a_linear_axis_and_equal_ratios_a_log_axis() {
        let spacing =
            |values: &[f64]| of(&values.iter().copied().map(Scalar::Float).collect::<Vec<_>>()).spacing;
        assert_eq!(spacing(&[0.0, 0.1, 0.2, 0.3]), Spacing::Linear);
        assert_eq!(spacing(&[1e-4, 3e-4, 1e-3, 3e-3]), Spacing::Log);
        assert_eq!(spacing(&[0.0, 0.1, 0.25, 0.5, 1.0]), Spacing::Categorical);
        assert_eq!(spacing(&[0.1, 0.5]), Spacing::Categorical, "two values have any spacing");
        assert_eq!(of(&[1e-5.into(), 1e-4.into(), 1e-3.into()]).names, ["10⁻⁵", "10⁻⁴", "10⁻³"]);
    }
}
