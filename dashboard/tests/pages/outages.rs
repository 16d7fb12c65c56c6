//! A database that is away for a while, and pages that say so.

use std::sync::Arc;
use std::time::Duration;

use acai_coordinator::Guard;
use acai_coordinator::store::postgres::PostgresStore;
use acai_testing::postgres::Postgres;
use tokio::time::sleep;

use crate::{Coordinator, assert_has, import_plane};

const PAGES: [&str; 6] = [
    "/",
    "/workers",
    "/sweeps/plane",
    "/sweeps/plane/runs/0",
    "/sweeps/plane/pictures",
    "/sweeps/plane/results.tex",
];

#[tokio::test(flavor = "multi_thread")]
async fn while_the_database_is_away_each_page_says_so_and_when_it_is_back_they_are_as_before() {
    let Some(mut server) = Postgres::start() else { return };
    let store = PostgresStore::open(&server.create_database().unwrap(), None).await.unwrap();
    let coordinator = Coordinator::on(Arc::new(store), tempfile::tempdir().unwrap(), |_| Guard::open()).await;
    import_plane(&coordinator.use_cases()).await;
    // What was made a moment ago is shown again, so this is none of those below.
    let view = "/sweeps/plane?at=last";
    let before = coordinator.get(view).await.page();

    server.kill().unwrap();
    // All at once: each waits for the database for a while.
    let [a, b, c, d, e, f] = PAGES.map(|path| coordinator.get(path));
    let answers: [_; 6] = tokio::join!(a, b, c, d, e, f).into();
    for (path, answer) in PAGES.iter().zip(answers) {
        assert!([503, 504].contains(&answer.status), "{path}: {answer:?}");
        assert_has(&answer.body, &["<!DOCTYPE html>", "That did not work", "the database"]);
        assert!(!answer.body.contains("postgres://"), "{path} shows where the database is");
    }

    server.start_again().unwrap();
    let mut left = 300;
    while coordinator.get(view).await.status != 200 {
        left -= 1;
        assert!(left > 0, "the page does not come back");
        sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(coordinator.get(view).await.page(), before);
}
