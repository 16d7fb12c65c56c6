//! Bad input: one clear paragraph, a code, and nothing half-done.

use std::net::TcpListener;

use acai_testing::postgres::Postgres;
use sqlx::Executor;

use crate::{Ended, FAILING_TRAINER, Place, eventually, free_address};

const GOOD: &str = "\
version: 1
name: good
parameters:
  model: acai
  dataset: lines32
  lambda: [0.1, 0.5]
";

#[track_caller]
fn refused(ended: &Ended, code: i32, words: &[&str]) {
    assert_eq!(ended.code, Some(code), "{ended:#?}");
    assert_eq!(ended.stdout, "", "{ended:#?}");
    for word in words {
        assert!(ended.stderr.contains(word), "no `{word}` in {ended:#?}");
    }
    assert!(!ended.stderr.contains("panicked"), "{ended:#?}");
}

#[test]
fn a_mistake_in_a_sweep_file_is_shown_where_it_is_and_nothing_is_made() {
    let place = Place::new();
    for (from, to, words) in [
        ("name: good", "nmae: good", &["bad.yaml:2:1", "`nmae`", "`name`"][..]),
        ("lambda: [0.1, 0.5]", "lambda: [0.1, much]", &["bad.yaml:6:17", "`lambda`"]),
        ("lambda: [0.1, 0.5]", "lambda: -1", &["bad.yaml:6:11", "-1"]),
        ("dataset: lines32", "dataset: line32", &["bad.yaml:5:12", "`lines32`"]),
        ("  model: acai\n", "", &["bad.yaml", "`model`"]),
    ] {
        place.file("bad.yaml", &GOOD.replace(from, to));
        for command in ["run", "plan", "submit"] {
            refused(&place.run(&[command, "bad.yaml"]), 3, words);
        }
    }
    refused(&place.run(&["run", "none.yaml"]), 1, &["none.yaml", "No such file"]);
    assert!(!place.path(".acai").exists());
}

#[test]
fn what_a_run_needs_is_looked_for_before_anything_is_made() {
    let place = Place::new();
    place.file("good.yaml", GOOD);
    let no_trainer = place.run(&["run", "good.yaml", "--trainer", "nowhere/trainer"]);
    refused(&no_trainer, 1, &["nowhere/trainer"]);
    place.file("mnist.yaml", &GOOD.replace("lines32", "mnist32"));
    let no_data = place.run(&["run", "mnist.yaml", "--data", "nothing"]);
    refused(&no_data, 1, &["`mnist32`", "nothing/mnist/train-images-idx3-ubyte", "--data"]);
    assert!(!place.path(".acai").exists());
}

#[test]
fn a_coordinator_that_is_not_there_is_named() {
    let place = Place::new();
    place.file("good.yaml", GOOD);
    let url = format!("http://{}", free_address());
    for arguments in
        [&["submit", "good.yaml"][..], &["ls"], &["status", "good"], &["results", "good"], &["workers"]]
    {
        let ended = place.run(&[arguments, &["--coordinator", &url]].concat());
        refused(&ended, 1, &[&url, "acai coordinator"]);
    }
    let worker = place.run(&["worker", "--coordinator", &url]);
    refused(&worker, 1, &[&url]);
    refused(&place.run(&["ls", "--coordinator", "not a url"]), 1, &["not a url"]);
}

