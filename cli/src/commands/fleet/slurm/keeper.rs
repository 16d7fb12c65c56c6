//! The loop that keeps a fleet: it looks at the queue and at the demand, and takes the steps that are left.

use std::collections::HashSet;
use std::fs;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

use acai_access::AccessFile;
use anyhow::Context;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::commands::{self, Job, Stage};
use super::failures::Failures;
use super::script::Template;
use super::steps::{Bounds, Situation, Steps, steps};
use crate::commands::fleet::demand::{Demand, demand};
use crate::commands::fleet::file::SlurmFleet;
use crate::commands::fleet::metrics::Metrics;
use crate::failure::Failure;

/// Bytes of the end of a log that are shown.
const TAIL: u64 = 2000;

/// Keeps one fleet.
pub(super) struct Keeper {
    pub(super) fleet: SlurmFleet,
    pub(super) access: AccessFile,
    pub(super) template: Template,
    pub(super) metrics: Metrics,
    failures: Failures,
    /// Jobs whose end has been judged; those that had ended before the loop began are judged already.
    judged: Option<HashSet<String>>,
}

impl Keeper {
    pub(super) fn new(fleet: SlurmFleet, access: AccessFile, template: Template, metrics: Metrics) -> Keeper {
        Keeper { fleet, access, template, metrics, failures: Failures::default(), judged: None }
    }

    /// Keeps the fleet, until dropped.
    pub(super) async fn keep(mut self) {
        let mut ticks = interval(self.fleet.every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            // Whoever cannot see changes nothing.
            if let Err(error) = self.look_and_step().await {
                tracing::warn!("nothing is changed: {}", error.message().unwrap_or_default());
            }
        }
    }

    async fn look_and_step(&mut self) -> Result<(), Failure> {
        // The queue first: a job that has ended by now has had its worker registered before, or never.
        let jobs = commands::jobs(Some(&self.template.name)).await?;
        let demand = demand(&self.access, &self.template.name).await?;
        let jobs = self.as_they_are(jobs, &demand);
        self.judge(&jobs, &demand);
        self.metrics.tell_pause(self.failures.paused.is_some());
        self.remove_states(&jobs);
        let there = self.situation(&jobs, &demand);
        let first = steps(self.bounds(), &there);
        let (pending, active, arriving) =
            (there.pending.len(), there.active as usize, there.arriving as usize);
        let wanted = active + pending - first.cancel.len() + first.submit as usize;
        self.metrics.tell(wanted, pending, arriving, active - arriving);
        cancel(&first).await?;
        for _ in 0..first.submit {
            if !self.failures.may_submit(Instant::now()) {
                break;
            }
            self.submit().await;
        }
        if first.submit > 0 {
            // Another loop of the fleet may have submitted jobs at the same time. All of them look once more before any of
            // these jobs begins, and agree which are too many.
            let jobs = self.as_they_are(commands::jobs(Some(&self.template.name)).await?, &demand);
            let there = self.situation(&jobs, &demand);
            cancel(&steps(self.bounds(), &there)).await?;
        }
        Ok(())
    }

    /// A Slurm that died and came back goes on from what it had saved: jobs may have begun since, which it takes for waiting, or for
    /// ended once they are cancelled, while they go on. Whose worker the coordinator hears of is under way.
    fn as_they_are(&self, mut jobs: Vec<Job>, demand: &Demand) -> Vec<Job> {
        for job in &mut jobs {
            if demand.lives(&self.template.worker(&job.id)) {
                job.stage = Stage::Active;
            }
        }
        jobs
    }

    fn bounds(&self) -> Bounds {
        let SlurmFleet { max_workers: workers, pending, runs_per_worker, .. } = self.fleet;
        Bounds { workers, pending, runs_per_worker }
    }

    fn situation(&self, jobs: &[Job], demand: &Demand) -> Situation {
        let of = |stage: Stage| jobs.iter().filter(move |job| job.stage == stage);
        let is_arriving = |job: &&Job| !demand.knows(&self.template.worker(&job.id));
        Situation {
            startable: demand.startable(),
            room: demand.room(self.fleet.runs_per_worker.get()),
            pending: of(Stage::Pending).map(|job| job.id.clone()).collect(),
            active: of(Stage::Active).count() as u32,
            arriving: of(Stage::Active).filter(is_arriving).count() as u32,
        }
    }

