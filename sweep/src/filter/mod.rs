//! Conditions on runs, as people write them: `lambda > 0 and dataset in (lines32, digits32)`.
//!
//! ```text
//! any       = all { "or" all }
//! all       = one { "and" one }
//! one       = "not" one | "(" any ")" | field test
//! test      = ("=" | "!=" | "<" | "<=" | ">" | ">=") value | ["not"] "in" "(" value { "," value } ")"
//! value     = number | word | "'" text "'" | '"' text '"'
//! ```
//!
//! Fields are parameters, `seed`, `state` and `number`. A run that does not have a field, as a baseline has no `lambda`,
//! passes no test of it, not even `!=`; `not lambda = 0` does hold for such a run.

mod mistake;
mod nothing;
mod parser;
mod token;

use std::cmp::Ordering;
use std::ops::Range;

pub use mistake::FilterError;

use crate::scalar::Scalar;

/// Number of a run in its sweep.
pub const NUMBER: &str = "number";
/// State of a run.
pub const STATE: &str = "state";

/// A condition on runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    text: String,
    root: Node,
}

/// What a run has for a field.
pub trait Fields {
    /// The value; `None` if the run has no such field.
    fn field(&self, name: &str) -> Option<Scalar>;
}

impl<F: Fn(&str) -> Option<Scalar>> Fields for F {
    fn field(&self, name: &str) -> Option<Scalar> {
        self(name)
    }
}

/// A part of a condition.
#[derive(Debug, Clone, PartialEq)]
struct Node {
    condition: Condition,
    /// Bytes of the text.
    span: Range<usize>,
}

#[derive(Debug, Clone, PartialEq)]
enum Condition {
    Any(Vec<Node>),
    All(Vec<Node>),
    Not(Box<Node>),
    Test { field: String, test: Test },
}

/// A test of a field's value.
#[derive(Debug, Clone, PartialEq)]
enum Test {
    Compare(Comparator, Scalar),
    In(Vec<Scalar>),
    NotIn(Vec<Scalar>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparator {
    Equal,
    Unequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

impl Filter {
    /// The condition that a text says; `own` are parameters that a sweep file declares.
    ///
    /// # Errors
    /// [`FilterError`], which shows where the text makes no sense.
    pub fn parse(text: &str, own: &[String]) -> Result<Filter, FilterError> {
        parser::parse(text, own).map(|root| Filter { text: text.to_owned(), root })
    }

    /// Whether it holds for a run.
    #[must_use]
    pub fn matches(&self, run: &dyn Fields) -> bool {
        self.root.matches(run)
    }
}

impl Node {
    fn matches(&self, run: &dyn Fields) -> bool {
        match &self.condition {
            Condition::Any(parts) => parts.iter().any(|part| part.matches(run)),
            Condition::All(parts) => parts.iter().all(|part| part.matches(run)),
            Condition::Not(part) => !part.matches(run),
            Condition::Test { field, test } => run.field(field).is_some_and(|value| test.holds(&value)),
        }
    }
}

impl Test {
    fn holds(&self, value: &Scalar) -> bool {
        let is_one_of =
            |values: &[Scalar]| values.iter().any(|other| order(value, other) == Some(Ordering::Equal));
        match self {
            Test::In(values) => is_one_of(values),
            Test::NotIn(values) => !is_one_of(values),
            Test::Compare(comparator, other) => {
                let order = order(value, other);
                match comparator {
                    Comparator::Equal => order == Some(Ordering::Equal),
                    Comparator::Unequal => order != Some(Ordering::Equal),
                    Comparator::Less => order == Some(Ordering::Less),
                    Comparator::AtMost => order.is_some_and(Ordering::is_le),
                    Comparator::Greater => order == Some(Ordering::Greater),
                    Comparator::AtLeast => order.is_some_and(Ordering::is_ge),
                }
            }
        }
    }
}

/// The order of numbers, and the equality of words; a number and a word do not compare.
fn order(a: &Scalar, b: &Scalar) -> Option<Ordering> {
    match (a, b) {
        (Scalar::Int(a), Scalar::Int(b)) => Some(a.cmp(b)),
        (Scalar::Word(a), Scalar::Word(b)) => Some(a.cmp(b)),
        (Scalar::Int(a), Scalar::Float(b)) => (*a as f64).partial_cmp(b),
        (Scalar::Float(a), Scalar::Int(b)) => a.partial_cmp(&(*b as f64)),
        (Scalar::Float(a), Scalar::Float(b)) => a.partial_cmp(b),
        (Scalar::Word(_), _) | (_, Scalar::Word(_)) => None,
    }
}
