//! `~/.config/acai/config.toml`: what a person does not want to say with each command.

use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Command;
use serde::de::{Deserialize, Deserializer, Error};

use crate::args::Answering;
use crate::args::environment::variable;
use crate::user_folder;

/// Values of options that are not given, neither at the command line nor in the environment.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Who answers: an address, an access file or a state folder.
    #[serde(default, deserialize_with = "coordinator")]
    coordinator: Option<String>,
    /// Folder of the datasets.
    #[serde(default, deserialize_with = "absolute")]
    data: Option<PathBuf>,
    /// The trainer program.
    #[serde(default, deserialize_with = "absolute")]
    trainer: Option<PathBuf>,
}

impl Settings {
    /// The user's settings; none where there is no such file.
    pub(crate) fn read() -> anyhow::Result<Settings> {
        match user_folder::file("config.toml") {
            Some(path) => Self::read_from(&path),
            None => Ok(Settings::default()),
        }
    }

    fn read_from(path: &Path) -> anyhow::Result<Settings> {
        match fs::read_to_string(path) {
            Ok(text) => toml::from_str(&text).with_context(|| format!("in `{}`", path.display())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Settings::default()),
            Err(error) => Err(error).with_context(|| format!("cannot read `{}`", path.display())),
        }
    }

    /// The command with these settings as defaults of its options.
    pub(crate) fn as_defaults_of(&self, command: Command) -> Command {
        // An access file that the environment names comes first.
        let coordinator = self.coordinator.as_ref().filter(|_| variable("ACAI_ACCESS").is_none());
        let values = [
            ("coordinator", coordinator.map(OsString::from)),
            ("data", self.data.as_ref().map(OsString::from)),
            ("trainer", self.trainer.as_ref().map(OsString::from)),
        ];
        let values = values.into_iter().filter_map(|(option, value)| Some((option, value?)));
        values.fold(command, |command, (option, value)| with_default(command, option, &value))
    }
}

/// The command, each option of this name with another default, also in what is below the command.
fn with_default(command: Command, option: &str, value: &OsString) -> Command {
    let has_option = command.get_arguments().any(|argument| argument.get_id() == option);
    let command = command.mut_subcommands(|below| with_default(below, option, value));
    match has_option {
        true => command.mut_arg(option, |argument| argument.default_value(value.clone())),
        false => command,
    }
}

/// A path that means the same wherever a command is given.
fn absolute<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PathBuf>, D::Error> {
    let path = PathBuf::deserialize(deserializer)?;
    match path.is_absolute() {
        true => Ok(Some(path)),
        false => {
            Err(D::Error::custom(format!("expected a path that begins with `/`, found `{}`", path.display())))
        }
    }
}

fn coordinator<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(deserializer)?;
    match text.parse::<Answering>() {
        Ok(Answering::Place(path)) if !path.is_absolute() => Err(D::Error::custom(format!(
            "expected an address, or a path that begins with `/`, found `{text}`"
        ))),
        Ok(_) => Ok(Some(text)),
        Err(mistake) => Err(D::Error::custom(mistake)),
    }
}
