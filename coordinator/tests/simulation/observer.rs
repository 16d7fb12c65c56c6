//! What the database holds, read behind the coordinators' backs.

use std::path::Path;

use acai_coordinator::store::{BlobFile, RunId};
use acai_sweep::run::RunState;
use sqlx::{Connection, PgConnection, SqliteConnection};

use crate::cluster::{DatabaseNumber, Place};

/// A row of `metrics`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct StoredPoint {
    pub(crate) run: RunId,
    pub(crate) step: u64,
    pub(crate) value: f64,
}

/// A row of `runs`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StoredRun {
    pub(crate) id: RunId,
    pub(crate) state: RunState,
    pub(crate) in_plan: bool,
    /// Claims so far.
    pub(crate) attempt: u32,
    /// Failures charged to it.
    pub(crate) failures: u32,
}

/// A row of `attempts`.
#[derive(Debug, Clone)]
pub(crate) struct StoredAttempt {
    pub(crate) run: RunId,
    pub(crate) number: u32,
    pub(crate) outcome: Option<String>,
}

impl StoredAttempt {
    /// Whether it ended by the run's fault.
    pub(crate) fn is_own_failure(&self) -> bool {
        matches!(self.outcome.as_deref(), Some("failed" | "diverged"))
    }
}

/// A row of `events`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StoredEvent {
    pub(crate) sweep: i64,
    pub(crate) number: i64,
    pub(crate) run: RunId,
    pub(crate) state: RunState,
    pub(crate) attempt: u32,
    /// No worker has to do with it.
    pub(crate) by_person: bool,
}

/// A run that could be granted.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    pub(crate) run: RunId,
    pub(crate) sweep: i64,
    pub(crate) shape: String,
}

/// How many runs of a sweep are running, and may run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Load {
    pub(crate) sweep: i64,
    pub(crate) running: i64,
    pub(crate) limit: Option<i64>,
}

/// What decides what claims are granted.
#[derive(Debug, Clone)]
pub(crate) struct BeforeClaims {
    /// In the order in which they should start.
    pub(crate) queue: Vec<Waiting>,
    pub(crate) loads: Vec<Load>,
    /// Workers that take no runs.
    pub(crate) cordoned: Vec<String>,
}

/// A connection of its own.
pub(crate) enum Observer {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

const POINTS: &str = "select run_id, step, value from metrics order by run_id, step";
const RUNS: &str =
    "select id, state, cast(case when in_plan = true then 1 else 0 end as bigint), attempt, failures
    from runs order by id";
const ATTEMPTS: &str = "select run_id, number, outcome from attempts order by run_id, number";
const EVENTS: &str = "select sweep_id, number, run_id, state, attempt,
        cast(case when worker is null then 1 else 0 end as bigint)
    from events order by sweep_id, number";
const QUEUE: &str =
    "select r.id, r.sweep_id, case when r.alone = true then 'run ' || r.id else r.shape_key end
    from runs r join sweeps s on s.id = r.sweep_id
    where r.state = 'queued' and r.in_plan = true and s.paused is null
    order by s.priority desc, s.id, r.idx";
const LOADS: &str = "select s.id, s.max_concurrent, (select count(*) from runs r
        where r.sweep_id = s.id and r.state = 'running')
    from sweeps s order by s.id";
/// Tallies that differ from what the runs are.
const MISCOUNTED: &str = "with counted as (
        select sweep_id, in_plan, state, dataset, count(*) as runs,
               sum(case when state = 'running' then 0 else step * batch end) as done, sum(total_steps * batch) as total
        from runs group by sweep_id, in_plan, state, dataset)
    select coalesce(t.state, c.state) from tallies t
    full join counted c on c.sweep_id = t.sweep_id and c.in_plan = t.in_plan and c.state = t.state and c.dataset = t.dataset
    where coalesce(t.runs, 0) <> coalesce(c.runs, 0) or coalesce(t.images_done, 0) <> coalesce(c.done, 0)
       or coalesce(t.images_total, 0) <> coalesce(c.total, 0)";
const CORDONED: &str = "select worker_name from cordons";
const BLOBS: &str = "select sha256, tag from blobs";
const UPLOADS: &str = "select sha256, tag from uploads";
const COMMITTED: &str = "select sha256 from checkpoints where state = 'committed' order by run_id, step";
const NEEDED: &str = "select distinct sha256 from checkpoints order by sha256";
const DEADLOCKS: &str = "select deadlocks from pg_stat_database where datname = current_database()";

/// All rows of a statement, on a connection of either kind.
macro_rules! rows {
    ($observer:expr, $statement:expr) => {
        match $observer {
            Observer::Sqlite(connection) => sqlx::query_as($statement).fetch_all(connection).await.unwrap(),
            Observer::Postgres(connection) => sqlx::query_as($statement).fetch_all(connection).await.unwrap(),
        }
    };
}

