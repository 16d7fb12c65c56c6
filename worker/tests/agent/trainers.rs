//! Trainers that break down, fail, or never start.

use std::path::PathBuf;
use std::time::Duration;

use acai_proto::v1::FailureKind;
use acai_worker::{Summary, WorkerError};

use crate::coordinator::{Coordinator, End};
use crate::setup::{LONG, Machine, attempt, group};

/// How the only run ends when its trainer follows `scenario`.
async fn end_of(scenario: &str) -> End {
    let coordinator = Coordinator::start(LONG, [group([7])]).await;
    let mut machine = Machine::new(&coordinator, scenario);
    machine.config.trainer_silence = Duration::from_secs(1);
    machine.config.trainer_setup = Duration::from_millis(700);
    machine.config.trainer_step = Duration::from_millis(500);
    machine.work().await.unwrap();
    coordinator.read(|state| {
        assert_eq!(state.ends.len(), 1);
        state.ends[0].1.clone()
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trainer_that_breaks_down_fails_its_open_run_and_the_message_says_how() {
    let cases = [
        ("echo 'out of memory' >&2; exit 3", ["exit status: 3", "out of memory"]),
        ("kill -SEGV $$", ["SIGSEGV", "nothing to its standard error"]),
        // The trainer's child lives on and holds the trainer's output open.
        ("metric 7 1; echo gone >&2; sleep 1000 & exit 3", ["exit status: 3", "gone"]),
        ("metric 7 1; echo '{\"event\":\"metr'; exec sleep 1000", ["no event", "{\"event\":\"metr"]),
        ("metric 99 1; exec sleep 1000", ["run 99", "not given"]),
        (
            "echo '{\"event\":\"checkpoint\",\"run\":7,\"step\":1,\"path\":\"/etc/passwd\"}'; read -r _",
            ["`/etc/passwd`", "not in the folder"],
        ),
        ("echo stuck >&2; exec sleep 1000", ["reported nothing for 1s", "stuck"]),
        ("echo warming >&2; while :; do progress 7 0; sleep 0.1; done", ["no progress for", "warming"]),
        (
            "progress 7 1; echo looping >&2; while :; do progress 7 1; sleep 0.1; done",
            ["no progress for", "looping"],
        ),
    ];
    let ends = cases.map(|(scenario, expected)| async move {
        let End::Failed { kind: FailureKind::Error, message } = end_of(scenario).await else {
            panic!("`{scenario}` does not fail its run")
        };
        assert!(expected.iter().all(|part| message.contains(part)), "`{scenario}`: {message}");
    });
    for end in ends {
        end.await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trainer_that_takes_its_command_late_still_gets_the_whole_line() {
    // The command for so many runs is longer than a pipe holds, so its end is written only while the trainer reads.
    let coordinator = Coordinator::start(LONG, [group(1..=300)]).await;
    let machine = Machine::new(&coordinator, "");
    machine.before_ready(
        "echo '{\"event\":\"ready\",\"version\":\"1\",\"device\":\"cpu\",\"threads\":1,\"libtorch\":\"none\"}'
        sleep 6; read -r start; echo ${#start} > $data/length
        for run in $(seq 300); do finished $run 1; done; exit 0",
    );

    let summary = machine.work().await.unwrap();

    let length: usize = std::fs::read_to_string(machine.file("length")).unwrap().trim().parse().unwrap();
    assert!(length > 1 << 16, "{length} bytes fit into a pipe");
    assert_eq!(summary, Summary { completed: 300, ..Summary::default() });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_trainer_was_ended_by_a_signal_is_given_back_and_the_slot_rests() {
    for signal in ["TERM", "INT", "HUP"] {
        let end = end_of(&format!("kill -{signal} $$")).await;
        assert!(matches!(&end, End::MachineFault(fault) if fault.contains(signal)), "{end:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_run_does_not_end_the_other_runs_of_its_group() {
    let coordinator = Coordinator::start(LONG, [group([1, 2, 3])]).await;
    let scenario = "metric 1 5; failed 1 5 diverged 'the loss is NaN'; metric 2 9; finished 2 9; exit 1";
    let machine = Machine::new(&coordinator, scenario);

    let summary = machine.work().await.unwrap();

    assert_eq!(summary, Summary { completed: 1, failed: 2, ..Summary::default() });
    coordinator.read(|state| {
        let end = |run| &state.ends.iter().find(|(ended, _)| *ended == attempt(run, 1)).unwrap().1;
        let diverged = End::Failed { kind: FailureKind::Diverged, message: "the loss is NaN".into() };
        assert_eq!(*end(1), diverged);
        assert_eq!(*end(2), End::Completed { step: 9, last_seq: 1 });
        assert!(matches!(end(3), End::Failed { kind: FailureKind::Error, .. }));
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_without_a_sensible_configuration_fails_before_any_trainer_starts() {
    let mut nonsense = group([7]);
    nonsense.runs[0].configuration.pop();
    let coordinator = Coordinator::start(LONG, [nonsense]).await;
    let machine = Machine::new(&coordinator, "touch $data/started");

    machine.work().await.unwrap();

    assert!(!machine.file("started").exists());
    let (_, end) = coordinator.read(|state| state.ends[0].clone());
    assert!(matches!(end, End::Failed { message, .. } if message.contains("`kmeans_inits`")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trainer_that_does_not_start_ends_the_worker_and_its_runs_are_handed_back() {
    let scenario: PathBuf = "scenario.sh".into();
    for (program, reason) in [(scenario, "ermission denied"), ("/bin/false".into(), "exit status: 1")] {
        let coordinator = Coordinator::start(LONG, [group([7, 8])]).await;
        let mut machine = Machine::new(&coordinator, "");
        machine.config.trainer = Some(machine.file("").join(program));

        let error = machine.work().await.unwrap_err();

        assert!(matches!(error, WorkerError::TrainerStart { .. }), "{error:?}");
        assert!(error.to_string().contains(reason), "{error}");
        let ends = coordinator.read(|state| state.ends.clone());
        let is_blameless = |end: &End| matches!(end, End::MachineFault(fault) if fault.contains(reason));
        assert!(ends.len() == 2 && ends.iter().all(|(_, end)| is_blameless(end)), "{ends:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trainer_that_is_killed_before_it_is_ready_is_started_again_but_not_for_ever() {
    let coordinator = Coordinator::start(LONG, [group([7])]).await;
    let machine = Machine::new(&coordinator, "finished 7 9");
    machine.before_ready("echo >> $data/starts; [ $(wc -l < $data/starts) -gt 2 ] || kill -KILL $$");
    assert_eq!(machine.work().await.unwrap(), Summary { completed: 1, ..Summary::default() });

    let coordinator = Coordinator::start(LONG, [group([7])]).await;
    let machine = Machine::new(&coordinator, "finished 7 9");
    machine.before_ready("echo >> $data/starts; kill -KILL $$");
    let error = machine.work().await.unwrap_err();
    assert!(error.to_string().contains("SIGKILL"), "{error}");
    assert_eq!(std::fs::read(machine.file("starts")).unwrap(), b"\n\n\n");
    let ends = coordinator.read(|state| state.ends.clone());
    assert!(matches!(&ends[..], [(_, End::MachineFault(fault))] if fault.contains("SIGKILL")), "{ends:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trainer_that_starts_on_no_slot_ends_the_worker_however_few_runs_there_are() {
    let coordinator = Coordinator::start(LONG, [group([7])]).await;
    let mut machine = Machine::new(&coordinator, "");
    machine.config.slots = Some(3);
    machine.config.slot_rest = LONG;
    machine.before_ready("echo >> $data/starts; exit 1");

    let error = machine.work().await.unwrap_err();

    assert!(matches!(error, WorkerError::TrainerStart { .. }), "{error:?}");
    assert_eq!(std::fs::read(machine.file("starts")).unwrap(), b"\n\n\n", "once for each slot");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_goes_on_when_its_trainer_starts_on_one_slot_and_not_on_another() {
    let coordinator = Coordinator::start(LONG, [group([7])]).await;
    coordinator.change(|state| state.requeues = true);
    let mut machine = Machine::new(&coordinator, "finished 7 9");
    machine.config.slots = Some(2);
    machine.before_ready("mkdir $data/first 2> /dev/null && exit 1");

    let summary = machine.work().await.unwrap();

    assert_eq!(summary, Summary { completed: 1, released: 1, ..Summary::default() });
}
