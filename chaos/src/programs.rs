//! The programs under test.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::{env, fs};

use anyhow::{Context, ensure};
use tokio::process::Command;

/// Settings of the environment that would change what is tested.
const SETTINGS: [&str; 7] =
    ["ACAI_ACCESS", "ACAI_COORDINATOR", "ACAI_DATA", "ACAI_TRAINER", "HOME", "RUST_LOG", "XDG_CONFIG_HOME"];

/// Where they are.
#[derive(Debug, Clone)]
pub struct Programs {
    acai: PathBuf,
    trainer: PathBuf,
}

impl Programs {
    /// `acai` and `acai-trainer` in a folder.
    ///
    /// # Errors
    /// If they are not there.
    pub fn in_folder(folder: &Path) -> anyhow::Result<Self> {
        let program = |name: &str| {
            let path = folder.join(name);
            ensure!(
                path.is_file(),
                "`{}` is missing\nhint: build it with `cargo build -p acai-cli -p acai-trainer`, or say where it is with --programs DIR",
                path.display()
            );
            path.canonicalize().with_context(|| format!("cannot use `{}`", path.display()))
        };
        Ok(Programs { acai: program("acai")?, trainer: program("acai-trainer")? })
    }

    /// Those beside the running program, or beside the folder that cargo keeps tests in.
    ///
    /// # Errors
    /// If they are not there.
    pub fn beside_this_one() -> anyhow::Result<Self> {
        let this = env::current_exe().context("where is this program?")?;
        let folder = this.parent().context("this program is in no folder")?;
        Self::in_folder(if folder.ends_with("deps") { folder.parent().unwrap_or(folder) } else { folder })
    }

    /// `acai` with these arguments, killed when its [`tokio::process::Child`] is dropped.
    #[must_use]
    pub fn acai(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.acai);
        command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
        for setting in SETTINGS {
            command.env_remove(setting);
        }
        command
    }

    /// Writes a program into `folder` that is the trainer with one thread, however many its worker thinks it has:
    /// the threads of four trainers on few cores wait for each other most of the time. Bits depend on their
    /// number, so the undisturbed training uses it as well.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn single_threaded_trainer(&self, folder: &Path) -> anyhow::Result<PathBuf> {
        let path = folder.join("trainer");
        let trainer =
            self.trainer.to_str().context("the trainer's path is not UTF-8")?.replace('\'', r"'\''");
        fs::write(&path, format!("#!/bin/sh\nexec '{trainer}' serve --device cpu --threads 1\n"))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        path.canonicalize().context("cannot use the trainer")
    }

    /// What tells one build of the trainer from another, cheaply: its size and time.
    ///
    /// # Errors
    /// If it is not there any more.
    pub fn trainer_build(&self) -> anyhow::Result<String> {
        let metadata = fs::metadata(&self.trainer)?;
        Ok(format!("{} {:?}", metadata.len(), metadata.modified()?))
    }
}
