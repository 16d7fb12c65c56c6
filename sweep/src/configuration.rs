//! A run's resolved configuration: every parameter that its model uses, in canonical form.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::ops::Bound;

use serde::{Serialize, Serializer};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::parameters::{DefaultValue, Kind, PARAMETERS, Parameter, ParameterError, Sharing, is_own_name};
use crate::scalar::Scalar;
use crate::spelling::quoted;
use crate::training::{Dataset, TrainingConfig};

/// What a run trains, without its seed: a value for each parameter that its model uses, and for no
/// other, in the order of [`PARAMETERS`]. Equal configurations train the same thing.
///
/// With them go the values of own parameters, which no table knows: a sweep file declares them for a trainer of one's own.
///
/// Serializes as a flat object, `{"model":"acai","dataset":"lines32","lambda":0.5,…,"own.my_param":1.5}`. To versions
/// that know of no own parameters, such an object has an unknown parameter.
#[derive(Debug, Clone)]
pub struct Configuration {
    values: Vec<(&'static Parameter, Scalar)>,
    own: BTreeMap<String, Scalar>,
}

/// What stands before the name of an own parameter where it could be taken for one of the table. No name in the table has
/// a point.
const OWN: &str = "own.";

impl PartialEq for Configuration {
    fn eq(&self, other: &Self) -> bool {
        self.of_table().eq(other.of_table()) && self.own == other.own
    }
}

impl Configuration {
    /// The configuration with these values and defaults for what is not named.
    ///
    /// # Errors
    /// Names the parameter that is unknown, out of range, repeated, missing or not used by the model.
    pub fn new<N: AsRef<str>>(pairs: impl IntoIterator<Item = (N, Scalar)>) -> Result<Self, ParameterError> {
        Self::new_with(PARAMETERS, pairs)
    }

    /// As [`new`](Self::new), with a table of one's own, as a later version may have it.
    ///
    /// # Errors
    /// Those of [`new`](Self::new).
    pub fn new_with<N: AsRef<str>>(
        table: &'static [Parameter],
        pairs: impl IntoIterator<Item = (N, Scalar)>,
    ) -> Result<Self, ParameterError> {
        Self::check_and_fill(table, pairs, by_default)
    }

    /// A configuration that was resolved before, by this or an earlier version: nothing is filled in
    /// but [what earlier runs had in effect](Parameter::before).
    ///
    /// # Errors
    /// Those of [`new`](Self::new); a later version's parameter is unknown.
    pub fn resolved<N: AsRef<str>>(
        pairs: impl IntoIterator<Item = (N, Scalar)>,
    ) -> Result<Self, ParameterError> {
        Self::check_and_fill(PARAMETERS, pairs, before)
    }

    /// Reads what [`to_json`](Self::to_json) of this or an earlier version wrote.
    ///
    /// # Errors
    /// Text that is no flat JSON object, and all errors of [`resolved`](Self::resolved).
    pub fn from_json(text: &str) -> Result<Self, ConfigurationError> {
        Self::from_json_with(PARAMETERS, text)
    }

    /// As [`from_json`](Self::from_json), with a table of one's own.
    ///
    /// # Errors
    /// Those of [`from_json`](Self::from_json).
    pub fn from_json_with(table: &'static [Parameter], text: &str) -> Result<Self, ConfigurationError> {
        let values: BTreeMap<String, Scalar> = serde_json::from_str(text)?;
        let (own, values): (BTreeMap<_, _>, BTreeMap<_, _>) =
            values.into_iter().partition(|(name, _)| name.starts_with(OWN));
        let own = own.into_iter().map(|(name, value)| (name[OWN.len()..].to_owned(), value));
        Ok(Self::check_and_fill(table, values, before)?.with_own(own)?)
    }

