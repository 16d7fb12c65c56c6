//! A database is backed up while it is served, and restored while workers train.

use std::os::unix::fs::PermissionsExt as _;

use crate::outages::{LONG, assert_same, points};
use crate::{Place, eventually, free_address};

#[tokio::test]
async fn a_sweep_goes_on_from_a_backup_that_was_made_while_it_was_trained_with_the_same_points() {
    let sweep = LONG
        .replace("total_kimg: 6", "total_kimg: 2")
        .replace("kimg: 2\n  eval_kimg: 2", "kimg: 2\n  eval_kimg: 0.5");
    let place = Place::new();
    place.file("long.yaml", &sweep);
    let address = free_address();
    let coordinator = ["coordinator", "--listen", &address];
    let mut first = place.start(&coordinator);
    eventually("the coordinator listens", || place.run(&["ls"]).code == Some(0));
    place.run(&["submit", "long.yaml"]).ok();
    let worker = place.start(&["worker", "--slots", "2", "--idle-timeout", "3"]);
    let points_stored = async || points(&mut place.database("acai.db").await).await.len();
    let more_than = async |points: usize| {
        while points_stored().await <= points {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    more_than(10).await;
    place.run(&["backup", "-o", "backup.db"]).ok();
    let mode = std::fs::metadata(place.path("backup.db")).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600, "it holds the key of the authority");
    let held = points(&mut place.database("backup.db").await).await.len();
    assert!(held > 0);
    let refused = place.run(&["backup", "-o", "backup.db"]);
    assert!(refused.code == Some(1) && refused.stderr.contains("already"), "{refused:#?}");
    let refused = place.run(&["restore", "backup.db"]);
    assert!(
        refused.code == Some(1) && refused.stderr.contains("another coordinator is using"),
        "{refused:#?}"
    );

    more_than(held + 5).await;
    first.kill();
    place.run(&["restore", "backup.db"]).ok();
    assert_eq!(points_stored().await, held, "the database is older now");
    assert!(place.path("acai.db.before-restore-1").exists());
    let _second = place.start(&[&coordinator[..], &["--take-blobs"]].concat());
    let ended = worker.wait();
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert!(place.run(&["status", "long"]).ok().contains("2 completed"));
    let undisturbed = Place::new();
    undisturbed.file("long.yaml", &sweep);
    undisturbed.run(&["run", "long.yaml", "--slots", "2"]).ok();
    let expected = points(&mut undisturbed.database(".acai/acai.db").await).await;
    assert_same(&points(&mut place.database("acai.db").await).await, &expected);
}

#[tokio::test]
async fn a_damaged_backup_is_refused_and_the_database_stays() {
    let place = Place::new();
    place.file("long.yaml", LONG);
    let coordinator = place.start(&["coordinator", "--listen", &free_address()]);
    eventually("the coordinator listens", || place.run(&["ls"]).code == Some(0));
    place.run(&["submit", "long.yaml"]).ok();
    coordinator.interrupt();
    coordinator.wait();
    place.run(&["backup", "-o", "backup.db"]).ok();
    let whole = std::fs::read(place.path("backup.db")).unwrap();
    let mut changed = whole.clone();
    changed[whole.len() / 2..].fill(7);
    for (name, bytes) in
        [("short.db", &whole[..whole.len() / 2]), ("changed.db", &changed), ("text.db", b"no database")]
    {
        std::fs::write(place.path(name), bytes).unwrap();
        let refused = place.run(&["restore", name]);
        assert!(refused.code == Some(1) && refused.stderr.contains(name), "{refused:#?}");
    }
    let refused = place.run(&["restore", "missing.db"]);
    assert!(refused.code == Some(1) && refused.stderr.contains("missing.db"), "{refused:#?}");
    assert!(!place.path("acai.db.before-restore-1").exists());
    // Where there is no database yet, there is nothing to set aside.
    place.run(&["restore", "backup.db", "--db", "sqlite:new.db"]).ok();
    let runs: i64 = sqlx::query_scalar("select count(*) from runs")
        .fetch_one(&mut place.database("new.db").await)
        .await
        .unwrap();
    assert_eq!(runs, 2);
}

#[tokio::test]
async fn a_backup_is_restored_also_where_a_killed_coordinator_left_a_log_and_the_database_is_gone() {
    let place = Place::new();
    place.file("long.yaml", LONG);
    let serve = |arguments: &[&str]| {
        let coordinator = place.start(&[&["coordinator", "--listen", &free_address()], arguments].concat());
        eventually("the coordinator listens", || place.run(&["ls"]).code == Some(0));
        coordinator
    };
    let mut coordinator = serve(&[]);
    place.run(&["submit", "long.yaml"]).ok();
    place.run(&["backup", "-o", "backup.db"]).ok();
    place.run(&["submit", "long.yaml", "--set", "name=later"]).ok();
    coordinator.kill();
    eventually("it is gone", || place.run(&["ls"]).code != Some(0));
    assert!(
        std::fs::metadata(place.path("acai.db-wal")).unwrap().len() > 0,
        "the second sweep is in the log"
    );
    std::fs::remove_file(place.path("acai.db")).unwrap();

    place.run(&["restore", "backup.db"]).ok();
    assert!(!place.path("acai.db-wal").exists() && place.path("acai.db.before-restore-1-wal").exists());
    let _coordinator = serve(&["--take-blobs"]);
    let sweeps = place.run(&["ls"]).ok();
    assert!(sweeps.contains("long") && !sweeps.contains("later"), "{sweeps}");
}
