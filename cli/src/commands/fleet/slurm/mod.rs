//! Fleets of Slurm's jobs, each a worker.
//!
//! [`commands`] are Slurm's own, [`script`] is what a job does, [`steps`] says what brings the queue to what the demand asks
//! for, [`failures`] when to wait; [`keeper`] goes around. There is no state but Slurm's queue: a loop that is killed leaves
//! jobs that end by themselves when there is nothing to do, and the next loop, on whatever host, goes on from the queue.

mod commands;
mod failures;
mod keeper;
mod script;
mod steps;

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File};
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;

use acai_access::{AccessFile, Scope};
use anyhow::{Context, anyhow, bail};
use rustix::fs::{FlockOperation, flock};

use super::demand::{Demand, demand};
use super::file::SlurmFleet;
use super::metrics::Metrics;
use super::way;
use crate::args::{Coordinator, UpArguments};
use crate::client::answering;
use crate::failure::Failure;
use crate::grid::Grid;
use crate::output::Output;
use crate::signals::Shutdown;
use crate::{log, observing};
use commands::{Job, Stage};
use keeper::Keeper;
use script::Template;

impl SlurmFleet {
    fn logs(&self) -> PathBuf {
        self.folder.join("logs")
    }

    fn log(&self, job: &str) -> PathBuf {
        self.logs().join(format!("{job}.log"))
    }

    /// Folders of the workers' files, by their jobs.
    fn states(&self) -> PathBuf {
        self.folder.join("states")
    }

    /// Says why the fleet is paused, while it is.
    fn paused(&self) -> PathBuf {
        self.folder.join("paused")
    }

    /// Makes the folders, for the user alone; of one loop at a time, as long as the file that is answered is open.
    fn take_folder(&self) -> anyhow::Result<File> {
        for folder in [self.logs(), self.states()] {
            let made = DirBuilder::new().recursive(true).mode(0o700).create(&folder);
            made.with_context(|| format!("cannot make the folder `{}`", folder.display()))?;
        }
        let path = self.folder.join("lock");
        let lock = File::options().create(true).append(true).open(&path);
        let lock = lock.with_context(|| format!("cannot open `{}`", path.display()))?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(lock),
            Err(rustix::io::Errno::WOULDBLOCK) => bail!(
                "another `acai fleet up` keeps the fleet {} in `{}`\nhint: end that one first, or name another `folder`",
                self.name,
                self.folder.display()
            ),
            // Two loops do no harm, as both see the same queue.
            Err(_) => Ok(lock),
        }
    }
}

/// A fleet with all that its jobs need.
struct Prepared {
    access: AccessFile,
    template: Template,
}

/// Finds the coordinator and what jobs are made of.
async fn prepare(fleet: &SlurmFleet, at: &Coordinator) -> Result<Prepared, Failure> {
    let access = answering(at).await?;
    let Demand { database, .. } = demand(&access, "").await?;
    let (path, of_workers) = way::of_workers(at, fleet.access.as_deref())?;
    let allowed = of_workers.token.as_ref().is_none_or(|token| token.scope().allows(Scope::Worker));
    if !allowed {
        return Err(anyhow!(
            "`{}` does not let workers in\nhint: `acai access create --scope worker --name fleet-{} -o FILE` makes a file that does; name it as `access` in the fleet's file",
            path.display(),
            fleet.name
        )
        .into());
    }
    let acai = match &fleet.acai {
        Some(acai) => acai.clone(),
        None => std::env::current_exe().context("cannot tell where this program is")?,
    };
    Ok(Prepared { access, template: Template::new(fleet, &database, &acai, &path) })
}

/// `acai fleet up`
pub(super) async fn up(fleet: SlurmFleet, arguments: &UpArguments, output: Output) -> Result<(), Failure> {
    let Prepared { access, template } = prepare(&fleet, &arguments.fleet.at).await?;
    if arguments.dry_run {
        return dry_run(&template, output).await;
    }
    let _lock = fleet.take_folder()?;
    let _ = fs::remove_file(fleet.paused());
    log::to_stderr(arguments.observing.log_format);
    let metrics = Metrics::new(&fleet.name);
    if let Some(at) = arguments.observing.metrics {
        let mut registry = observing::registry();
        metrics.register(&mut registry);
        observing::tell(at, registry, metrics.clone()).await?;
    }
    let shutdown = Shutdown::on_signal(|| tracing::info!("the loop ends; its jobs go on"))?;
    tracing::info!(
        "keeps {}: at most {} workers for {}, Ctrl-C ends the loop and no worker",
        template.name,
        fleet.max_workers,
        access.url
    );
    let keeper = Keeper::new(fleet, access, template, metrics);
    tokio::select! {
        () = keeper.keep() => {}
        () = shutdown.wait() => {}
    }
    Ok(())
}

