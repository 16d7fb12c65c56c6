//! A session: train, break, let it recover, judge.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use acai_access::{connection, endpoint};
use acai_proto::v1::SubmitSweepRequest;
use acai_proto::v1::sweep_service_client::SweepServiceClient;
use acai_testing::postgres::Postgres;
use anyhow::{Context, ensure};
use tokio::task::JoinSet;
use tokio::time::{sleep, sleep_until};

use crate::check::snapshot::{Evidence, FinalWeights, Snapshot};
use crate::check::{Verdict, ViolationKind, check};
use crate::cluster::{Cluster, Equipment, blobs_folder, database_file, unmount_leftovers};
use crate::database::{Database, Held, Progress};
use crate::programs::Programs;
use crate::proxy::replay_the_dead;
use crate::reference::References;
use crate::report::Report;
use crate::schedule::Schedule;
use crate::store_kind::StoreKind;
use crate::{sweep, weights};

const WORKERS: usize = 4;
const LEASE: Duration = Duration::from_secs(3);
/// Time between looks at the database.
const LOOK: Duration = Duration::from_secs(1);
/// Looks between lines of progress.
const LOOKS_A_LINE: u32 = 5;
/// No sweep is submitted so near to the end of the faults.
const LAST_SUBMISSION: Duration = Duration::from_secs(20);
/// A submission is tried for this long.
const SUBMISSION: Duration = Duration::from_secs(60);
/// After the faults every run must be completed within this much, and …
const RECOVERY: Duration = Duration::from_secs(90);
/// … this much for each run that is left; a run alone takes some 10 s of one core.
const RECOVERY_OF_A_RUN: Duration = Duration::from_secs(45);
/// A run that is held and whose lease has not changed for so long must have been taken from its worker: longer than a
/// lease and any absence of coordinator and database.
const NOTICED: Duration = Duration::from_secs(20);

/// What to do.
#[derive(Debug)]
pub struct Settings {
    /// How long things break.
    pub faults_for: Duration,
    /// Decides what breaks.
    pub seed: u64,
    /// The store under test.
    pub store: StoreKind,
    /// Without encryption and tokens.
    pub plain: bool,
    /// Where everything goes.
    pub work: PathBuf,
    /// What is under test.
    pub programs: Programs,
}

/// Runs a session. Lines of progress go to `say`. None where there is no Postgres to test.
///
/// # Errors
/// If the harness itself fails; broken promises are in the report.
pub async fn run(settings: &Settings, say: &dyn Fn(&str)) -> anyhow::Result<Option<Report>> {
    let start = Instant::now();
    let references = References::new(&settings.work.join("references"), settings.programs.clone())?;
    let folder = empty_folder(&settings.work, settings)?;
    say("training the first sweep undisturbed, unless that has been done");
    references.of(0).await?;
    let server = match settings.store {
        StoreKind::Sqlite => None,
        StoreKind::Postgres => match Postgres::start() {
            Some(server) => Some(server),
            None => return Ok(None),
        },
    };
    let mut session = Session::start(settings, &folder, server, say).await?;
    session.disturb(settings.faults_for, say).await?;
    session.recover(say).await?;
    session.cluster.stop().await;
    let evidence = session.evidence(&references, say).await?;
    let verdict = session.judge(&evidence);
    let network = &session.cluster.network;
    Ok(Some(Report {
        store: settings.store,
        seed: settings.seed,
        faults: network.tally.faults(),
        notes: network.tally.notes(),
        not_tested: session.cluster.not_tested().to_vec(),
        runs: evidence.snapshot.runs.len() as u64,
        attempts: evidence.snapshot.attempts.len() as u64,
        faults_for: settings.faults_for,
        wall: start.elapsed(),
        journal: network.journal.path().to_owned(),
        verdict,
    }))
}

