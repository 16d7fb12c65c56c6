//! The script of a job: it becomes a worker.

use std::path::Path;

use crate::commands::fleet::file::SlurmFleet;
use crate::commands::fleet::quoted::quoted;

/// Before the end of a job its worker is told to end; its own time limit comes first, as a rule. Slurm may be a minute early.
const WARNING_S: u32 = 30;

/// A job begins no earlier than this.
const BEGIN_S: u32 = 5;

/// What the jobs of a fleet are made of.
#[derive(Debug)]
pub(super) struct Template {
    /// What they are called.
    pub(super) name: String,
    pub(super) options: Vec<String>,
    pub(super) script: String,
}

impl Template {
    /// Of a fleet that trains for this database. Neither the options nor the script have a secret: the worker reads its
    /// access file.
    pub(super) fn new(fleet: &SlurmFleet, database: &str, acai: &Path, access: &Path) -> Template {
        let name = format!("acai-{}-{}", fleet.name, database.get(..8).unwrap_or(database));
        let minutes = fleet.time_limit.as_secs().div_ceil(60);
        let log = fleet.logs().join("%j.log");
        let own = [
            format!("--job-name={name}"),
            "--nodes=1".to_owned(),
            "--ntasks=1".to_owned(),
            // By then every loop of the fleet has seen the job, and one that is too many is cancelled.
            format!("--begin=now+{BEGIN_S}"),
            // A job that Slurm starts again would be one more than was asked for.
            "--no-requeue".to_owned(),
            "--open-mode=append".to_owned(),
            format!("--signal=B:TERM@{WARNING_S}"),
            format!("--time={minutes}"),
            format!("--output={}", log.display()),
        ];
        Template {
            options: fleet.sbatch.iter().cloned().chain(own).collect(),
            script: script(fleet, acai, access),
            name,
        }
    }

    /// What the coordinator knows the worker of a job by.
    pub(super) fn worker(&self, job: &str) -> String {
        format!("{}-{job}", self.name)
    }
}

fn script(fleet: &SlurmFleet, acai: &Path, access: &Path) -> String {
    let (limit, idle) = (fleet.time_limit.as_secs(), fleet.idle_timeout.as_secs_f64());
    let options: String = fleet.worker.iter().map(|option| format!(" {}", quoted(option))).collect();
    let path = |path: &Path| quoted(&path.display().to_string());
    format!(
        "#!/bin/bash
# A worker of the fleet {name}, submitted by `acai fleet up`.
set -e
{setup}
exec {acai} worker --access {access} --name \"$SLURM_JOB_NAME-$SLURM_JOB_ID\" \\
    --state {states}/\"$SLURM_JOB_ID\" --time-limit \"$(({limit} - SECONDS))s\" --idle-timeout {idle}{options}
",
        name = fleet.name,
        setup = fleet.setup.trim_end(),
        acai = path(acai),
        access = path(access),
        states = path(&fleet.states()),
    )
}
