//! `acai backup` and `acai restore`

use std::path::PathBuf;

use acai_coordinator::store::DatabaseUrl;
use acai_coordinator::store::sqlite::SqliteStore;
use anyhow::{anyhow, bail};

use crate::args::{BackupArguments, RestoreArguments};
use crate::failure::Failure;
use crate::output::Output;

pub(super) async fn backup(arguments: &BackupArguments, output: Output) -> Result<(), Failure> {
    let database = file(&arguments.db)?;
    SqliteStore::back_up(&database, &arguments.output).await.map_err(|error| anyhow!(error))?;
    let bytes = std::fs::metadata(&arguments.output).map_or(0, |metadata| metadata.len());
    output.note(&format!("{}: {} bytes, whole", arguments.output.display(), bytes));
    Ok(())
}

pub(super) async fn restore(arguments: &RestoreArguments, output: Output) -> Result<(), Failure> {
    let database = file(&arguments.db)?;
    let aside = SqliteStore::restore(&arguments.backup, &database).await.map_err(|error| anyhow!(error))?;
    if let Some(aside) = aside {
        output.note(&format!("the database that was there is {} now", aside.display()));
    }
    output.note(&format!(
        "{}: restored\nhint: start the coordinator once with --take-blobs, and revoke again what was revoked since the backup",
        database.display()
    ));
    Ok(())
}

fn file(database: &DatabaseUrl) -> anyhow::Result<PathBuf> {
    if database.is_postgres() {
        bail!(
            "{database} is a Postgres, which has means of its own for that\nhint: `pg_dump --format=custom` and `pg_restore`, or a copy of its log; then start the coordinators with --take-blobs once"
        );
    }
    Ok(SqliteStore::path_of_url(database)?)
}
