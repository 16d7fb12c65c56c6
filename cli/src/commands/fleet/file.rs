//! A fleet's file.

use std::fs;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use serde::de::{Deserialize, Deserializer, Error};

use super::local::LocalFleet;
use super::ssh::SshFleet;

/// The shortest time for which a machine is worth being asked for: a worker claims nothing in its last two minutes.
const SHORTEST: Duration = Duration::from_secs(180);

/// Machines that train.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(super) enum Fleet {
    /// Jobs of Slurm.
    Slurm(SlurmFleet),
    /// Workers on this machine.
    Local(LocalFleet),
    /// Workers on machines that ssh reaches.
    Ssh(SshFleet),
}

/// Jobs of Slurm, each a worker.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SlurmFleet {
    /// Its jobs and workers have it in their names.
    #[serde(deserialize_with = "name")]
    pub(super) name: String,
    /// Jobs at a time, those that wait included.
    pub(super) max_workers: NonZeroU32,
    /// Jobs that wait in Slurm's queue at a time.
    #[serde(default = "two")]
    pub(super) pending: NonZeroU32,
    /// How long a job may last.
    #[serde(deserialize_with = "duration")]
    pub(super) time_limit: Duration,
    /// A worker without work ends after this long.
    #[serde(default = "five_minutes", deserialize_with = "duration")]
    pub(super) idle_timeout: Duration,
    /// Runs that a worker trains at a time, by which the jobs are counted that the queue needs.
    #[serde(default = "one")]
    pub(super) runs_per_worker: NonZeroU32,
    /// How often the queue and the demand are looked at.
    #[serde(default = "quarter_of_a_minute", deserialize_with = "duration")]
    pub(super) every: Duration,
    /// Folder of the workers' files and logs, on a file system of all machines; this fleet's alone.
    #[serde(default)]
    pub(super) folder: PathBuf,
    /// Access file of the workers, on a file system of all machines.
    #[serde(default)]
    pub(super) access: Option<PathBuf>,
    /// The program, as the machines find it.
    #[serde(default)]
    pub(super) acai: Option<PathBuf>,
    /// Options of sbatch.
    #[serde(default)]
    pub(super) sbatch: Vec<String>,
    /// Shell commands before the worker.
    #[serde(default)]
    pub(super) setup: String,
    /// Options of `acai worker`.
    #[serde(default)]
    pub(super) worker: Vec<String>,
}

fn one() -> NonZeroU32 {
    NonZeroU32::MIN
}

fn two() -> NonZeroU32 {
    NonZeroU32::MIN.saturating_add(1)
}

fn five_minutes() -> Duration {
    Duration::from_secs(300)
}

fn quarter_of_a_minute() -> Duration {
    Duration::from_secs(15)
}

/// Reads a fleet's file. Paths in it are relative to its folder.
pub(super) fn read(path: &Path) -> anyhow::Result<Fleet> {
    let shown = path.display();
    let text = fs::read_to_string(path).with_context(|| format!("cannot read the fleet's file `{shown}`"))?;
    let mut fleet: Fleet = serde_yaml::from_str(&text).with_context(|| format!("in `{shown}`"))?;
    let folder = std::path::absolute(path)?.parent().map(Path::to_owned).unwrap_or_default();
    let complete = match &mut fleet {
        Fleet::Slurm(slurm) => slurm.complete(&folder),
        Fleet::Local(local) => local.complete(&folder),
        Fleet::Ssh(ssh) => ssh.complete(&folder),
    };
    complete.with_context(|| format!("in `{shown}`"))?;
    Ok(fleet)
}

impl SlurmFleet {
    /// Makes paths absolute, and checks what types do not.
    fn complete(&mut self, folder: &Path) -> anyhow::Result<()> {
        ensure!(
            self.time_limit >= SHORTEST,
            "`time_limit` is too short: a worker claims nothing in its last two minutes, so it takes at least 3m"
        );
        ensure!(self.every >= Duration::from_secs(1), "`every` is at least 1s: Slurm is asked as often");
        self.folder = match self.folder.as_os_str().is_empty() {
            true => folder.join(format!("fleet-{}", self.name)),
            false => folder.join(&self.folder),
        };
        self.access = self.access.take().map(|access| folder.join(access));
        check_worker_options(&self.worker)
    }
}

/// Options of a worker that a fleet gives itself.
pub(super) fn check_worker_options(options: &[String]) -> anyhow::Result<()> {
    let taken = ["--access", "--coordinator", "--state", "--name", "--time-limit", "--idle-timeout"];
    let is_taken = |option: &&String| taken.iter().any(|taken| option.split('=').next() == Some(taken));
    match options.iter().find(is_taken) {
        Some(option) => bail!("`worker` has `{option}`, which the fleet says itself: it has keys for that"),
        None => Ok(()),
    }
}

/// Letters, digits and hyphens: a part of the names of jobs, workers and folders.
pub(super) fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let name = String::deserialize(deserializer)?;
    let is_plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    match (1..=32).contains(&name.len()) && name.chars().all(is_plain) && !name.starts_with('-') {
        true => Ok(name),
        false => Err(D::Error::custom(format!(
            "expected a name of up to 32 letters a-z, digits and hyphens, found `{name}`"
        ))),
    }
}

/// As `4h` or `90s`.
pub(super) fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    humantime::parse_duration(&text)
        .map_err(|error| D::Error::custom(format!("expected a time like 4h or 90s, found `{text}`: {error}")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    const GOOD: &str = "kind: slurm\nname: a100\nmax_workers: 20\ntime_limit: 4h\n";

    fn read_text(text: &str) -> anyhow::Result<Fleet> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fleet.yaml");
        fs::write(&path, text).unwrap();
        read(&path)
    }

    #[test]
    fn a_short_file_has_the_rest_by_default() {
        let Fleet::Slurm(fleet) = read_text(GOOD).unwrap() else { panic!("it is of Slurm") };
        assert_eq!(fleet.time_limit, Duration::from_secs(4 * 3600));
        assert_eq!((fleet.pending.get(), fleet.runs_per_worker.get()), (2, 1));
        assert!(fleet.folder.is_absolute() && fleet.folder.ends_with("fleet-a100"));
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_its_name() {
        for (text, expected) in [
            ("kind: pbs\n".to_owned(), "pbs"),
            (GOOD.replace("a100", "A 100"), "letters a-z"),
            ("kind: ssh\nname: lab\nhosts: [-oProxyCommand=x]\n".to_owned(), "no host"),
            ("kind: local\nname: here\nworkers: {}\n".to_owned(), "has none"),
            (GOOD.replace("4h", "4 parsecs"), "4 parsecs"),
            (GOOD.replace("4h", "2m"), "at least 3m"),
            (GOOD.replace("max_workers: 20", "max_workers: 0"), "nonzero"),
            (GOOD.replace("max_workers", "max_worker"), "max_worker"),
            (format!("{GOOD}worker: [--state=x]\n"), "--state=x"),
            (format!("{GOOD}every: 10ms\n"), "every"),
        ] {
            let error = format!("{:#}", read_text(&text).unwrap_err());
            assert!(error.contains(expected) && error.contains("fleet.yaml"), "{error}");
        }
    }
}