    /// The configuration with these own parameters. Which values each takes is known only to the sweep file.
    ///
    /// # Errors
    /// [`ParameterError`] for a name that no own parameter can have, one that comes twice, and a number that is not
    /// finite.
    pub fn with_own(
        mut self,
        own: impl IntoIterator<Item = (String, Scalar)>,
    ) -> Result<Self, ParameterError> {
        for (name, value) in own {
            if !is_own_name(&name) {
                return Err(ParameterError::Unknown { name: quoted(&name), hint: None });
            }
            if let Scalar::Float(float) = value
                && !float.is_finite()
            {
                let anything = Kind::Float(Bound::Unbounded, Bound::Unbounded);
                return Err(anything.refuse(&name, format!("`{value}`"), None));
            }
            if self.own.insert(name.clone(), value).is_some() {
                return Err(ParameterError::Repeated { name });
            }
        }
        Ok(self)
    }

    /// The configuration as a flat JSON object.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("names are text, and values are finite")
    }

    /// Completes checked values with defaults; those that the model does not use are left out.
    pub(crate) fn resolve<'v>(set: impl Fn(&str) -> Option<&'v Scalar>) -> Result<Self, ParameterError> {
        Self::fill(PARAMETERS, set, by_default)
    }

    fn check_and_fill<N: AsRef<str>>(
        table: &'static [Parameter],
        pairs: impl IntoIterator<Item = (N, Scalar)>,
        absent: Absent,
    ) -> Result<Self, ParameterError> {
        let mut set = BTreeMap::new();
        for (name, value) in pairs {
            let parameter = Parameter::find_in(table, name.as_ref())?;
            if set.insert(parameter.name, parameter.check(&value)?).is_some() {
                return Err(ParameterError::Repeated { name: parameter.name.to_owned() });
            }
        }
        let configuration = Self::fill(table, |name| set.get(name), absent)?;
        match set.into_keys().find(|name| configuration.get(name).is_none()) {
            Some(name) => {
                let model = configuration.word("model").to_owned();
                Err(ParameterError::Unused { name: name.to_owned(), model })
            }
            None => Ok(configuration),
        }
    }

    fn fill<'v>(
        table: &'static [Parameter],
        set: impl Fn(&str) -> Option<&'v Scalar>,
        absent: Absent,
    ) -> Result<Self, ParameterError> {
        let mut filled = Configuration { values: Vec::with_capacity(table.len()), own: BTreeMap::new() };
        for parameter in table {
            // `model` is the first row, and every model uses it.
            if filled.values.is_empty() || parameter.is_used_by(filled.word("model")) {
                let value = match (set(parameter.name), absent(parameter)) {
                    (Some(value), _) => value.clone(),
                    (None, Some(absent)) => filled.evaluate(parameter, absent)?,
                    (None, None) => return Err(missing(parameter)),
                };
                filled.values.push((parameter, value));
            }
        }
        filled.check_strings()?;
        Ok(filled)
    }

    /// Refuses what is only for images where the dataset is of strings.
    fn check_strings(&self) -> Result<(), ParameterError> {
        let dataset = self.word("dataset");
        if !Dataset::from_name(dataset).is_some_and(|dataset| dataset.is_strings()) {
            return Ok(());
        }
        let refuse = |what: String, reason| {
            Err(ParameterError::NotForStrings { what, dataset: dataset.to_owned(), reason })
        };
        match (self.word("model"), self.get("noise")) {
            (model @ ("aae" | "vqvae"), _) => refuse(
                format!("model `{model}`"),
                "nobody has tried how its codes would have to be learnt for them",
            ),
            (model @ "pixels", _) => {
                refuse(format!("model `{model}`"), "it classifies, and strings have no labels")
            }
            (_, Some(&Scalar::Float(noise))) if noise > 1.0 => refuse(
                format!("`noise: {noise}`"),
                "it is the share of characters that are replaced, at most 1",
            ),
            _ => Ok(()),
        }
    }

    /// What `value` is for `parameter`, given the parameters before it.
    fn evaluate(&self, parameter: &Parameter, value: &DefaultValue) -> Result<Scalar, ParameterError> {
        match *value {
            DefaultValue::Required => Err(missing(parameter)),
            DefaultValue::Int(value) => Ok(Scalar::Int(value)),
            DefaultValue::Float(value) => Ok(Scalar::Float(value)),
            DefaultValue::Word(word) => Ok(Scalar::from(word)),
            DefaultValue::ByModel(value_for) => Ok(Scalar::Float(value_for(self.word("model")))),
            DefaultValue::ByDataset(value_for) => {
                let dataset = &Dataset::from_name(self.word("dataset")).ok_or_else(|| missing(parameter))?;
                Ok(value_for(dataset))
            }
            DefaultValue::SameAs(name) => self.get(name).cloned().ok_or_else(|| missing(parameter)),
        }
    }

    /// The value of a parameter; `None` when the model does not use it.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Scalar> {
        self.iter().find(|(own, _)| *own == name).map(|(_, value)| value)
    }

    /// Names and values, in the order of [`PARAMETERS`], and then the own ones.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Scalar)> {
        let of_table = self.of_table().map(|(name, value)| -> (&str, &Scalar) { (name, value) });
        of_table.chain(self.own.iter().map(|(name, value)| (name.as_str(), value)))
    }

    /// Names and values without the own ones, in the order of [`PARAMETERS`].
    pub fn of_table(&self) -> impl Iterator<Item = (&'static str, &Scalar)> {
        self.values.iter().map(|(parameter, value)| (parameter.name, value))
    }

    /// Own parameters.
    #[must_use]
    pub fn own(&self) -> &BTreeMap<String, Scalar> {
        &self.own
    }

    /// Own parameters, under names that no parameter of the table has.
    fn marked_own(&self) -> impl Iterator<Item = (String, &Scalar)> {
        self.own.iter().map(|(name, value)| (format!("{OWN}{name}"), value))
    }

    /// Parameters and values that digests are made of: without those that are as they were
    /// [before](Parameter::before) there was such a parameter.
    fn telling(&self) -> impl Iterator<Item = (&'static Parameter, &Scalar)> {
        let is_as_before = |parameter: &Parameter, value: &Scalar| {
            let before = parameter.before.as_ref().map(|before| self.evaluate(parameter, before));
            before.is_some_and(|before| before.as_ref() == Ok(value))
        };
        let values = self.values.iter().map(|(parameter, value)| (*parameter, value));
        values.filter(move |(parameter, value)| !is_as_before(parameter, value))
    }

    fn word(&self, name: &str) -> &str {
        match self.get(name) {
            Some(Scalar::Word(word)) => word,
            _ => "",
        }
    }

    /// Whether the value of `parameter` changes what is trained.
    fn takes_effect(&self, parameter: &Parameter) -> bool {
        let needed = parameter.needs.and_then(|name| self.get(name));
        !needed.is_some_and(Scalar::is_zero)
    }

    /// The configuration as the trainer takes it, without own parameters.
    #[must_use]
    pub fn training_config(&self) -> TrainingConfig {
        let fields =
            self.of_table().map(|(name, value)| (name.to_owned(), serde_json::json!(value))).collect();
        serde_json::from_value(Value::Object(fields))
            .expect("the table has a row for each field, within the field's range (tested for every model)")
    }

    /// Digest of the whole configuration (SHA-256, 64 hex digits): what identifies a run, together
    /// with its seed. Depends neither on the order of [`PARAMETERS`] nor on what is added to them.
    #[must_use]
    pub fn config_hash(&self) -> String {
        let values = self.telling().map(|(parameter, value)| (parameter.name, value.canonical()));
        self.digest("acai configuration 1", values)
    }

    /// Digest of the parameters that take effect (SHA-256, 64 hex digits): configurations that share it train the
    /// same. A run is not identified by this digest, but by its [`config_hash`](Self::config_hash).
    #[must_use]
    pub fn training_digest(&self) -> String {
        let effective = self.telling().filter(|(parameter, _)| self.takes_effect(parameter));
        self.digest(
            "acai training 1",
            effective.map(|(parameter, value)| (parameter.name, value.canonical())),
        )
    }

    /// Digest of what fixes tensor shapes and schedule (SHA-256, 64 hex digits): runs that share it
    /// can be trained as one fused program.
    #[must_use]
    pub fn shape_key(&self) -> String {
        self.digest("acai shape 1", self.shape())
    }

    /// Digest of what decides how long an image takes to train on, and how much is stored: the shape without the length of
    /// the training (SHA-256, 64 hex digits).
    #[must_use]
    pub fn size_key(&self) -> String {
        self.digest("acai size 1", self.shape().filter(|(name, _)| *name != "total_kimg"))
    }

    /// Digest of all but the length of the training (SHA-256, 64 hex digits): runs that share it and the seed are the same up
    /// to the end of the shorter. None if there are own parameters: what a trainer of one's own does with the length, nobody
    /// knows here.
    #[must_use]
    pub fn lineage(&self) -> Option<String> {
        let values = self.telling().filter(|(parameter, _)| parameter.name != "total_kimg");
        let values = values.map(|(parameter, value)| (parameter.name, value.canonical()));
        self.own.is_empty().then(|| self.digest("acai lineage 1", values))
    }

    fn shape(&self) -> impl Iterator<Item = (&'static str, String)> {
        self.telling().filter_map(|(parameter, value)| {
            let shared = match parameter.sharing {
                Sharing::Equal => value.canonical(),
                Sharing::Zero if value.is_zero() => "zero".to_owned(),
                Sharing::Zero => "nonzero".to_owned(),
                Sharing::Free => return None,
            };
            Some((parameter.name, shared))
        })
    }

    /// The digest of `values` and of all own parameters: of what these do nothing is known here.
    fn digest(&self, domain: &str, values: impl Iterator<Item = (&'static str, String)>) -> String {
        let values = values.map(|(name, value)| (name.to_owned(), value));
        let own = self.marked_own().map(|(name, value)| (name, value.canonical()));
        digest(domain, values.chain(own))
    }
}

