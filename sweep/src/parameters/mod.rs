//! The parameters that a sweep can set: one table, [`PARAMETERS`], from which sweep files,
//! configurations, digests and documentation are made. A new model is new rows. Beside the table there are own
//! parameters, which a sweep file declares for a trainer of one's own.

mod error;
mod own;
mod table;

use std::fmt;
use std::ops::{Bound, RangeBounds, RangeInclusive};

pub use error::ParameterError;
pub(crate) use own::{LONGEST_NAME, OwnParameter, is_own_name, is_taken};
pub use table::PARAMETERS;

use crate::scalar::Scalar;
use crate::spelling::{did_you_mean, listed, quoted};
use crate::training::Dataset;

/// A row of the table.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// Its name in sweep files, on the wire and in tables.
    pub name: &'static str,
    /// The values it takes.
    pub kind: Kind,
    /// Its value in a run that does not set it.
    pub default: DefaultValue,
    /// For a parameter that was added after the first release: the value that runs had in effect
    /// until then. Stored configurations without the parameter have this value, and at this value
    /// the parameter is in no digest, so that runs stay the runs that they were.
    pub before: Option<DefaultValue>,
    /// The models that use it.
    pub models: Models,
    /// The parameter without which it has no effect: where that one is zero, every value of this one trains the same.
    pub needs: Option<&'static str>,
    /// What runs trained as one group must have in common.
    pub sharing: Sharing,
    /// One line for people.
    pub doc: &'static str,
}

/// The values that a parameter takes. Displays as "a number from 0 to 1".
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// One of these words.
    Word(&'static [&'static str]),
    /// One of these words, which a sweep file declares.
    Choice(Vec<String>),
    /// A dataset's name.
    Dataset,
    /// An integer of this range.
    Int(RangeInclusive<i64>),
    /// A power of two of this range.
    PowerOfTwo(RangeInclusive<i64>),
    /// A finite number between these ends.
    Float(Bound<f64>, Bound<f64>),
}

/// Where a value comes from that is not set.
#[derive(Debug, Clone)]
pub enum DefaultValue {
    /// Nowhere: it must be set.
    Required,
    /// Always this.
    Int(i64),
    /// Always this.
    Float(f64),
    /// Always this.
    Word(&'static str),
    /// The paper's setting for the run's model.
    ByModel(fn(&str) -> f64),
    /// The paper's setting for the run's dataset.
    ByDataset(fn(&Dataset) -> Scalar),
    /// The value of another parameter, which stands before this one in the table.
    SameAs(&'static str),
}

/// The models that use a parameter.
#[derive(Debug, Clone)]
pub enum Models {
    /// All of them.
    All,
    /// These.
    Only(&'static [&'static str]),
}

/// What runs must have in common to be trained as one fused group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    /// The value: it fixes tensor shapes or the schedule.
    Equal,
    /// Whether the value is zero: zero leaves a whole network out.
    Zero,
    /// Nothing: each member has its own value.
    Free,
}

/// What other programs call a parameter, and the paper's authors.
const OTHER_NAMES: [(&str, &str); 4] =
    [("learning_rate", "lr"), ("batch_size", "batch"), ("advweight", "lambda"), ("reg", "gamma")];

impl Parameter {
    /// The row of this name.
    ///
    /// # Errors
    /// [`ParameterError::Unknown`] when there is none.
    pub fn find(name: &str) -> Result<&'static Parameter, ParameterError> {
        Self::find_in(PARAMETERS, name)
    }

    /// As [`find`](Self::find), in a table of one's own.
    pub(crate) fn find_in(
        table: &'static [Parameter],
        name: &str,
    ) -> Result<&'static Parameter, ParameterError> {
        table.iter().find(|parameter| parameter.name == name).ok_or_else(|| {
            let known_as = OTHER_NAMES.iter().find(|(other, _)| *other == name).map_or(name, |(_, own)| own);
            let hint = did_you_mean(known_as, table.iter().map(|parameter| parameter.name));
            ParameterError::Unknown { name: quoted(name), hint }
        })
    }

    /// Whether runs of this model have the parameter.
    #[must_use]
    pub fn is_used_by(&self, model: &str) -> bool {
        match self.models {
            Models::All => true,
            Models::Only(models) => models.contains(&model),
        }
    }

    /// The value in canonical form: a float parameter's integer becomes a float, -0.0 becomes 0.0.
    ///
    /// # Errors
    /// [`ParameterError::Value`] when the parameter does not take it.
    pub fn check(&self, value: &Scalar) -> Result<Scalar, ParameterError> {
        self.kind.check(self.name, value)
    }
}

