//! `acai backup` and `acai restore`

use std::path::PathBuf;

use acai_coordinator::store::DatabaseUrl;
use clap::Args;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  acai backup --db sqlite:acai.db -o /backup/acai-2026-11-30.db

The database as it is at this moment, also while a coordinator serves it, which does not wait. The file is checked as a
whole. It holds tokens' digests and the key of the certificate authority: it is made for its user alone.
Checkpoints are not in it: copy their folder within a day after the database, for as long what they need is kept.
A Postgres is backed up by its own means, such as pg_dump.")]
pub(crate) struct BackupArguments {
    /// The database
    #[arg(long, value_name = "URL", default_value = "sqlite:acai.db")]
    pub(crate) db: DatabaseUrl,
    /// Where to write the backup: a file that is not there yet
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  acai restore /backup/acai-2026-11-30.db --db sqlite:acai.db
  acai coordinator --db sqlite:acai.db --take-blobs

The coordinator must not be running. A database that is there is set aside, not deleted. Workers that were training go on:
what they report is known by random tokens, and whatever the backup does not hold is trained again. Tokens that were
revoked since the backup have to be revoked again.")]
pub(crate) struct RestoreArguments {
    /// The backup
    #[arg(value_name = "FILE")]
    pub(crate) backup: PathBuf,
    /// The database that it becomes
    #[arg(long, value_name = "URL", default_value = "sqlite:acai.db")]
    pub(crate) db: DatabaseUrl,
}
