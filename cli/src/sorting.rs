//! Rows in the order of a column.

use std::cmp::Ordering;

use acai_sweep::spelling::did_you_mean;
use anyhow::bail;

/// A column, and which end comes first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sorting {
    pub(crate) column: String,
    is_descending: bool,
}

/// What rows are compared by.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Key {
    Number(f64),
    Word(String),
}

impl From<String> for Key {
    fn from(text: String) -> Key {
        text.parse().map_or(Key::Word(text), Key::Number)
    }
}

impl Sorting {
    /// `lambda`, or `-lambda` for the largest first; `reverse` turns that around.
    pub(crate) fn new(word: &str, reverse: bool) -> Sorting {
        let (column, is_descending) = word.strip_prefix('-').map_or((word, false), |column| (column, true));
        Sorting { column: column.to_owned(), is_descending: is_descending != reverse }
    }

    /// Refuses a column that is none of `known`.
    pub(crate) fn check<'c>(&self, known: impl Iterator<Item = &'c str> + Clone) -> anyhow::Result<()> {
        if known.clone().any(|name| name == self.column) {
            return Ok(());
        }
        let hint = did_you_mean(&self.column, known.clone())
            .unwrap_or_else(|| format!("rows are sorted by any of {}", known.collect::<Vec<_>>().join(", ")));
        bail!("there is no column `{}` to sort by\nhint: {hint}", self.column)
    }

    /// Rows without a value come last, in the order in which they are.
    pub(crate) fn sort<R>(&self, rows: &mut [R], key: impl Fn(&R) -> Option<Key>) {
        rows.sort_by(|a, b| match (key(a), key(b)) {
            (Some(a), Some(b)) if self.is_descending => b.order(&a),
            (Some(a), Some(b)) => a.order(&b),
            (a, b) => b.is_some().cmp(&a.is_some()),
        });
    }
}

impl Key {
    /// Numbers before words.
    pub(crate) fn order(&self, other: &Key) -> Ordering {
        match (self, other) {
            (Key::Number(a), Key::Number(b)) => a.total_cmp(b),
            (Key::Word(a), Key::Word(b)) => a.cmp(b),
            (Key::Number(_), Key::Word(_)) => Ordering::Less,
            (Key::Word(_), Key::Number(_)) => Ordering::Greater,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_sorted_as_numbers_or_words_and_rows_without_a_value_are_last_either_way() {
        let sorted = |word: &str, reverse, values: &[&str]| {
            let mut values: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
            Sorting::new(word, reverse)
                .sort(&mut values, |value| (!value.is_empty()).then(|| Key::from(value.clone())));
            values.join(" ")
        };
        assert_eq!(sorted("x", false, &["10", "", "9", "b", "a"]), "9 10 a b ");
        assert_eq!(sorted("-x", false, &["10", "", "9"]), "10 9 ");
        assert_eq!(sorted("-x", true, &["10", "", "9"]), "9 10 ");
    }

    #[test]
    fn an_unknown_column_is_answered_with_the_nearest_or_with_all() {
        let check = |word: &str| Sorting::new(word, false).check(["lambda", "seed"].into_iter());
        assert!(check("-lambda").is_ok());
        assert!(check("lamda").unwrap_err().to_string().contains("did you mean `lambda`?"));
        assert!(check("zzz").unwrap_err().to_string().contains("by any of lambda, seed"));
    }
}
