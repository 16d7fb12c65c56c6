//! Checkpoints go to the coordinator, from where any machine resumes; runs are given back when they are wanted.

use std::time::Duration;

use acai_proto::v1::{Checkpoint, Group};
use acai_worker::Summary;

use crate::coordinator::{Coordinator, End, Fault};
use crate::setup::{LONG, Machine, attempt, group};

/// `printf 'weights\n' | sha256sum`
const WEIGHTS: &str = "1b465fa6b6bcbc06a3199e3d2d8aec35d37494a712f888b6d5536684dd89d0f0";

fn weights(step: u64) -> Checkpoint {
    Checkpoint { step, sha256: WEIGHTS.to_owned(), bytes: 8 }
}

/// Run 7, with what it may resume from.
fn resumable(checkpoints: Vec<Checkpoint>) -> Group {
    let mut group = group([7]);
    group.runs[0].checkpoints = checkpoints;
    group
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_is_uploaded_and_committed_after_its_points_although_calls_fail() {
    let coordinator = Coordinator::start(LONG, [group([7])]).await;
    coordinator.change(|state| {
        use Fault::{LostReply, Unavailable};
        state.faults.insert("stat", [Unavailable].into());
        state.faults.insert("upload", [Unavailable, LostReply].into());
        state.faults.insert("commit", [Unavailable].into());
    });
    let machine = Machine::new(&coordinator, "metric 7 1; checkpoint 7 1; metric 7 2; finished 7 2");

    let summary = machine.work().await.unwrap();

    assert_eq!(summary, Summary { completed: 1, ..Summary::default() });
    coordinator.read(|state| {
        assert_eq!(state.checkpoints, [(attempt(7, 1), weights(1), 1)]);
        assert_eq!(state.blobs[WEIGHTS], b"weights\n");
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_without_checkpoints_resumes_from_the_coordinators_newest_one() {
    let coordinator = Coordinator::start(LONG, [resumable(vec![weights(5), weights(4)])]).await;
    coordinator.change(|state| {
        state.blobs.insert(WEIGHTS.to_owned(), b"weights\n".to_vec());
        state.faults.insert("download", [Fault::Unavailable].into());
    });
    let scenario = "case $start in *attempt-1/resumed-000000005*) metric 7 6; finished 7 6;; esac";
    let machine = Machine::new(&coordinator, scenario);

    let summary = machine.work().await.unwrap();

    assert_eq!(summary, Summary { completed: 1, ..Summary::default() });
    assert!(coordinator.read(|state| state.rejected.is_empty()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_checkpoint_is_rejected_a_missing_one_is_not_and_the_one_before_both_is_used() {
    let absent = Checkpoint { step: 11, sha256: "cd".repeat(32), bytes: 8 };
    let damaged = Checkpoint { step: 9, sha256: "ab".repeat(32), bytes: 8 };
    let coordinator = Coordinator::start(LONG, [resumable(vec![absent, damaged.clone(), weights(5)])]).await;
    coordinator.change(|state| {
        state.blobs.insert(damaged.sha256.clone(), b"wEights\n".to_vec());
        state.blobs.insert(WEIGHTS.to_owned(), b"weights\n".to_vec());
    });
    let scenario = "case $start in *resumed-000000005*) metric 7 6; finished 7 6;; esac";
    let machine = Machine::new(&coordinator, scenario);

    let summary = machine.work().await.unwrap();

    assert_eq!(summary, Summary { completed: 1, ..Summary::default() });
    assert_eq!(coordinator.read(|state| state.rejected.clone()), [damaged.sha256]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_wanted_back_checkpoints_and_is_released() {
    let coordinator = Coordinator::start(Duration::from_millis(900), [group([7])]).await;
    let scenario =
        "metric 7 1; read -r command; case $command in *stop*7*) checkpoint 7 2; stopped 7 2;; esac";
    let machine = Machine::new(&coordinator, scenario);
    let want = async {
        coordinator.until(|state| state.points.contains_key(&attempt(7, 1))).await;
        coordinator.change(|state| state.yielding.extend([attempt(7, 1)]));
    };

    let (summary, ()) = tokio::join!(machine.work(), want);

    assert_eq!(summary.unwrap(), Summary { released: 1, ..Summary::default() });
    coordinator.read(|state| {
        assert_eq!(state.ends, [(attempt(7, 1), End::Released)]);
        assert_eq!(
            state.checkpoints,
            [(attempt(7, 1), weights(2), 1)],
            "the checkpoint is committed before the run is released"
        );
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_wanted_back_is_released_although_its_checkpoint_cannot_be_uploaded() {
    let coordinator = Coordinator::start(Duration::from_millis(900), [group([7])]).await;
    coordinator.change(|state| state.down = ["upload"].into());
    let scenario = "metric 7 1; read -r command; metric 7 2; checkpoint 7 2; stopped 7 2";
    let mut machine = Machine::new(&coordinator, scenario);
    machine.config.last_uploads = Duration::from_millis(300);
    let want = async {
        coordinator.until(|state| state.points.contains_key(&attempt(7, 1))).await;
        coordinator.change(|state| state.yielding.extend([attempt(7, 1)]));
    };

    let (summary, ()) = tokio::join!(machine.work(), want);

    assert_eq!(summary.unwrap(), Summary { released: 1, ..Summary::default() });
    coordinator.read(|state| {
        assert_eq!(state.points[&attempt(7, 1)].len(), 2, "the points do not wait for the checkpoint");
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_wanted_back_is_released_although_its_checkpoint_cannot_be_downloaded() {
    let coordinator = Coordinator::start(Duration::from_millis(900), [resumable(vec![weights(2)])]).await;
    coordinator.change(|state| {
        state.down = ["download"].into();
        state.yielding.extend([attempt(7, 1)]);
    });
    let machine = Machine::new(&coordinator, "touch $data/started; finished 7 9");

    let summary = machine.work().await.unwrap();

    assert_eq!(summary, Summary { released: 1, ..Summary::default() });
    assert!(!machine.file("started").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trainer_that_does_not_give_its_run_back_is_killed() {
    let coordinator = Coordinator::start(Duration::from_millis(900), [group([7])]).await;
    let mut machine = Machine::new(&coordinator, "echo $$ > $data/trainer; metric 7 1; exec sleep 1000");
    machine.config.grace = Duration::from_millis(300);
    let want = async {
        coordinator.until(|state| state.points.contains_key(&attempt(7, 1))).await;
        coordinator.change(|state| state.yielding.extend([attempt(7, 1)]));
    };

    let (summary, ()) = tokio::join!(machine.work(), want);

    assert_eq!(summary.unwrap(), Summary { released: 1, ..Summary::default() });
    assert!(!machine.is_running("trainer"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_for_which_the_disk_has_no_room_is_uploaded_all_the_same_and_kept_when_there_is_room() {
    let coordinator = Coordinator::start(LONG, [group([7])]).await;
    let machine = Machine::new(&coordinator, "metric 7 1; checkpoint 7 1; finished 7 1");
    std::fs::create_dir_all(machine.run_file(7, "")).unwrap();
    let full = machine.run_file(7, "resume.json.tmp");
    std::os::unix::fs::symlink("/dev/full", &full).unwrap();
    let make_room = async {
        coordinator.until(|state| !state.checkpoints.is_empty()).await;
        assert_eq!(coordinator.read(|state| state.ends.clone()), []);
        std::fs::remove_file(full).unwrap();
    };

    let (summary, ()) = tokio::join!(machine.work(), make_room);

    assert_eq!(summary.unwrap(), Summary { completed: 1, ..Summary::default() });
    let record = std::fs::read_to_string(machine.run_file(7, "resume.json")).unwrap();
    assert!(record.contains("attempt-1/step-1"), "{record}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_that_only_this_machine_has_is_handed_over_by_the_attempt_that_resumes_from_it() {
    let coordinator = Coordinator::start(LONG, [resumable(vec![weights(4)])]).await;
    let machine = Machine::new(&coordinator, "case $start in *attempt-0/step-5*) finished 7 5;; esac");
    std::fs::create_dir_all(machine.run_file(7, "attempt-0")).unwrap();
    std::fs::write(machine.run_file(7, "attempt-0/step-5"), "weights\n").unwrap();
    let record = r#"{"checkpoints":[{"step":5,"file":"attempt-0/step-5"}]}"#;
    std::fs::write(machine.run_file(7, "resume.json"), record).unwrap();

    let summary = machine.work().await.unwrap();

    assert_eq!(summary, Summary { completed: 1, ..Summary::default() });
    coordinator.read(|state| assert_eq!(state.checkpoints, [(attempt(7, 1), weights(5), 0)]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_that_ends_too_early_goes_on_where_it_ended_and_nothing_is_rejected() {
    let coordinator = Coordinator::start(LONG, [resumable(vec![weights(5)])]).await;
    coordinator.change(|state| {
        state.blobs.insert(WEIGHTS.to_owned(), b"weights\n".to_vec());
        state.faults.insert("download", [Fault::Partial(3), Fault::Partial(0), Fault::Partial(2)].into());
    });
    let scenario = "case $start in *resumed-000000005*) metric 7 6; finished 7 6;; esac";
    let machine = Machine::new(&coordinator, scenario);

    let summary = machine.work().await.unwrap();

    assert_eq!(summary, Summary { completed: 1, ..Summary::default() });
    assert!(coordinator.read(|state| state.rejected.is_empty()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_resumes_from_an_earlier_checkpoint_when_the_newest_cannot_be_read() {
    let unreadable = Checkpoint { step: 9, sha256: "ab".repeat(32), bytes: 8 };
    let coordinator = Coordinator::start(LONG, [resumable(vec![unreadable.clone(), weights(5)])]).await;
    coordinator.change(|state| {
        state.unreadable.insert(unreadable.sha256);
        state.blobs.insert(WEIGHTS.to_owned(), b"weights\n".to_vec());
    });
    let scenario = "case $start in *resumed-000000005*) metric 7 6; finished 7 6;; esac";
    let machine = Machine::new(&coordinator, scenario);

    let summary = machine.work().await.unwrap();

    assert_eq!(summary, Summary { completed: 1, ..Summary::default() });
    assert!(
        coordinator.read(|state| state.rejected.is_empty()),
        "a checkpoint that cannot be read may be repaired"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_completes_although_its_checkpoints_cannot_be_stored_with_the_coordinator() {
    let coordinator = Coordinator::start(LONG, [group([7])]).await;
    coordinator.change(|state| drop(state.faults.insert("upload", vec![Fault::Broken; 1000].into())));
    let machine = Machine::new(&coordinator, "metric 7 1; checkpoint 7 1; finished 7 1");

    let summary = machine.work().await.unwrap();

    assert_eq!(summary, Summary { completed: 1, ..Summary::default() });
    let record = std::fs::read_to_string(machine.run_file(7, "resume.json")).unwrap();
    assert!(record.contains("attempt-1/step-1"), "{record}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hung_upload_delays_no_checkpoint_on_this_machine_and_old_files_are_deleted() {
    let coordinator = Coordinator::start(LONG, [group([7])]).await;
    coordinator.change(|state| drop(state.faults.insert("upload", [Fault::Hung].into())));
    let checkpoints: String =
        (1..=20).map(|step| format!("metric 7 {step}; checkpoint 7 {step}; ")).collect();
    let machine = Machine::new(&coordinator, &format!("{checkpoints} read -r command; stopped 7 20"));
    let record = || std::fs::read_to_string(machine.run_file(7, "resume.json")).unwrap_or_default();
    let files = || std::fs::read_dir(machine.run_file(7, "attempt-1")).map_or(0, Iterator::count);

    let stop = crate::setup::until(|| record().contains("attempt-1/step-20") && files() <= 2);
    machine.work_until(stop).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_proxy_refuses_ends_no_attempt_and_takes_no_checkpoint_out_of_use() {
    for status in [403, 404] {
        let coordinator = Coordinator::start(LONG, [resumable(vec![weights(5)])]).await;
        coordinator.change(|state| drop(state.blobs.insert(WEIGHTS.to_owned(), b"weights\n".to_vec())));
        let scenario = "metric 7 6; : > $data/waits; until [ -e $data/refused ]; do sleep 0.01; done;
            metric 7 7; checkpoint 7 7; finished 7 7";
        let machine = Machine::new(&coordinator, scenario);
        let refuse = async {
            crate::setup::until(|| machine.file("waits").exists()).await;
            coordinator.until(|state| state.points.contains_key(&attempt(7, 1))).await;
            coordinator.proxy().answer(status);
            std::fs::write(machine.file("refused"), "").unwrap();
            crate::setup::until(|| machine.spool(1).contains("finished")).await;
            // Long enough for reports, uploads and ends to be refused; none of them may be taken for an answer.
            tokio::time::sleep(Duration::from_secs(2)).await;
            coordinator.proxy().pass_on();
        };

        let (summary, ()) = tokio::join!(machine.work(), refuse);

        assert_eq!(summary.unwrap(), Summary { completed: 1, ..Summary::default() }, "{status}");
        coordinator.read(|state| {
            assert_eq!(state.points[&attempt(7, 1)].len(), 2);
            assert_eq!(state.checkpoints.last(), Some(&(attempt(7, 1), weights(7), 2)));
            assert!(state.rejected.is_empty());
        });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_is_not_given_up_for_a_lack_of_room_that_was_before_an_outage() {
    let coordinator = Coordinator::start(LONG, [group([7])]).await;
    coordinator.change(|state| {
        use Fault::{NoRoom, Unavailable};
        state.faults.insert("upload", [NoRoom, NoRoom, NoRoom, Unavailable, NoRoom].into());
    });
    let machine = Machine::new(&coordinator, "metric 7 1; checkpoint 7 1; finished 7 1");

    let summary = machine.work().await.unwrap();

    assert_eq!(summary, Summary { completed: 1, ..Summary::default() });
    coordinator.read(|state| assert_eq!(state.checkpoints, [(attempt(7, 1), weights(1), 1)]));
}