#[tokio::test]
async fn a_coordinator_that_cannot_start_says_why() {
    let place = Place::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let start = |db: &str, listen: &str| place.run(&["coordinator", "--db", db, "--listen", listen]);
    refused(&start("sqlite:acai.db", &taken), 1, &[&taken, "in use", "--listen"]);
    let open = place.run(&["coordinator", "--auth", "none", "--listen", "0.0.0.0:0"]);
    refused(&open, 1, &["--insecure"]);
    assert!(!place.path("acai.db").exists());
    refused(&start("mysql://x", "127.0.0.1:0"), 1, &["mysql://x", "sqlite:FILE"]);
    refused(&start("sqlite:no/such/folder/acai.db", "127.0.0.1:0"), 1, &["no/such/folder/acai.db"]);

    place.file("good.yaml", &GOOD.replace("parameters:", "max_restarts: 0\nparameters:"));
    place.program("trainer", FAILING_TRAINER);
    let setup = place.run(&["run", "good.yaml", "--state", ".", "--trainer", "./trainer", "--slots", "1"]);
    assert_eq!(setup.code, Some(4), "{setup:#?}");
    let newer = "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
                 values (9999, 'from the future', 1, x'00', 0)";
    place.database("acai.db").await.execute(newer).await.unwrap();
    refused(&start("sqlite:acai.db", "127.0.0.1:0"), 1, &["acai.db", "newer version"]);
    refused(&place.run(&["run", "good.yaml", "--state", "."]), 1, &["acai.db", "newer version"]);
}

#[test]
fn a_bucket_that_cannot_be_asked_for_want_of_authorities_says_so() {
    let place = Place::new();
    place.file("none.pem", "");
    let mut coordinator = place.acai(&["coordinator", "--listen", &free_address(), "--blobs", "s3://bucket"]);
    coordinator.env("SSL_CERT_FILE", place.path("none.pem")).env_remove("SSL_CERT_DIR");
    let words = ["`s3://bucket`", "No CA certificates"];
    refused(&Ended::from(coordinator.output().unwrap()), 1, &words);
}

#[test]
fn a_coordinator_on_postgres_has_to_be_told_once_where_checkpoints_are_kept() {
    let Some(server) = Postgres::start() else { return };
    let (place, url) = (Place::new(), server.create_database().unwrap());
    let address = free_address();
    let start = ["coordinator", "--db", &url, "--listen", &address];
    refused(&place.run(&start), 1, &["--blobs"]);
    let arguments = [&start[..], &["--blobs", "kept"]].concat();
    for arguments in [&arguments[..], &start] {
        let coordinator = place.start(arguments);
        eventually("the coordinator listens", || {
            place.run(&["ls", "--coordinator", &address]).code == Some(0)
        });
        coordinator.interrupt();
        let ended = coordinator.wait();
        assert!(ended.stderr.contains("kept"), "{ended:#?}");
    }
}

#[tokio::test]
async fn a_run_whose_coordinator_fails_says_what_failed() {
    let place = Place::new();
    place.file("good.yaml", &GOOD.replace("parameters:", "max_restarts: 0\nparameters:"));
    place.program("trainer", FAILING_TRAINER);
    let run = ["run", "good.yaml", "--trainer", "./trainer", "--slots", "1"];
    assert_eq!(place.run(&run).code, Some(4), "its runs have failed");
    // A coordinator that is started gives leases a fresh term; this one cannot.
    place
        .database(".acai/acai.db")
        .await
        .execute(
            "update runs set state = 'running', lease_expires_ms = 1 where idx = 0;
             create trigger broken before update of lease_expires_ms on runs
             begin select raise(abort, 'the disk is on fire'); end",
        )
        .await
        .unwrap();
    let failed = place.run(&run);
    refused(&failed, 1, &["the coordinator that this command started has ended", "the disk is on fire"]);
    assert!(!failed.stderr.contains("start one with"), "{failed:#?}");
}

#[test]
fn an_unknown_sweep_is_answered_with_the_nearest_one() {
    let place = Place::new();
    place.file("good.yaml", GOOD);
    let address = free_address();
    let url = address.clone();
    let _coordinator = place.start(&["coordinator", "--db", "sqlite:acai.db", "--listen", &address]);
    crate::eventually("the coordinator listens", || {
        place.run(&["submit", "good.yaml", "--coordinator", &url]).code == Some(0)
    });
    refused(&place.run(&["results", "goo", "--coordinator", &url]), 1, &["`goo`", "did you mean `good`?"]);
    let grouped = place.run(&["results", "good", "--group-by", "lamda", "--coordinator", &url]);
    refused(&grouped, 1, &["`lamda`", "lambda"]);
    let table = place.run(&["results", "good", "--coordinator", &url]).ok();
    assert!(table.contains("0 of 2 runs completed"), "{table}");
}