fn empty_folder(work: &Path, settings: &Settings) -> anyhow::Result<PathBuf> {
    let store = match settings.store {
        StoreKind::Sqlite => "sqlite",
        StoreKind::Postgres => "postgres",
    };
    let folder = work.join(format!("{store}-{}", settings.seed));
    if folder.exists() {
        ensure!(folder.join("journal.jsonl").exists(), "`{}` is not a session's folder", folder.display());
        unmount_leftovers(&folder)?;
        fs::remove_dir_all(&folder).with_context(|| format!("cannot empty `{}`", folder.display()))?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
    // So that a folder whose session was cut off early is known as one.
    fs::write(folder.join("journal.jsonl"), "")?;
    folder.canonicalize().context("cannot use the session's folder")
}

struct Session {
    cluster: Arc<Cluster>,
    database: Database,
    blobs: PathBuf,
    schedule: Schedule,
    /// Submitted so far.
    sweeps: u64,
    /// Times that the database was replaced by a backup, when all sweeps were last submitted.
    restores: u64,
    /// Runs that are held, and since when as they are.
    held: BTreeMap<Held, Instant>,
    /// Runs that were held without a lease.
    stale: BTreeSet<u64>,
}

impl Session {
    /// Starts a cluster that keeps everything in `folder`, on a database of `server` or else in a file.
    async fn start(
        settings: &Settings,
        folder: &Path,
        server: Option<Postgres>,
        say: &dyn Fn(&str),
    ) -> anyhow::Result<Session> {
        let database = match &server {
            None => Database::Sqlite(database_file(folder)),
            Some(server) => Database::Postgres(server.create_database()?),
        };
        let coordinators = if server.is_some() { 2 } else { 1 };
        let equipment = Equipment::prepare(folder, WORKERS, coordinators);
        equipment.not_tested.iter().for_each(|what| say(&format!("NOT TESTED: {what}")));
        let schedule = Schedule {
            seed: settings.seed,
            workers: WORKERS,
            coordinators,
            database_server: server.is_some(),
            lease: LEASE,
            disks: equipment.has_disks(),
            clocks: equipment.has_clocks(),
        };
        let cluster = Cluster::start(schedule, settings, folder, equipment, &database, server).await?;
        Ok(Session {
            cluster: Arc::new(cluster),
            database,
            blobs: blobs_folder(folder),
            schedule,
            sweeps: 0,
            restores: 0,
            held: BTreeMap::new(),
            stale: BTreeSet::new(),
        })
    }

    /// What the stopped cluster has left, and what it should have left.
    async fn evidence(&self, references: &References, say: &dyn Fn(&str)) -> anyhow::Result<Evidence> {
        let snapshot = self.database.snapshot().await.context("cannot read the database")?;
        let mut expected = BTreeMap::new();
        for number in 0..self.sweeps {
            say(&format!("reference of sweep {} of {}", number + 1, self.sweeps));
            expected.insert(sweep::name(number), references.of(number).await?);
        }
        let journal = &self.cluster.network.journal;
        Ok(Evidence {
            restores: journal.restores(),
            outages: self.cluster.outages_of_database().clone(),
            journal: journal.close()?,
            weights: self.weights(&snapshot)?,
            whole_blobs: self.whole_blobs(&snapshot),
            snapshot,
            references: expected,
        })
    }

    /// Which promises are broken: by the evidence, and by what was seen while things broke.
    fn judge(&self, evidence: &Evidence) -> Verdict {
        let mut verdict = check(evidence);
        for run in &self.stale {
            let held = NOTICED.as_secs();
            let what = format!("run {run} was held for {held} s under a lease that nobody renewed");
            verdict.add(ViolationKind::StaleLease, what);
        }
        for what in self.cluster.copies_used().iter() {
            verdict.add(ViolationKind::CopyUsed, what.clone());
        }
        verdict
    }

    /// Breaks things for a while, with enough to train.
    async fn disturb(&mut self, faults_for: Duration, say: &dyn Fn(&str)) -> anyhow::Result<()> {
        self.submit().await?;
        let end = Instant::now() + faults_for;
        let replaying = tokio::spawn({
            let cluster = Arc::clone(&self.cluster);
            async move { replay_the_dead(&cluster.network).await }
        });
        let breaking = tokio::spawn(break_until(Arc::clone(&self.cluster), self.schedule, end));
        let mut looks = 0;
        while Instant::now() < end {
            let progress = self.look(&mut looks, "breaking", say).await?;
            let time_left = end.saturating_duration_since(Instant::now());
            self.submit_again().await?;
            let idle = progress.is_some_and(|progress| progress.runs - progress.completed < WORKERS);
            if idle && time_left > LAST_SUBMISSION {
                self.submit().await?;
            }
        }
        breaking.await??;
        self.cluster.calm_down()?;
        replaying.await?;
        self.submit_again().await?;
        Ok(())
    }

    /// Lets all runs complete, within a bound.
    async fn recover(&mut self, say: &dyn Fn(&str)) -> anyhow::Result<()> {
        let start = Instant::now();
        let mut bound = RECOVERY + RECOVERY_OF_A_RUN * u32::try_from(self.sweeps as usize * sweep::RUNS)?;
        let mut looks = 0;
        while start.elapsed() < bound {
            if let Some(progress) = self.look(&mut looks, "recovering", say).await? {
                let left = progress.runs - progress.completed;
                if looks == 1 {
                    bound = RECOVERY + RECOVERY_OF_A_RUN * u32::try_from(left)?;
                }
                if left == progress.spoilt {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Waits a moment, revives what has died, and looks at the database, if it can be read just now.
    async fn look(
        &mut self,
        looks: &mut u32,
        doing: &str,
        say: &dyn Fn(&str),
    ) -> anyhow::Result<Option<Progress>> {
        sleep(LOOK).await;
        self.cluster.revive()?;
        let progress = self.database.progress().await.ok();
        if let Ok(held) = self.database.held().await {
            let now = Instant::now();
            let since = |held: Held| (held, self.held.get(&held).copied().unwrap_or(now));
            self.held = held.into_iter().map(since).collect();
            let stale = self.held.iter().filter(|(_, since)| now - **since > NOTICED);
            self.stale.extend(stale.map(|(held, _)| held.run));
        }
        *looks += 1;
        if looks.is_multiple_of(LOOKS_A_LINE) {
            say(&self.line(doing, progress));
        }
        Ok(progress)
    }

    fn line(&self, doing: &str, progress: Option<Progress>) -> String {
        let network = &self.cluster.network;
        let faults: u64 = network.tally.faults().values().sum();
        let figures = network.journal.figures();
        let runs = progress.map_or("runs unknown".to_owned(), |progress| {
            format!("{} of {} runs completed", progress.completed, progress.runs)
        });
        let (points, fenced) = (figures.points, figures.fenced);
        format!("{doing}: {faults} faults, {points} points acknowledged, {fenced} writes fenced off, {runs}")
    }

    /// Submits the next sweep.
    async fn submit(&mut self) -> anyhow::Result<()> {
        self.submit_file(self.sweeps).await?;
        self.sweeps += 1;
        Ok(())
    }

    /// Submits all sweeps again if the database was replaced by a backup, which may not have heard of them.
    async fn submit_again(&mut self) -> anyhow::Result<()> {
        let restores = self.cluster.restores();
        if restores > self.restores {
            for number in 0..self.sweeps {
                self.submit_file(number).await?;
            }
            self.restores = restores;
        }
        Ok(())
    }

    /// Submits the `number`-th sweep, through coordinators' absences.
    async fn submit_file(&self, number: u64) -> anyhow::Result<()> {
        let deadline = Instant::now() + SUBMISSION;
        let request = SubmitSweepRequest { source: sweep::file(number), ..SubmitSweepRequest::default() };
        let mut turn = 0;
        loop {
            let access = &self.cluster.submitters[turn % self.cluster.submitters.len()];
            turn += 1;
            let submitted = async {
                let channel = endpoint(access)?.connect().await?;
                let mut client = SweepServiceClient::new(connection(channel, access.token.as_ref()));
                anyhow::Ok(client.submit_sweep(request.clone()).await?)
            };
            match submitted.await {
                Ok(_) => return Ok(()),
                Err(error) if Instant::now() > deadline => return Err(error.context("cannot submit a sweep")),
                Err(_) => {
                    sleep(Duration::from_millis(200)).await;
                    self.cluster.revive()?;
                }
            }
        }
    }

    fn weights(&self, snapshot: &Snapshot) -> anyhow::Result<Vec<FinalWeights>> {
        let steps = |run| snapshot.runs.iter().find(|row| row.id == run).map(|row| row.total_steps);
        let mut found = Vec::new();
        for state in self.cluster.states() {
            found.extend(weights::in_state_folder(state, steps)?);
        }
        for checkpoint in snapshot.checkpoints.iter().filter(|row| Some(row.step) == steps(row.run)) {
            found.extend(weights::in_blob_store(&self.blobs, checkpoint)?);
        }
        Ok(found)
    }

    fn whole_blobs(&self, snapshot: &Snapshot) -> BTreeSet<String> {
        let digests = snapshot.checkpoints.iter().map(|row| row.sha256.clone());
        digests.filter(|sha256| weights::is_whole(&self.blobs, sha256)).collect()
    }
}

/// Inflicts the schedule's faults, each in a task of its own since some last, and waits for the last of them.
async fn break_until(cluster: Arc<Cluster>, schedule: Schedule, end: Instant) -> anyhow::Result<()> {
    let mut faults = JoinSet::new();
    for n in 0.. {
        let (pause, fault) = schedule.process_fault(n);
        let at = Instant::now() + pause;
        if at > end {
            break;
        }
        sleep_until(at.into()).await;
        let cluster = Arc::clone(&cluster);
        faults.spawn(async move { cluster.inflict(fault).await });
    }
    while let Some(inflicted) = faults.join_next().await {
        inflicted??;
    }
    Ok(())
}
