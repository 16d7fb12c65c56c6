//! A coordinator without a database.

use std::fs;
use std::process::Stdio;

use crate::access::TINY;
use crate::{Place, Started, eventually, free_address};

#[test]
fn a_try_out_in_memory_trains_its_runs_and_leaves_nothing_behind() {
    let place = Place::new();
    place.file("tiny.yaml", TINY);
    let listen = free_address();
    let mut coordinator =
        place.acai(&["coordinator", "--db", "memory:", "--auth", "none", "--listen", &listen]);
    fs::create_dir(place.path("temporary")).unwrap();
    coordinator.env("TMPDIR", place.path("temporary")).stdout(Stdio::piped()).stderr(Stdio::piped());
    let coordinator = Started { child: coordinator.spawn().unwrap() };
    let at = ["--coordinator", &format!("http://{listen}")];
    eventually("the coordinator listens", || place.run(&[&["ls"], &at[..]].concat()).code == Some(0));
    place.run(&[&["submit", "tiny.yaml"], &at[..]].concat()).ok();
    place.run(&[&["worker", "--slots", "1", "--threads", "1", "--idle-timeout", "1"], &at[..]].concat()).ok();
    let table = place.run(&[&["results", "tiny", "--format", "csv"], &at[..]].concat()).ok();
    assert!(table.contains("latent_accuracy"), "{table}");
    assert_eq!(fs::read_dir(place.path("temporary")).unwrap().count(), 1, "where its checkpoints are");

    coordinator.interrupt();
    let ended = coordinator.wait();
    assert_eq!(ended.code, Some(0));
    assert!(ended.stderr.contains("nothing is left of it"), "{}", ended.stderr);
    assert_eq!(fs::read_dir(place.path("temporary")).unwrap().count(), 0);
}
