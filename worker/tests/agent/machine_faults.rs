//! A fault of the machine is charged to no run: the slot rests, and the other slots go on.

use std::time::Duration;

use acai_worker::Summary;

use crate::coordinator::{Coordinator, End};
use crate::setup::{LONG, Machine, attempt, group, until};

/// The end of the first attempt at a run.
fn end_of(coordinator: &Coordinator, run: u64) -> End {
    coordinator.read(|state| {
        state.ends.iter().find(|(ended, _)| *ended == attempt(run, 1)).expect("it has ended").1.clone()
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_its_machine_cannot_train_is_given_back_and_the_slot_rests_before_it_takes_the_next() {
    let coordinator = Coordinator::start(LONG, [group([7])]).await;
    coordinator.change(|state| state.requeues = true);
    let scenario = "date +%s%N >> $data/tries
        [ $(wc -l < $data/tries) -gt 3 ] || { failed 7 0 machine 'no disk'; exit 0; }
        finished 7 9";
    let mut machine = Machine::new(&coordinator, scenario);
    machine.config.slot_rest = Duration::from_millis(200);

    let summary = machine.work().await.unwrap();

    assert_eq!(summary, Summary { completed: 1, released: 3, ..Summary::default() });
    let no_disk = || End::MachineFault("no disk".into());
    coordinator.read(|state| {
        let ends: Vec<&End> = state.ends.iter().map(|(_, end)| end).collect();
        let completed = End::Completed { step: 9, last_seq: 0 };
        assert_eq!(ends, [&no_disk(), &no_disk(), &no_disk(), &completed]);
        let rests = &state.rests;
        assert!(rests.contains(&(1, "no disk".into())), "{rests:?}");
        assert_eq!(
            rests.last().map(|(slots, _)| *slots),
            Some(0),
            "the worker tells when no slot rests any more"
        );
    });
    let tries = std::fs::read_to_string(machine.file("tries")).unwrap();
    let tries: Vec<u64> = tries.lines().map(|line| line.parse().unwrap()).collect();
    for (pair, least) in tries.windows(2).zip([100, 200, 400]) {
        let waited = Duration::from_nanos(pair[1] - pair[0]);
        assert!(waited >= Duration::from_millis(least), "the slot rested only {waited:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trainer_that_is_killed_from_outside_fails_no_run_and_the_other_slots_go_on() {
    let coordinator = Coordinator::start(LONG, [group([1]), group([2, 3])]).await;
    let scenario = "case $start in
        *'\"run\":1,'*) until [ -e $data/go ]; do progress 1 0; sleep 0.02; done; finished 1 9;;
        *) metric 2 1; kill -KILL $$;;
    esac";
    let mut machine = Machine::new(&coordinator, scenario);
    machine.config.slots = Some(2);

    let killed = async {
        coordinator.until(|state| state.ends.len() == 2).await;
        std::fs::write(machine.file("go"), "").unwrap();
    };
    let (summary, ()) = tokio::join!(machine.work(), killed);

    assert_eq!(summary.unwrap(), Summary { completed: 1, released: 2, ..Summary::default() });
    for run in [2, 3] {
        let end = end_of(&coordinator, run);
        assert!(matches!(&end, End::MachineFault(fault) if fault.contains("SIGKILL")), "{end:?}");
    }
    assert!(matches!(end_of(&coordinator, 1), End::Completed { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_trainer_of_several_runs_breaks_down_none_fails_since_nobody_knows_which_is_to_blame() {
    for (breakdown, said) in [("kill -SEGV $$", "SIGSEGV"), ("exit 3", "exit status: 3")] {
        let coordinator = Coordinator::start(LONG, [group([1, 2])]).await;
        let machine = Machine::new(&coordinator, &format!("metric 1 1; {breakdown}"));

        let summary = machine.work().await.unwrap();

        assert_eq!(summary, Summary { released: 2, ..Summary::default() });
        for run in [1, 2] {
            let end = end_of(&coordinator, run);
            assert!(matches!(&end, End::GroupFault(fault) if fault.contains(said)), "{end:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_whose_trainer_breaks_down_fail_with_a_coordinator_that_would_grant_their_group_again_at_once() {
    let coordinator = Coordinator::start(LONG, [group([1, 2])]).await;
    // A coordinator of the first release would grant the group again without end.
    coordinator.change(|state| state.first_release = true);
    let machine = Machine::new(&coordinator, "metric 1 1; kill -SEGV $$");

    let summary = machine.work().await.unwrap();

    assert_eq!(summary, Summary { failed: 2, ..Summary::default() });
    for run in [1, 2] {
        let end = end_of(&coordinator, run);
        assert!(matches!(&end, End::Failed { message, .. } if message.contains("SIGSEGV")), "{end:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_folder_cannot_be_used_is_given_back_and_the_rest_of_its_group_is_trained() {
    let coordinator = Coordinator::start(LONG, [group([7, 8])]).await;
    let machine = Machine::new(&coordinator, "finished 8 9");
    let folder = machine.run_file(7, "");
    std::fs::create_dir_all(folder.parent().unwrap()).unwrap();
    std::fs::write(machine.file("state/runs").join("lines-7"), "no folder").unwrap();

    let summary = machine.work().await.unwrap();

    assert_eq!(summary, Summary { completed: 1, released: 1, ..Summary::default() });
    let end = end_of(&coordinator, 7);
    assert!(matches!(&end, End::MachineFault(fault) if fault.contains("state folder")), "{end:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_whose_trainer_no_longer_starts_rests_and_the_worker_goes_on() {
    let coordinator = Coordinator::start(LONG, [group([7])]).await;
    let machine = Machine::new(&coordinator, "finished 7 9; echo 'exit 1' > $data/before_ready.sh");

    let update = async {
        coordinator.until(|state| state.ends.len() == 1).await;
        until(|| machine.file("before_ready.sh").exists()).await;
        coordinator.change(|state| state.queue.push_back(group([8])));
    };
    let (summary, ()) = tokio::join!(machine.work(), update);

    assert_eq!(summary.unwrap(), Summary { completed: 1, released: 1, ..Summary::default() });
    let end = end_of(&coordinator, 8);
    assert!(matches!(&end, End::MachineFault(fault) if fault.contains("cannot be started")), "{end:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spool_that_can_never_be_written_gives_the_run_back_and_does_not_hold_the_slot() {
    let coordinator = Coordinator::start(LONG, [group([7]), group([8])]).await;
    let scenario = "case $start in *'\"run\":8,'*) finished 8 9; exit 0;; esac
        metric 7 1; while :; do progress 7 1; sleep 0.05; done";
    let machine = Machine::new(&coordinator, scenario);
    machine.before_ready(
        "[ -e $data/second ] && mkdir -p $data/state/spool || rm -r $data/state/spool; touch $data/second",
    );

    let summary = machine.work().await.unwrap();

    assert_eq!(summary, Summary { completed: 1, released: 1, ..Summary::default() });
    let end = end_of(&coordinator, 7);
    assert!(matches!(&end, End::MachineFault(fault) if fault.contains("state folder")), "{end:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_folder_cannot_be_looked_at_while_it_trains_is_given_back_and_the_slot_rests() {
    let folder = "folder=$(echo \"$start\" | sed 's/.*\"folder\":\"\\([^\"]*\\)\".*/\\1/')";
    let events = ["checkpoint", "artifact"];
    for event in events {
        let coordinator = Coordinator::start(LONG, [group([7])]).await;
        // The folder becomes a link to itself, so that looking for a file in it is an error that does not say that
        // there is none.
        let scenario = format!(
            "{folder}; rmdir $folder; ln -s $folder $folder
            echo '{{\"event\":\"{event}\",\"run\":7,\"step\":1,\"path\":\"'$folder/file'\"}}'
            read -r command; echo $command > $data/command; stopped 7 1"
        );
        let machine = Machine::new(&coordinator, &scenario);

        let summary = machine.work().await.unwrap();

        assert_eq!(summary, Summary { released: 1, ..Summary::default() });
        let end = end_of(&coordinator, 7);
        assert!(matches!(&end, End::MachineFault(fault) if fault.contains("attempt-1")), "{end:?}");
        let rests = coordinator.read(|state| state.rests.clone());
        assert!(rests.iter().any(|(slots, why)| *slots == 1 && why.contains("attempt-1")), "{rests:?}");
        let command = std::fs::read_to_string(machine.file("command")).unwrap();
        assert!(command.contains("stop"), "the trainer was told `{command}`");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_checkpoint_that_cannot_be_set_aside_is_no_failure_of_the_run_and_the_slot_rests() {
    let coordinator = Coordinator::start(LONG, [group([7])]).await;
    coordinator.change(|state| state.requeues = true);
    let machine = Machine::new(&coordinator, "checkpoint 7 1; read -r command; stopped 7 1");
    let committed = async {
        until(|| machine.run_file(7, "resume.json").exists()).await;
    };
    machine.work_until(committed).await.unwrap();
    // A folder has the name that the refused file would get, so that the file cannot be renamed until the folder is
    // gone.
    let in_the_way = machine.run_file(7, "attempt-1/step-1.refused");
    std::fs::create_dir_all(in_the_way.join("x")).unwrap();
    machine.follow(&format!(
        "case $start in *'\"resume\":null'*) finished 7 9; exit 0;; esac
        echo >> $data/tries; [ $(wc -l < $data/tries) -lt 2 ] || rm -r {}
        failed 7 0 checkpoint 'its header is damaged'",
        in_the_way.display()
    ));

    let summary = machine.work().await.unwrap();

    assert_eq!(summary, Summary { completed: 1, released: 2, ..Summary::default() });
    coordinator.read(|state| {
        let ends: Vec<&End> = state.ends.iter().map(|(_, end)| end).collect();
        let completed = End::Completed { step: 9, last_seq: 0 };
        let [End::Released, End::MachineFault(fault), End::Released, end] = ends[..] else {
            panic!("{ends:?}")
        };
        assert!(fault.contains("cannot be set aside"), "{fault}");
        assert_eq!(*end, completed);
        assert!(state.rests.iter().any(|(slots, why)| *slots == 1 && why == fault), "{:?}", state.rests);
    });
}
