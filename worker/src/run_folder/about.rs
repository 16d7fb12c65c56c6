//! What a run's folder says of the run, for people and for whoever looks for the folder.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use acai_proto::v1::{Assignment, Parameter, parameter};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::layout::ABOUT;
use crate::machine::durable::replace;

/// Contents of `run.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct About {
    pub(super) sweep: String,
    /// The run's number in its sweep: people call the run `SWEEP/NUMBER`.
    pub(super) number: u32,
    /// The run's number in the coordinator's database.
    pub(super) id: u64,
    seed: u64,
    configuration: Map<String, Value>,
}

impl About {
    pub(super) fn new(assignment: &Assignment, id: u64) -> About {
        let entry = |Parameter { name, value, .. }: &Parameter| {
            let value = match value {
                Some(parameter::Value::Integer(integer)) => Value::from(*integer),
                Some(parameter::Value::Number(number)) => Value::from(*number),
                Some(parameter::Value::Word(word)) => Value::from(word.as_str()),
                None => Value::Null,
            };
            (name.clone(), value)
        };
        About {
            sweep: assignment.sweep.clone(),
            number: assignment.number,
            id,
            seed: assignment.seed,
            configuration: assignment.configuration.iter().map(entry).collect(),
        }
    }

    /// What the run's folder `root` says; none where it says nothing that can be read, as folders of earlier versions.
    pub(super) fn read(root: &Path) -> io::Result<Option<About>> {
        match fs::read(root.join(ABOUT)) {
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
            bytes => Ok(serde_json::from_slice(&bytes?).ok()),
        }
    }

    /// Has the run's folder `root` say this.
    pub(super) fn write(&self, root: &Path) -> io::Result<()> {
        if About::read(root)?.as_ref() == Some(self) {
            return Ok(());
        }
        replace(&root.join(ABOUT), &serde_json::to_vec_pretty(self)?)
    }
}
