//! The store, read without the coordinator's help.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};

use crate::check::snapshot::{AttemptRow, CheckpointRow, EventRow, PointRow, RunRow, Snapshot};
use crate::journal::{AttemptId, Point};

/// Where it is.
#[derive(Debug, Clone)]
pub enum Database {
    /// A file.
    Sqlite(PathBuf),
    /// A server's URL.
    Postgres(String),
}

/// Runs by what is left to do with them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// All.
    pub runs: usize,
    /// Done.
    pub completed: usize,
    /// Ended otherwise: they will never be completed.
    pub spoilt: usize,
}

/// A run that is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Held {
    /// Which.
    pub run: u64,
    /// By which attempt.
    pub attempt: u32,
    /// When its lease ends, by a clock that may be wrong.
    pub lease: i64,
}

const RUNS: &str = "select r.id, s.name, r.idx, r.state, r.attempt, r.total_steps
    from runs r join sweeps s on s.id = r.sweep_id order by r.id";
const ATTEMPTS: &str =
    "select run_id, number, token, claim_id, acked_seq, replay_mismatches, ended_ms, outcome, message
    from attempts order by run_id, number";
const POINTS: &str = "select run_id, name, step, value, attempt from metrics order by run_id, name, step";
const EVENTS: &str = "select run_id, state from events order by sweep_id, number";
const CHECKPOINTS: &str = "select run_id, step, sha256, state from checkpoints order by run_id, step";
const STATES: &str = "select state from runs";
const HELD: &str = "select id, attempt, lease_expires_ms from runs where state = 'running'";

/// In two steps, or the server may end this session before it has looked whose it is.
const END_SESSIONS: &str = "with others as materialized
        (select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid())
    select count(*) from others where pg_terminate_backend(pid)";

/// The same statements on a connection of either kind.
macro_rules! on {
    ($database:expr, $connection:ident => $body:expr) => {
        match $database {
            Database::Sqlite(path) => {
                let options = SqliteConnectOptions::new().filename(path).read_only(true);
                let mut $connection = options.connect().await?;
                $body
            }
            Database::Postgres(url) => {
                let mut $connection = PgConnection::connect(url).await?;
                $body
            }
        }
    };
}

type RunColumns = (i64, String, i64, String, i64, i64);
type AttemptColumns = (i64, i64, Option<i64>, String, i64, i64, Option<i64>, Option<String>, Option<String>);
type PointColumns = (i64, String, i64, f64, i64);
type CheckpointColumns = (i64, i64, String, String);

impl Database {
    /// As the coordinator's `--db` takes it.
    #[must_use]
    pub fn url(&self) -> String {
        match self {
            Database::Sqlite(path) => format!("sqlite:{}", path.display()),
            Database::Postgres(url) => url.clone(),
        }
    }

    /// Ends all sessions but this one, in the middle of what they do; the number of them. A file has none.
    ///
    /// # Errors
    /// If the server cannot be reached.
    pub async fn end_sessions(&self) -> sqlx::Result<u64> {
        let Database::Postgres(url) = self else { return Ok(0) };
        let ended: i64 =
            sqlx::query_scalar(END_SESSIONS).fetch_one(&mut PgConnection::connect(url).await?).await?;
        Ok(whole(ended))
    }

    /// Writes a copy of a file's database, as of this moment, to `place`. A server's has other means.
    ///
    /// # Errors
    /// If the file cannot be read, or `place` not be written.
    pub async fn back_up(&self, place: &Path) -> anyhow::Result<()> {
        let Database::Sqlite(path) = self else { bail!("a server's database is not copied") };
        let options = SqliteConnectOptions::new().filename(path).read_only(true);
        let mut connection = options.connect().await?;
        let place = place.to_str().context("the backup's path is not UTF-8")?;
        sqlx::query("vacuum into $1").bind(place).execute(&mut connection).await?;
        Ok(connection.close().await?)
    }

