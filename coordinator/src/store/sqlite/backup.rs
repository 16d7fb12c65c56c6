//! Backups: the database as it was at one moment, in one file; and such a file in the place of a database.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};

use super::SqliteStore;
use super::open::{PRIVATE, lock, named};
use crate::store::OpenError;
use crate::store::migrations::SQLITE_MIGRATIONS;

/// The files of a database by what follows its name, in the order in which they are set aside: a log must never lie beside another
/// database, whose log SQLite would take it for.
const FILES: [&str; 3] = ["-wal", "-shm", ""];

impl SqliteStore {
    /// Writes the database as it is at this moment into a new file: beside a coordinator that serves it, which does not wait,
    /// or where there is none. The file is checked as a whole.
    ///
    /// # Errors
    /// [`OpenError`]: there is no such database, or the file is there already or cannot be written. What was begun is removed.
    pub async fn back_up(path: &Path, into: &Path) -> Result<(), OpenError> {
        if !path.exists() {
            return Err(OpenError::Missing(path.to_owned()));
        }
        if into.exists() {
            return Err(failed("write", into, &"there is a file of that name already"));
        }
        let begun = with_suffix(into, ".part");
        let written = write(path, &begun).await;
        if written.is_err() {
            // What is in the way of the next try, if it can be removed.
            let _ = fs::remove_file(&begun);
        }
        written?;
        fs::rename(&begun, into)
            .and_then(|()| sync_folder(into))
            .map_err(|error| failed("write", into, &error))
    }

    /// Puts a backup in the place of the database at `path`, which may be missing. A database that was there is set aside;
    /// answers where it is.
    ///
    /// # Errors
    /// [`OpenError`]: the backup is damaged or of a newer version, a coordinator serves the database, or files cannot be
    /// written. Then the database is as it was.
    pub async fn restore(backup: &Path, path: &Path) -> Result<Option<PathBuf>, OpenError> {
        check(backup).await?;
        let is_new = !path.exists();
        let path = named(path)?;
        let _lock = lock(&path)?;
        let begun = with_suffix(&path, ".restoring");
        copy(backup, &begun).map_err(|error| failed("write", &begun, &error))?;
        let aside = set_aside(&path, is_new).map_err(|error| failed("set aside", &path, &error))?;
        fs::rename(&begun, &path)
            .and_then(|()| sync_folder(&path))
            .map_err(|error| failed("write", &path, &error))?;
        Ok(aside)
    }
}

fn failed(doing: &'static str, place: &Path, cause: &dyn std::fmt::Display) -> OpenError {
    OpenError::Failed { doing, place: place.display().to_string(), cause: cause.to_string() }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

async fn open(path: &Path, is_immutable: bool) -> Result<SqliteConnection, OpenError> {
    let options = SqliteConnectOptions::new().filename(path).read_only(true).immutable(is_immutable);
    options.disable_statement_logging().connect().await.map_err(|error| failed("open", path, &error))
}

/// Writes the database into the file `into`, and makes that durable.
async fn write(path: &Path, into: &Path) -> Result<(), OpenError> {
    // An empty file, for its user alone, before anything is in it.
    let file = File::options().create_new(true).write(true).mode(PRIVATE).open(into);
    let file = file.map_err(|error| failed("write", into, &error))?;
    let mut connection = open(&named(path)?, false).await?;
    // One statement, which reads what was committed when it began.
    let copied =
        sqlx::query("vacuum into $1").bind(into.display().to_string()).execute(&mut connection).await;
    copied.map_err(|error| failed("copy", path, &error))?;
    let _ = connection.close().await;
    file.sync_all().map_err(|error| failed("write", into, &error))?;
    check(into).await
}

/// Whether a file is a whole database that this version can open.
async fn check(path: &Path) -> Result<(), OpenError> {
    if !path.exists() {
        return Err(OpenError::Missing(path.to_owned()));
    }
    let mut connection = open(path, true).await?;
    let damaged = |error: sqlx::Error| failed("read", path, &error);
    let found: String =
        sqlx::query_scalar("pragma integrity_check").fetch_one(&mut connection).await.map_err(damaged)?;
    if found != "ok" {
        return Err(failed("use", path, &format!("it is damaged: {found}")));
    }
    let schema = sqlx::query_scalar("select coalesce(max(version), 0) from _sqlx_migrations");
    let schema: i64 = schema.fetch_one(&mut connection).await.map_err(damaged)?;
    if !SQLITE_MIGRATIONS.version_exists(schema) {
        return Err(OpenError::Newer { place: path.display().to_string(), migration: schema });
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    // What an earlier try has left is in nobody's way.
    let mut file = File::options().create(true).truncate(true).write(true).mode(PRIVATE).open(to)?;
    io::copy(&mut File::open(from)?, &mut file)?;
    file.sync_all()
}

/// Gives the database, unless that is new, and what is beside it names that nothing has. Answers where the database is, if it was not
/// new. If a file cannot be set aside, none is.
fn set_aside(path: &Path, is_new: bool) -> io::Result<Option<PathBuf>> {
    let is_there = |file: &&str| with_suffix(path, file).exists() && !(is_new && file.is_empty());
    let there: Vec<&str> = FILES.into_iter().filter(is_there).collect();
    // Where there is a log and no database, somebody was killed here who was setting this database aside.
    let is_free =
        |name: &PathBuf| !name.exists() && there.iter().all(|file| !with_suffix(name, file).exists());
    let names = (1..).map(|number: u32| with_suffix(path, &format!(".before-restore-{number}")));
    let aside = names.take(10_000).find(is_free).ok_or(io::ErrorKind::AlreadyExists)?;
    for (done, file) in there.iter().enumerate() {
        if let Err(error) = fs::rename(with_suffix(path, file), with_suffix(&aside, file)) {
            for file in &there[..done] {
                fs::rename(with_suffix(&aside, file), with_suffix(path, file))?;
            }
            return Err(error);
        }
    }
    sync_folder(path)?;
    Ok((!is_new).then_some(aside))
}

fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}
