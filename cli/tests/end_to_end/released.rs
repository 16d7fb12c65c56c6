//! Databases of released versions: this one takes them over, and everything in them stays what it was.
//!
//! `cli/tests/released/VERSION/` was written by that version's programs (`make release-fixture`):
//! `finished.*`, a sweep that is complete, as an SQLite file, as statements for Postgres, and its table in each format;
//! `interrupted.*`, one that Ctrl-C stopped in its middle, with the checkpoints that it goes on from.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use acai_testing::postgres::Postgres;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde_json::Value;
use sqlx::{Connection, Executor, PgConnection, SqliteConnection};

use crate::{Ended, Place, Started, eventually, free_address};

const RELEASED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/released");

/// A table, for people and for programs: the file's ending and the command's format.
const TABLES: [(&str, &str); 3] = [("txt", "table"), ("csv", "csv"), ("json", "json")];

/// The folders of all released versions.
fn releases() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> =
        fs::read_dir(RELEASED).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    assert!(!folders.is_empty());
    folders
}

fn unpack(from: &Path, to: &Path) {
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    let mut bytes = Vec::new();
    GzDecoder::new(fs::File::open(from).unwrap()).read_to_end(&mut bytes).unwrap();
    fs::write(to, bytes).unwrap();
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy_folder(&entry.path(), &target),
            false => fs::copy(entry.path(), target).map(|_| ()).unwrap(),
        }
    }
}

/// The finished sweep of a release is complete here too, and its tables are the same, byte for byte; but for columns that CSV has since.
fn finished_sweep_is_what_it_was(release: &Path, place: &Place, db: &str) {
    fs::copy(release.join("finished.yaml"), place.path("finished.yaml")).unwrap();
    let address = free_address();
    let url = address.clone();
    let _coordinator = place.start(&["coordinator", "--db", db, "--listen", &address, "--blobs", "blobs"]);
    let ask = |arguments: &[&str]| place.run(&[arguments, &["--coordinator", &url]].concat());
    eventually("the coordinator listens", || ask(&["ls"]).code == Some(0));
    let submitted = ask(&["submit", "finished.yaml", "--json"]).ok();
    let submitted: Value = serde_json::from_str(&submitted).unwrap();
    let runs = ["new_runs", "existing_runs", "other_runs"].map(|runs| submitted[runs].as_u64());
    assert_eq!(runs, [Some(0), Some(4), Some(0)], "{submitted}");
    for (ending, format) in TABLES {
        let table = ask(&["results", "finished", "--format", format]).ok();
        let expected = fs::read_to_string(release.join(format!("finished.{ending}"))).unwrap();
        let is_same = match format {
            // Columns may have been added behind the others.
            "csv" => {
                table
                    .lines()
                    .zip(expected.lines())
                    .all(|(new, old)| new == old || new.starts_with(&format!("{old},")))
                    && table.lines().count() == expected.lines().count()
            }
            _ => table == expected,
        };
        assert!(is_same, "{format} of {}: {table}\nwas: {expected}", release.display());
    }
}

#[test]
fn a_sweep_that_an_earlier_release_finished_is_complete_and_its_tables_are_the_same() {
    for release in releases() {
        let place = Place::new();
        unpack(&release.join("finished.db.gz"), &place.path("acai.db"));
        finished_sweep_is_what_it_was(&release, &place, "sqlite:acai.db");
    }
}

#[tokio::test]
async fn so_it_is_on_postgres() {
    let Some(server) = Postgres::start() else { return };
    for release in releases() {
        let url = server.create_database().unwrap();
        let statements = fs::read_to_string(release.join("finished.postgres.sql")).unwrap();
        let mut database = PgConnection::connect(&url).await.unwrap();
        database.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(statements))).await.unwrap();
        database.close().await.unwrap();
        finished_sweep_is_what_it_was(&release, &Place::new(), &url);
    }
}

#[tokio::test]
async fn a_sweep_that_an_earlier_release_was_stopped_in_goes_on_from_its_checkpoints() {
    for release in releases() {
        let place = Place::new();
        fs::copy(release.join("interrupted.yaml"), place.path("interrupted.yaml")).unwrap();
        unpack(&release.join("interrupted.db.gz"), &place.path(".acai/acai.db"));
        copy_folder(&release.join("interrupted.blobs"), &place.path(".acai/blobs"));
        let ended = place.run(&["run", "interrupted.yaml", "--slots", "1", "--threads", "1"]);
        assert!(ended.stderr.contains("0 new runs, 2 were there already"), "{ended:#?}");
        ended.ok();
        let mut database = place.database(".acai/acai.db").await;
        let attempts: Vec<(i64, i64, String)> = sqlx::query_as(
            "select r.idx, a.number, a.outcome from attempts a join runs r on r.id = a.run_id
             order by r.idx, a.number",
        )
        .fetch_all(&mut database)
        .await
        .unwrap();
        let expected = [(0, 1, "completed"), (1, 1, "released"), (1, 2, "completed")];
        assert_eq!(attempts, expected.map(|(run, number, outcome)| (run, number, outcome.to_owned())));
        // Had it started from scratch, the second attempt would have reported every point again.
        let (resumed, points): (i64, i64) = sqlx::query_as(
            "select acked_seq, (select count(*) from metrics m where m.run_id = a.run_id)
             from attempts a where number = 2",
        )
        .fetch_one(&mut database)
        .await
        .unwrap();
        assert!(resumed < points, "{resumed} of {points} points were reported by the second attempt");
    }
}

/// The programs of the release whose databases are made.
struct Release {
    programs: PathBuf,
    place: Place,
}

impl Release {
    fn acai(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.programs.join("acai"));
        command.args(arguments).current_dir(self.place.path("")).stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> String {
        Ended::from(self.acai(arguments).output().unwrap()).ok()
    }