/// Where the value of a parameter comes from that is not given; from nowhere: that is an error.
type Absent = fn(&'static Parameter) -> Option<&'static DefaultValue>;

fn by_default(parameter: &'static Parameter) -> Option<&'static DefaultValue> {
    Some(&parameter.default)
}

fn before(parameter: &'static Parameter) -> Option<&'static DefaultValue> {
    parameter.before.as_ref()
}

fn missing(parameter: &Parameter) -> ParameterError {
    ParameterError::Missing { name: parameter.name.to_owned(), expected: parameter.kind.to_string() }
}

/// SHA-256 of `domain`, then `name=value` lines sorted by name.
fn digest(domain: &str, values: impl Iterator<Item = (String, String)>) -> String {
    let sorted: BTreeMap<_, _> = values.collect();
    let mut hasher = Sha256::new();
    hasher.update(format!("{domain}\n"));
    for (name, value) in sorted {
        hasher.update(format!("{name}={value}\n"));
    }
    hasher.finalize().iter().fold(String::with_capacity(64), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("a string takes any text");
        hex
    })
}

impl Serialize for Configuration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let of_table = self.of_table().map(|(name, value)| (name.to_owned(), value));
        serializer.collect_map(of_table.chain(self.marked_own()))
    }
}

/// The trainer's form, checked: it may come from a command line.
impl TryFrom<&TrainingConfig> for Configuration {
    type Error = ConfigurationError;

    fn try_from(config: &TrainingConfig) -> Result<Self, Self::Error> {
        let fields: BTreeMap<String, Scalar> = serde_json::from_value(serde_json::to_value(config)?)?;
        Ok(Self::new(fields)?)
    }
}

/// Text or a trainer's configuration that is no configuration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigurationError {
    /// Not a flat JSON object of numbers and words.
    #[error("a configuration is a flat object of numbers and words")]
    Format(#[from] serde_json::Error),
    /// A parameter is wrong.
    #[error(transparent)]
    Parameter(#[from] ParameterError),
}