    /// Puts a backup's contents into the file, while no coordinator runs.
    ///
    /// # Errors
    /// If that cannot be done.
    pub fn restore(&self, backup: &Path) -> anyhow::Result<()> {
        let Database::Sqlite(path) = self else { bail!("a server's database is not copied") };
        for suffix in ["-wal", "-shm"] {
            let mut file = path.clone().into_os_string();
            file.push(suffix);
            match fs::remove_file(&file) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
        // Into the same file: another one would be a copy of the database, which may not use the checkpoints.
        fs::copy(backup, path)?;
        Ok(fs::remove_file(backup)?)
    }

    /// Everything that is checked.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn snapshot(&self) -> sqlx::Result<Snapshot> {
        on!(self, connection => {
            let runs: Vec<RunColumns> = sqlx::query_as(RUNS).fetch_all(&mut connection).await?;
            let attempts: Vec<AttemptColumns> = sqlx::query_as(ATTEMPTS).fetch_all(&mut connection).await?;
            let points: Vec<PointColumns> = sqlx::query_as(POINTS).fetch_all(&mut connection).await?;
            let events: Vec<(i64, String)> = sqlx::query_as(EVENTS).fetch_all(&mut connection).await?;
            let checkpoints: Vec<CheckpointColumns> =
                sqlx::query_as(CHECKPOINTS).fetch_all(&mut connection).await?;
            Ok(Snapshot {
                runs: runs.into_iter().map(run).collect(),
                attempts: attempts.into_iter().map(attempt).collect(),
                points: points.into_iter().map(point).collect(),
                checkpoints: checkpoints.into_iter().map(checkpoint).collect(),
                events: events.into_iter().map(|(run, state)| EventRow { run: whole(run), state }).collect(),
            })
        })
    }

    /// How far the runs are.
    ///
    /// # Errors
    /// If the database cannot be read, as while it restarts.
    pub async fn progress(&self) -> sqlx::Result<Progress> {
        let states: Vec<String> =
            on!(self, connection => sqlx::query_scalar(STATES).fetch_all(&mut connection).await?);
        let count = |wanted: &[&str]| states.iter().filter(|state| wanted.contains(&state.as_str())).count();
        let completed = count(&["completed"]);
        let spoilt = states.len() - completed - count(&["queued", "running"]);
        Ok(Progress { runs: states.len(), completed, spoilt })
    }

    /// Runs that are held: by which attempt, and under which lease. A renewal gives it another one.
    ///
    /// # Errors
    /// If the database cannot be read, as while it restarts.
    pub async fn held(&self) -> sqlx::Result<Vec<Held>> {
        let rows: Vec<(i64, i64, i64)> =
            on!(self, connection => sqlx::query_as(HELD).fetch_all(&mut connection).await?);
        let held =
            |(run, attempt, lease): (i64, i64, i64)| Held { run: whole(run), attempt: whole(attempt), lease };
        Ok(rows.into_iter().map(held).collect())
    }
}

/// A column that counts something.
fn whole<T: TryFrom<i64> + Default>(number: i64) -> T {
    T::try_from(number).unwrap_or_default()
}

fn run((id, sweep, index, state, attempt, total_steps): RunColumns) -> RunRow {
    let (id, index, attempt) = (whole(id), whole(index), whole(attempt));
    RunRow { id, sweep, index, state, attempt, total_steps: whole(total_steps) }
}

fn attempt(
    (run, number, token, claim, acked_seq, replay_mismatches, ended_ms, outcome, message): AttemptColumns,
) -> AttemptRow {
    AttemptRow {
        id: AttemptId {
            run: whole(run),
            number: whole(number),
            token: token.unwrap_or_default().cast_unsigned(),
        },
        claim,
        acked_seq: whole(acked_seq),
        replay_mismatches: whole(replay_mismatches),
        ended_ms,
        outcome,
        message,
    }
}

fn point((run, name, step, value, attempt): PointColumns) -> PointRow {
    let point = Point { name, step: whole(step), bits: value.to_bits() };
    PointRow { run: whole(run), point, attempt: whole(attempt) }
}

fn checkpoint((run, step, sha256, state): CheckpointColumns) -> CheckpointRow {
    CheckpointRow { run: whole(run), step: whole(step), sha256, is_committed: state == "committed" }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use acai_testing::postgres::Postgres;

    use super::*;

    #[tokio::test]
    async fn sessions_are_ended_and_counted() {
        let Some(server) = Postgres::start() else { return };
        let url = server.create_database().unwrap();
        let mut session = PgConnection::connect(&url).await.unwrap();
        let ended = Database::Postgres(url).end_sessions().await.unwrap();
        assert_eq!(ended, 1);
        assert!(sqlx::query("select 1").execute(&mut session).await.is_err());
    }
}