    fn start(&self, arguments: &[&str]) -> Started {
        let child = self.acai(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        Started { child }
    }

    /// Trains the finished sweep on this database and answers its tables.
    fn finish(&self, db: &str) -> Vec<(&'static str, String)> {
        let address = free_address();
        let url = address.clone();
        let _coordinator = self.start(&["coordinator", "--db", db, "--listen", &address, "--blobs", "blobs"]);
        let at = ["--coordinator", &url];
        eventually("the coordinator listens", || {
            self.acai(&[&["ls"][..], &at].concat()).output().unwrap().status.success()
        });
        self.run(&[&["submit", "finished.yaml"][..], &at].concat());
        let worker = ["worker", "--slots", "1", "--threads", "1", "--idle-timeout", "2"];
        self.run(&[&worker[..], &at].concat());
        let results = ["results", "finished", "--format"];
        TABLES.map(|(ending, format)| (ending, self.run(&[&results[..], &[format], &at].concat()))).to_vec()
    }

    /// One small file with all that the database has.
    async fn pack(&self, database: &str, to: &Path) {
        let path = self.place.path(database);
        let url = format!("sqlite:{}", path.display());
        let mut connection = SqliteConnection::connect(&url).await.unwrap();
        for statement in ["pragma wal_checkpoint(truncate)", "pragma journal_mode = delete", "vacuum"] {
            connection.execute(statement).await.unwrap();
        }
        connection.close().await.unwrap();
        let mut packed = GzEncoder::new(fs::File::create(to).unwrap(), Compression::best());
        packed.write_all(&fs::read(path).unwrap()).unwrap();
        packed.finish().unwrap();
    }
}

const FINISHED: &str = "\
version: 1
name: finished
metric: {name: eval/latent_accuracy, goal: maximize}
parameters:
  model: acai
  dataset: digits32
  lambda: [0, 0.5]
  depth: 1
  latent: 2
  lr: 0.01
  batch: 32
  total_kimg: 0.5
  eval_kimg: 0.25
  kmeans_inits: 2
seeds: 2
";

/// Long enough to be stopped in its second run.
const INTERRUPTED: &str = "\
version: 1
name: interrupted
metric: {name: eval/latent_accuracy, goal: maximize}
parameters:
  model: acai
  dataset: digits32
  lambda: [0.1, 0.5]
  depth: 1
  latent: 2
  lr: 0.01
  batch: 16
  total_kimg: 4
  eval_kimg: 0.5
  kmeans_inits: 2
checkpoint: {every_kimg: 0.5}
";

#[tokio::test]
#[ignore = "writes the databases of a release: make release-fixture PROGRAMS=FOLDER"]
async fn make_the_databases_of_a_release() {
    let programs = fs::canonicalize(std::env::var_os("PROGRAMS").expect("PROGRAMS names a folder")).unwrap();
    let release = Release { programs, place: Place::new() };
    let version = release.run(&["--version"]);
    let folder = Path::new(RELEASED).join(version.trim().rsplit(' ').next().unwrap());
    assert!(!folder.exists(), "{} is there: a release is never made again", folder.display());
    fs::create_dir_all(&folder).unwrap();
    for (name, text) in [("finished.yaml", FINISHED), ("interrupted.yaml", INTERRUPTED)] {
        release.place.file(name, text);
        fs::write(folder.join(name), text).unwrap();
    }

    let tables = release.finish("sqlite:acai.db");
    release.pack("acai.db", &folder.join("finished.db.gz")).await;
    let server = Postgres::start().expect("a Postgres to dump");
    let url = server.create_database().unwrap();
    assert_eq!(release.finish(&url), tables, "training is deterministic, and so are its tables");
    fs::write(folder.join("finished.postgres.sql"), server.dump(&url).unwrap()).unwrap();
    for (ending, table) in tables {
        fs::write(folder.join(format!("finished.{ending}")), table).unwrap();
    }

    let interrupted = release.start(&["run", "interrupted.yaml", "--slots", "1", "--threads", "1"]);
    let database = format!("sqlite:{}?mode=ro", release.place.path(".acai/acai.db").display());
    let has_checkpoint = "select count(*) from checkpoints c join runs r on r.id = c.run_id
                          where r.idx = 1 and c.state = 'committed'";
    loop {
        if let Ok(mut connection) = SqliteConnection::connect(&database).await
            && sqlx::query_scalar::<_, i64>(has_checkpoint)
                .fetch_one(&mut connection)
                .await
                .is_ok_and(|n| n > 0)
        {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    interrupted.interrupt();
    assert_eq!(interrupted.wait().code, Some(130));
    release.pack(".acai/acai.db", &folder.join("interrupted.db.gz")).await;
    let needed = "select c.sha256 from checkpoints c join runs r on r.id = c.run_id
                  where c.state = 'committed' and r.state <> 'completed'";
    let mut connection = SqliteConnection::connect(&database).await.unwrap();
    for blob in sqlx::query_scalar::<_, String>(needed).fetch_all(&mut connection).await.unwrap() {
        let name = format!("{}/{blob}", &blob[..2]);
        let to = folder.join("interrupted.blobs").join(&name);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(release.place.path(".acai/blobs").join(name), to).unwrap();
    }
    make_readable(&folder);
}

/// What a coordinator keeps is for its user alone; a checkout is not.
fn make_readable(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let is_folder = entry.file_type().unwrap().is_dir();
        fs::set_permissions(entry.path(), fs::Permissions::from_mode(if is_folder { 0o755 } else { 0o644 }))
            .unwrap();
        if is_folder {
            make_readable(&entry.path());
        }
    }
}