impl Observer {
    pub(crate) async fn of(place: &Place, database: DatabaseNumber) -> Observer {
        match place {
            Place::Sqlite(folder) => {
                let url = format!("sqlite:{}", Place::file(folder, database).display());
                Observer::Sqlite(SqliteConnection::connect(&url).await.unwrap())
            }
            Place::Postgres(server) => {
                Observer::Postgres(PgConnection::connect(&server.url(database)).await.unwrap())
            }
        }
    }

    /// Transactions that waited for each other, until the server ended one of them.
    pub(crate) async fn deadlocks(&mut self) -> i64 {
        match self {
            Observer::Sqlite(_) => 0,
            Observer::Postgres(connection) => {
                sqlx::query_scalar(DEADLOCKS).fetch_one(connection).await.unwrap()
            }
        }
    }

    /// Makes a backup of the database, which is a file.
    pub(crate) async fn back_up(&mut self, to: &Path) {
        if let Observer::Sqlite(connection) = self {
            sqlx::query("vacuum into $1").bind(to.display().to_string()).execute(connection).await.unwrap();
        }
    }

    /// Every file that the store knows: those of blobs, and those of uploads under way.
    pub(crate) async fn files(&mut self) -> (Vec<BlobFile>, Vec<BlobFile>) {
        let file = |(sha256, tag): (String, String)| BlobFile { sha256, tag };
        let blobs: Vec<(String, String)> = rows!(&mut *self, BLOBS);
        let uploads: Vec<(String, String)> = rows!(&mut *self, UPLOADS);
        (blobs.into_iter().map(file).collect(), uploads.into_iter().map(file).collect())
    }

    /// The blobs of committed checkpoints, in an order of its own; those of rejected ones as well if they are `needed`.
    pub(crate) async fn checkpoints(&mut self, needed: bool) -> Vec<String> {
        let rows: Vec<(String,)> = match needed {
            true => rows!(self, NEEDED),
            false => rows!(self, COMMITTED),
        };
        rows.into_iter().map(|(sha256,)| sha256).collect()
    }

    /// The states of runs that sweeps count wrongly.
    pub(crate) async fn miscounted(&mut self) -> Vec<String> {
        let rows: Vec<(String,)> = rows!(self, MISCOUNTED);
        rows.into_iter().map(|(state,)| state).collect()
    }

    pub(crate) async fn points(&mut self) -> Vec<StoredPoint> {
        let rows: Vec<(i64, i64, f64)> = rows!(self, POINTS);
        let point = |(run, step, value): (i64, i64, f64)| StoredPoint {
            run: run.cast_unsigned().into(),
            step: step.cast_unsigned(),
            value,
        };
        rows.into_iter().map(point).collect()
    }

    pub(crate) async fn runs(&mut self) -> Vec<StoredRun> {
        let rows: Vec<(i64, String, i64, i64, i64)> = rows!(self, RUNS);
        let run = |(id, state, in_plan, attempt, failures): (i64, String, i64, i64, i64)| StoredRun {
            id: id.cast_unsigned().into(),
            state: state.parse().unwrap(),
            in_plan: in_plan == 1,
            attempt: attempt.try_into().unwrap(),
            failures: failures.try_into().unwrap(),
        };
        rows.into_iter().map(run).collect()
    }

    pub(crate) async fn attempts(&mut self) -> Vec<StoredAttempt> {
        let rows: Vec<(i64, i64, Option<String>)> = rows!(self, ATTEMPTS);
        let attempt = |(run, number, outcome): (i64, i64, Option<String>)| StoredAttempt {
            run: run.cast_unsigned().into(),
            number: number.try_into().unwrap(),
            outcome,
        };
        rows.into_iter().map(attempt).collect()
    }

    pub(crate) async fn events(&mut self) -> Vec<StoredEvent> {
        let rows: Vec<(i64, i64, i64, String, i64, i64)> = rows!(self, EVENTS);
        let event = |(sweep, number, run, state, attempt, by_person): (i64, i64, i64, String, i64, i64)| {
            StoredEvent {
                sweep,
                number,
                run: run.cast_unsigned().into(),
                state: state.parse().unwrap(),
                attempt: attempt.try_into().unwrap(),
                by_person: by_person == 1,
            }
        };
        rows.into_iter().map(event).collect()
    }

    pub(crate) async fn before_claims(&mut self) -> BeforeClaims {
        let rows: Vec<(i64, i64, String)> = rows!(&mut *self, QUEUE);
        let waiting = |(run, sweep, shape): (i64, i64, String)| Waiting {
            run: run.cast_unsigned().into(),
            sweep,
            shape,
        };
        let cordoned: Vec<(String,)> = rows!(&mut *self, CORDONED);
        BeforeClaims {
            queue: rows.into_iter().map(waiting).collect(),
            loads: self.loads().await,
            cordoned: cordoned.into_iter().map(|(worker,)| worker).collect(),
        }
    }

    pub(crate) async fn loads(&mut self) -> Vec<Load> {
        let rows: Vec<(i64, Option<i64>, i64)> = rows!(self, LOADS);
        rows.into_iter().map(|(sweep, limit, running)| Load { sweep, running, limit }).collect()
    }
}