async fn dry_run(template: &Template, output: Output) -> Result<(), Failure> {
    output.data(&format!("sbatch {}\n{}", template.options.join(" "), template.script))?;
    let answer = commands::would_take(&template.options, &template.script).await;
    output.note(&answer.context("Slurm would not take the job")?);
    Ok(())
}

/// `acai fleet status`
pub(super) async fn status(fleet: &SlurmFleet, at: &Coordinator, output: Output) -> Result<(), Failure> {
    let Prepared { access, template } = prepare(fleet, at).await?;
    let jobs = commands::jobs(Some(&template.name)).await?;
    let demand = demand(&access, &template.name).await?;
    let (startable, running) = (demand.startable(), demand.running);
    output.data(&format!("{}: {startable} runs could start, {running} are trained", template.name))?;
    if !jobs.is_empty() {
        let rows = jobs.iter().map(|job| row(job, &demand, &template)).collect();
        let grid = Grid::new(&["job", "state", "machine", "worker", "reason"], rows).free_text_last();
        output.data(&grid.fit(output.width()).to_string())?;
    }
    match fs::read_to_string(fleet.paused()) {
        Ok(why) => output.data(&format!("paused, until `acai fleet up` is started again: {why}"))?,
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => output.note(&format!("warning: cannot tell whether the fleet is paused: {error}")),
    }
    Ok(())
}

fn row(job: &Job, demand: &Demand, template: &Template) -> Vec<String> {
    let worker = match job.stage {
        Stage::Pending => String::new(),
        _ => demand.says_of(&template.worker(&job.id)),
    };
    let state = job.state.to_lowercase().replace('_', " ");
    let reason = if job.reason == "None" { String::new() } else { job.reason.clone() };
    vec![job.id.clone(), state, job.node.clone(), worker, reason]
}

/// `acai fleet down`
pub(super) async fn down(fleet: &SlurmFleet, at: &Coordinator, output: Output) -> Result<(), Failure> {
    let Prepared { template, .. } = prepare(fleet, at).await?;
    let jobs = commands::jobs(Some(&template.name)).await?;
    let of = |stage: Stage| -> Vec<String> {
        jobs.iter().filter(|job| job.stage == stage).map(|job| job.id.clone()).collect()
    };
    let (pending, active) = (of(Stage::Pending), of(Stage::Active));
    commands::cancel_pending(&pending).await?;
    commands::stop(&active).await?;
    output.note(&format!(
        "{}: {} cancelled before they began, {} asked to give their runs back and end",
        template.name,
        pending.len(),
        active.len()
    ));
    if fleet.is_kept() {
        output.note("warning: an `acai fleet up` keeps the fleet on this host, and will ask for jobs again: end it first");
    }
    Ok(())
}

impl SlurmFleet {
    /// Whether a loop holds the folder, as far as this host can tell.
    fn is_kept(&self) -> bool {
        let lock = File::open(self.folder.join("lock"));
        lock.is_ok_and(|lock| flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err())
    }
}

/// `acai fleet ls`
pub(super) async fn ls(output: Output) -> Result<(), Failure> {
    let mut fleets = BTreeMap::<String, [usize; 3]>::new();
    for job in commands::jobs(None).await? {
        let Some((fleet, _database)) = job.name.strip_prefix("acai-").and_then(|name| name.rsplit_once('-'))
        else {
            continue;
        };
        let counts = fleets.entry(fleet.to_owned()).or_default();
        match job.stage {
            Stage::Pending => counts[0] += 1,
            Stage::Active => counts[1] += 1,
            Stage::Ended | Stage::Taken => counts[2] += 1,
        }
    }
    if fleets.is_empty() {
        output.note("no fleet of yours has jobs in Slurm's queue");
        return Ok(());
    }
    let row = |(fleet, counts): (String, [usize; 3])| {
        std::iter::once(fleet).chain(counts.map(|jobs| jobs.to_string())).collect()
    };
    let rows = fleets.into_iter().map(row).collect();
    output.data(
        &Grid::new(&["fleet", "waiting", "running", "ended lately"], rows).fit(output.width()).to_string(),
    )?;
    Ok(())
}
