//! A short session on each store: every fault's machinery at work, and every promise kept.
//!
//! `cargo test --workspace` builds the programs that are tested here.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::print_stderr, reason = "what a session did is shown when it fails")]

use std::path::Path;
use std::time::Duration;

use acai_chaos::programs::Programs;
use acai_chaos::session::{Settings, run};
use acai_chaos::store_kind::StoreKind;
use tokio::sync::Mutex;

/// Both sessions want the whole machine.
static MACHINE: Mutex<()> = Mutex::const_new(());

/// Long enough for a few faults of processes and some tens of messages.
const FAULTS_FOR: Duration = Duration::from_secs(30);

async fn session(store: StoreKind) {
    let _machine = MACHINE.lock().await;
    // References are kept from one run of the tests to the next, journals of broken promises as well.
    let work = Path::new(env!("CARGO_TARGET_TMPDIR")).join("chaos");
    let programs = Programs::beside_this_one().unwrap();
    let settings = Settings { faults_for: FAULTS_FOR, seed: 1, store, plain: false, work, programs };
    let Some(report) = run(&settings, &|line| eprintln!("{line}")).await.unwrap() else { return };
    eprintln!("{}", report.table());
    assert!(report.is_clean(), "{:#}", report.json());
    assert!(report.faults.len() > 4 && report.verdict.points_acknowledged > 0, "nothing was tested");
    assert_eq!(report.verdict.bit_equal, report.runs);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_on_sqlite() {
    session(StoreKind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_on_postgres_with_two_coordinators() {
    session(StoreKind::Postgres).await;
}
