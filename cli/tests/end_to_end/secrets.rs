//! Passwords are never shown, and what is stored is for its user alone.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use acai_testing::postgres::Postgres;
use sqlx::{Connection, Executor, PgConnection};

use crate::{Ended, FAILING_TRAINER, Place, Started, eventually, free_address};

/// Planted as a password, and looked for in everything that is printed.
const PASSWORD: &str = "hunter2";

fn shows_no_password(ended: &Ended) {
    assert!(!ended.stdout.contains(PASSWORD) && !ended.stderr.contains(PASSWORD), "{ended:#?}");
    assert!(!ended.stderr.contains("panicked"), "{ended:#?}");
}

/// `acai coordinator` on a free port with a log of everything.
fn coordinator(place: &Place, db: &str, blobs: &str) -> Command {
    let listen = free_address();
    let mut command = place.acai(&["coordinator", "--db", db, "--listen", &listen, "--blobs", blobs]);
    command.env("RUST_LOG", "debug");
    command
}

#[test]
fn a_database_that_cannot_be_opened_is_named_without_its_password() {
    let place = Place::new();
    for (url, words) in [
        ("postgress://me:hunter2@127.0.0.1/db", "postgress://me:…@127.0.0.1/db"),
        ("mysql://me:hunter2@127.0.0.1/db", "sqlite:FILE"),
        ("me:hunter2@127.0.0.1/db", "names no database"),
        ("postgres:me:hunter2@127.0.0.1/db", "postgres:"),
        ("postgres://me:hun?ter2hunter2@127.0.0.1/db", "postgres://"),
        ("postgres://me:hunter2@127.0.0.1:1/db", "127.0.0.1:1/db"),
        ("postgres://127.0.0.1:1/db?user=me&password=hunter2", "127.0.0.1:1/db"),
        ("host=127.0.0.1 password=hunter2", "names no database"),
    ] {
        let ended = Ended::from(coordinator(&place, url, "blobs").output().unwrap());
        assert_eq!(ended.code, Some(1), "{ended:#?}");
        assert!(ended.stderr.contains(words), "{ended:#?}");
        shows_no_password(&ended);
    }
}

#[tokio::test]
async fn a_coordinator_on_a_database_with_a_password_never_shows_it() {
    let Some(server) = Postgres::start() else { return };
    let url = server.create_database().unwrap();
    let mut admin = PgConnection::connect(&url).await.unwrap();
    admin.execute("create role me superuser login password 'hunter2'").await.unwrap();
    let rules: String =
        sqlx::query_scalar("select current_setting('hba_file')").fetch_one(&mut admin).await.unwrap();
    let with_passwords = format!("copy (values ('host all all 127.0.0.1/32 scram-sha-256')) to '{rules}'");
    admin.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(with_passwords))).await.unwrap();
    admin.execute("select pg_reload_conf()").await.unwrap();

    let place = Place::new();
    let with = |password: &str| url.replace("postgres@", &format!("me:{password}@"));
    eventually("the server asks for passwords", || {
        let ended = Ended::from(coordinator(&place, &with("hunter2-wrong"), "blobs").output().unwrap());
        shows_no_password(&ended);
        ended.code == Some(1) && ended.stderr.contains("password authentication failed")
    });
    for (right, variable) in [
        (with("hunter2"), ""),
        (format!("{}?user=me&password=hunter2", url.replace("postgres@", "")), ""),
        (url.replace("postgres@", "me@"), PASSWORD),
    ] {
        let mut command = coordinator(&place, &right, "blobs");
        if !variable.is_empty() {
            command.env("PGPASSWORD", variable);
        }
        let listen = command.get_args().nth(4).unwrap().to_str().unwrap().to_owned();
        let started =
            Started { child: command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap() };
        let url = listen.clone();
        eventually("the coordinator listens", || {
            let asked = place.run(&["ls", "--coordinator", &url]);
            shows_no_password(&asked);
            asked.code == Some(0)
        });
        started.interrupt();
        let ended = started.wait();
        assert_eq!(ended.code, Some(0), "{ended:#?}");
        assert!(ended.stderr.contains("coordinator: postgres://"), "{ended:#?}");
        shows_no_password(&ended);
    }
}

#[test]
fn credentials_of_a_bucket_are_not_shown() {
    let place = Place::new();
    for blobs in ["s3://bucket/acai", "s3://key:hunter2@bucket/acai", "s4://key:hunter2@bucket/acai"] {
        let mut command = coordinator(&place, "sqlite:acai.db", blobs);
        command.env("AWS_ACCESS_KEY_ID", "key").env("AWS_SECRET_ACCESS_KEY", PASSWORD);
        command.env("AWS_ENDPOINT_URL", "http://127.0.0.1:1").env("AWS_ALLOW_HTTP", "true");
        let ended = Ended::from(command.env("AWS_REGION", "here").output().unwrap());
        assert_eq!(ended.code, Some(1), "{ended:#?}");
        shows_no_password(&ended);
    }
}

/// `acai` where files are made for everybody unless it says otherwise.
fn with_open_umask(place: &Place, arguments: &[&str]) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", "umask 0; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_acai")]).args(arguments);
    command.env("XDG_CONFIG_HOME", place.path("config"));
    command.current_dir(place.path("")).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[track_caller]
fn assert_private(path: &Path) {
    let metadata = std::fs::metadata(path).unwrap();
    let expected = if metadata.is_dir() { 0o700 } else { 0o600 };
    let mode = metadata.permissions().mode() & 0o777;
    assert_eq!(mode, expected, "{} has {mode:o}, not {expected:o}", path.display());
}

#[test]
fn what_is_stored_is_for_its_user_alone() {
    let place = Place::new();
    let address = free_address();
    let url = address.clone();
    let child = with_open_umask(&place, &["coordinator", "--listen", &address]).spawn().unwrap();
    let _coordinator = Started { child };
    eventually("the coordinator listens", || place.run(&["ls", "--coordinator", &url]).code == Some(0));
    let names = [
        "acai.db",
        "acai.db-wal",
        "acai.db-shm",
        "acai.db.lock",
        "acai.db.blobs",
        "acai.db.blobs/staging",
        "acai.db.access",
        "config/acai",
        "config/acai/access.toml",
    ];
    for name in names {
        assert_private(&place.path(name));
    }

    place.file(
        "good.yaml",
        "version: 1\nname: good\nmax_restarts: 0\nparameters: {model: acai, dataset: lines32}\n",
    );
    place.program("trainer", FAILING_TRAINER);
    let worker = ["worker", "--coordinator", &url, "--state", "state", "--trainer", "./trainer"];
    let worker = [&worker[..], &["--idle-timeout", "0.1"]].concat();
    let worker = Ended::from(with_open_umask(&place, &worker).output().unwrap());
    assert_eq!(worker.code, Some(0), "{worker:#?}");
    assert_private(&place.path("state"));

    let run = ["run", "good.yaml", "--trainer", "./trainer", "--slots", "1", "--state", "own/acai"];
    let run = Ended::from(with_open_umask(&place, &run).output().unwrap());
    assert_eq!(run.code, Some(4), "{run:#?}");
    for name in ["own/acai", "own/acai/acai.db", "own/acai/acai.db.lock", "own/acai/blobs", "own/acai/log"] {
        assert_private(&place.path(name));
    }
}