impl Kind {
    /// The value in canonical form, for the parameter `name`; see [`Parameter::check`].
    pub(crate) fn check(&self, name: &str, value: &Scalar) -> Result<Scalar, ParameterError> {
        match (self, value) {
            (Kind::Word(words), Scalar::Word(word)) if words.contains(&word.as_str()) => Ok(value.clone()),
            (Kind::Choice(words), Scalar::Word(word)) if words.contains(word) => Ok(value.clone()),
            (Kind::Dataset, Scalar::Word(word)) if Dataset::from_name(word).is_some() => Ok(value.clone()),
            (Kind::Int(range), Scalar::Int(int)) if range.contains(int) => Ok(value.clone()),
            (Kind::PowerOfTwo(range), Scalar::Int(int)) if range.contains(int) && int.count_ones() == 1 => {
                Ok(value.clone())
            }
            (&Kind::Float(min, max), &Scalar::Float(float))
                if float.is_finite() && (min, max).contains(&float) =>
            {
                Ok(Scalar::Float(float + 0.0)) // -0.0 + 0.0 is 0.0
            }
            (&Kind::Float(min, max), &Scalar::Int(int)) if (min, max).contains(&(int as f64)) => {
                Ok(Scalar::Float(int as f64))
            }
            (Kind::Word(words), Scalar::Word(word)) => {
                Err(self.refuse(name, quoted(word), did_you_mean(word, words.iter().copied())))
            }
            (Kind::Choice(words), Scalar::Word(word)) => {
                Err(self.refuse(name, quoted(word), did_you_mean(word, words.iter().map(String::as_str))))
            }
            (Kind::Dataset, Scalar::Word(word)) => {
                let hint = did_you_mean(word, Dataset::NAMED.iter().map(Dataset::name));
                Err(self.refuse(name, quoted(word), hint))
            }
            (_, Scalar::Word(word)) => Err(self.refuse(name, format!("the word {}", quoted(word)), None)),
            (_, number) if self.takes_words() => {
                Err(self.refuse(name, format!("the number `{number}`"), None))
            }
            (_, number) => Err(self.refuse(name, format!("`{number}`"), None)),
        }
    }

    /// Whether the values are words, and not numbers.
    pub(crate) fn takes_words(&self) -> bool {
        matches!(self, Kind::Word(_) | Kind::Choice(_) | Kind::Dataset)
    }

    /// The error for a value that the parameter `name` does not take; `found` says what it is.
    pub(crate) fn refuse(&self, name: &str, found: String, hint: Option<String>) -> ParameterError {
        ParameterError::Value { name: name.to_owned(), expected: self.to_string(), found, hint }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::Word(words) => write!(f, "one of {}", listed(words.iter().copied())),
            Kind::Choice(words) => write!(f, "one of {}", listed(words.iter().map(String::as_str))),
            Kind::Dataset => {
                let names = listed(Dataset::NAMED.iter().map(Dataset::name));
                write!(
                    f,
                    "one of {names}, or `images:PATH` for a folder of pictures, `curve:PATH` or `text:PATH` for a file of strings"
                )
            }
            Kind::Int(range) => match (*range.start(), *range.end()) {
                (i64::MIN, i64::MAX) => f.write_str("an integer"),
                (min, i64::MAX) => write!(f, "an integer of at least {min}"),
                (i64::MIN, max) => write!(f, "an integer of at most {max}"),
                (min, max) => write!(f, "an integer from {min} to {max}"),
            },
            Kind::PowerOfTwo(range) => write!(f, "a power of two from {} to {}", range.start(), range.end()),
            Kind::Float(Bound::Included(min), Bound::Included(max)) => {
                write!(f, "a number from {min} to {max}")
            }
            Kind::Float(Bound::Unbounded, Bound::Included(max)) => write!(f, "a number of at most {max}"),
            Kind::Float(min, max) => {
                f.write_str("a number")?;
                match min {
                    Bound::Included(min) => write!(f, " of at least {min}")?,
                    Bound::Excluded(min) => write!(f, " above {min}")?,
                    Bound::Unbounded => {}
                }
                match max {
                    Bound::Included(max) => write!(f, " and at most {max}"),
                    Bound::Excluded(max) => write!(f, " and below {max}"),
                    Bound::Unbounded => Ok(()),
                }
            }
        }
    }
}
