//! What the store holds, read behind its back.

use sqlx::{Connection, PgConnection, SqliteConnection};

use crate::world::Place;

/// A row of `metrics`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Stored {
    pub(crate) run: u64,
    pub(crate) step: u64,
    pub(crate) value: f64,
}

const ALL: &str = "select run_id, step, value from metrics order by run_id, step";

/// Every point of the database.
pub(crate) async fn stored(place: &Place) -> Vec<Stored> {
    let rows: Vec<(i64, i64, f64)> = match place {
        Place::Sqlite(folder) => {
            let url = format!("sqlite:{}", folder.path().join("acai.db").display());
            let mut connection = SqliteConnection::connect(&url).await.unwrap();
            sqlx::query_as(ALL).fetch_all(&mut connection).await.unwrap()
        }
        Place::Postgres(url) => {
            let mut connection = PgConnection::connect(url).await.unwrap();
            sqlx::query_as(ALL).fetch_all(&mut connection).await.unwrap()
        }
    };
    let stored = |(run, step, value): (i64, i64, f64)| Stored {
        run: run.cast_unsigned(),
        step: step.cast_unsigned(),
        value,
    };
    rows.into_iter().map(stored).collect()
}