    async fn submit(&mut self) {
        match commands::submit(&self.template.options, &self.template.script).await {
            Ok(job) => tracing::info!(job, "submitted"),
            Err(error) => {
                self.metrics.failed();
                let wait = humantime::format_duration(self.failures.refused(Instant::now()));
                tracing::error!("Slurm takes no job, tried again in {wait}: {error:#}");
            }
        }
    }

    /// Finds out which jobs ended without a worker.
    fn judge(&mut self, jobs: &[Job], demand: &Demand) {
        let ended = || jobs.iter().filter(|job| matches!(job.stage, Stage::Ended | Stage::Taken));
        let Some(judged) = &self.judged else {
            self.judged = Some(ended().map(|job| job.id.clone()).collect());
            return;
        };
        let new: Vec<&Job> = ended().filter(|job| !judged.contains(&job.id)).collect();
        // Slurm forgets them after a while, and so does this.
        self.judged = Some(ended().map(|job| job.id.clone()).collect());
        if jobs.iter().any(|job| job.stage == Stage::Active && demand.knows(&self.template.worker(&job.id))) {
            self.failures.worker_came();
        }
        for job in new {
            match (job.stage, demand.knows(&self.template.worker(&job.id))) {
                (_, true) => self.failures.worker_came(),
                (Stage::Ended, false) => self.on_failure(job),
                (_, false) => {
                    tracing::info!(job = job.id, state = job.state, "a job was taken before its worker came");
                }
            }
        }
    }

    fn on_failure(&mut self, job: &Job) {
        self.metrics.failed();
        let log = self.fleet.log(&job.id);
        let tail = tail(&log).unwrap_or_else(|error| format!("(no log: {error})"));
        let why = format!(
            "job {} ended as {} ({}) before its worker came; the end of {}:\n{tail}",
            job.id,
            job.state,
            job.reason,
            log.display()
        );
        let wait = humantime::format_duration(self.failures.job_failed(Instant::now(), &why));
        match &self.failures.paused {
            None => tracing::error!("tried again in {wait}: {why}"),
            Some(why) => {
                tracing::error!("paused, until the loop is started again: {why}");
                if let Err(error) = fs::write(self.fleet.paused(), why) {
                    tracing::warn!("`acai fleet status` will not know of the pause: {error}");
                }
            }
        }
    }

    /// Removes what workers have left whose jobs are over: everything of it is the coordinator's by now, or is trained again. Of a
    /// job that Slurm does not tell of, as one of another cluster, only its time limit says that it is over.
    fn remove_states(&self, jobs: &[Job]) {
        let Ok(states) = fs::read_dir(self.fleet.states()) else { return };
        for state in states.flatten() {
            let job = jobs.iter().find(|job| state.file_name().to_str() == Some(job.id.as_str()));
            let is_over = match job {
                Some(job) => matches!(job.stage, Stage::Ended | Stage::Taken),
                None => self.outlived_its_job(&state),
            };
            if is_over && let Err(error) = fs::remove_dir_all(state.path()) {
                tracing::debug!("cannot remove `{}`: {error}", state.path().display());
            }
        }
    }

    /// Whether nothing was added to a folder for longer than any job lasts.
    fn outlived_its_job(&self, state: &fs::DirEntry) -> bool {
        let changed = state.metadata().and_then(|metadata| metadata.modified());
        changed
            .ok()
            .and_then(|changed| changed.elapsed().ok())
            .is_some_and(|age| age > 2 * self.fleet.time_limit)
    }
}

async fn cancel(steps: &Steps) -> anyhow::Result<()> {
    if !steps.cancel.is_empty() {
        tracing::info!(jobs = steps.cancel.join(" "), "cancelled: there is not as much to do");
        commands::cancel_pending(&steps.cancel).await?;
    }
    Ok(())
}

/// The end of a file.
fn tail(path: &Path) -> anyhow::Result<String> {
    let mut file = fs::File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
    let mut bytes = Vec::new();
    file.take(TAIL).read_to_end(&mut bytes).context("cannot read it")?;
    Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
}
