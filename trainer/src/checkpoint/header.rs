//! What a checkpoint says of itself.

use acai_sweep::configuration::{Configuration, ConfigurationError};
use acai_sweep::training::TrainingConfig;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::score::Recent;

/// The format that is written. It stays readable in all later versions; 1 and 2 were never released.
pub(super) const FORMAT: u64 = 3;

/// Key of the header's JSON in the file's metadata. There is one key only, so that equal states give
/// files of equal bytes. Key, place and `format` are the same in all formats, so that each version tells
/// what it cannot read from what is damaged.
pub(super) const METADATA_KEY: &str = "acai-checkpoint";

/// Which run a checkpoint is of. A run resumes only from its own, or from one that differs in length alone.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Identity {
    /// Key of the run's random numbers.
    pub seed: u64,
    /// What it trains.
    pub config: TrainingConfig,
}

/// How far a run is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Optimizer steps done.
    pub step: u64,
    /// Scores of its last evaluations.
    pub recent: Recent,
}

/// A checkpoint's description, beside its tensors.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Header {
    /// Version of the file format.
    pub format: u64,
    /// The run.
    #[serde(flatten)]
    pub identity: Identity,
    /// How far it is.
    #[serde(flatten)]
    pub progress: Progress,
    /// SHA-256 of this header without it, and of the tensors' names and bytes.
    pub sha256: String,
    /// Program and libtorch that wrote it.
    pub built_by: String,
}

impl Header {
    pub(super) fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a header has string keys and finite numbers")
    }

    /// Reads what [`to_json`](Self::to_json) of this or an earlier version wrote: a parameter that it lacks has the value
    /// that runs had in effect before there was such a parameter.
    pub(super) fn from_json(text: &str) -> Result<Header, ConfigurationError> {
        #[derive(Deserialize)]
        struct Stored {
            format: u64,
            seed: u64,
            config: Value,
            #[serde(flatten)]
            progress: Progress,
            sha256: String,
            built_by: String,
        }

        let Stored { format, seed, config, progress, sha256, built_by } = serde_json::from_str(text)?;
        let config = Configuration::from_json(&config.to_string())?.training_config();
        Ok(Header { format, identity: Identity { seed, config }, progress, sha256, built_by })
    }
}

impl Identity {
    /// The first setting that differs between two runs, in words.
    pub(super) fn difference(&self, other: &Identity) -> Option<String> {
        if self == other {
            return None;
        }
        let (theirs, ours) = (other.settings(), self.settings());
        let setting = |settings: &Map<String, Value>, name: &str| {
            settings.get(name).map_or("not set".to_owned(), |value| format!("`{value}`"))
        };
        let names = ours.keys().chain(theirs.keys());
        let mut differing = names.filter(|name| ours.get(*name) != theirs.get(*name));
        differing.next().map(|name| {
            format!("`{name}` is {} there and {} here", setting(&theirs, name), setting(&ours, name))
        })
    }

    fn settings(&self) -> Map<String, Value> {
        let Ok(Value::Object(mut settings)) = serde_json::to_value(&self.config) else {
            unreachable!("a configuration is a JSON object")
        };
        settings.insert("seed".into(), self.seed.into());
        settings
    }
}
