//! What whoever submits sweeps can have this machine read.

use std::time::Duration;

use acai_proto::v1::{Group, parameter::Value};
use acai_worker::Summary;

use crate::coordinator::{Coordinator, End};
use crate::setup::{LONG, Machine, group};

/// A run on a folder of pictures.
fn on_pictures(run: u64, path: &str) -> Group {
    let mut group = group([run]);
    let dataset =
        group.runs[0].configuration.iter_mut().find(|parameter| parameter.name == "dataset").unwrap();
    dataset.value = Some(Value::Word(format!("images:{path}")));
    group
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_on_pictures_outside_of_the_data_folder_fails_and_no_slot_rests_for_that() {
    let paths = ["/etc", "../secrets", "/no/such/folder"];
    let groups = paths.iter().zip(1..).map(|(path, run)| on_pictures(run, path));
    let groups: Vec<Group> = groups.chain([on_pictures(9, "mine")]).collect();
    let coordinator = Coordinator::start(LONG, groups).await;
    let mut machine = Machine::new(&coordinator, "metric 9 1; finished 9 1");
    // A rest would be longer than the test.
    machine.config.slot_rest = Duration::from_secs(600);
    let summary = machine.work().await.unwrap();
    assert_eq!(summary, Summary { completed: 1, failed: 3, ..Summary::default() });
    coordinator.read(|state| {
        let messages: Vec<&String> = state
            .ends
            .iter()
            .filter_map(|(_, end)| match end {
                End::Failed { message, .. } => Some(message),
                _ => None,
            })
            .collect();
        assert_eq!(messages.len(), 3);
        for message in messages {
            // The same words whether or not there is such a folder.
            assert!(
                message.contains("below its --data alone") && message.contains("--any-folder"),
                "{message}"
            );
        }
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_may_reads_any_folder() {
    let coordinator = Coordinator::start(LONG, [on_pictures(7, "/etc")]).await;
    let mut machine = Machine::new(&coordinator, "metric 7 1; finished 7 1");
    machine.config.any_folder = true;
    assert_eq!(machine.work().await.unwrap(), Summary { completed: 1, ..Summary::default() });
}
