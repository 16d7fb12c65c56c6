//! Runs that join a group that trains.

use acai_proto::v1::{Group, Vacancy};
use acai_worker::{GroupSize, Summary};

use crate::coordinator::{Coordinator, End};
use crate::setup::{LONG, Machine, attempt, group, until};

/// Steps of all runs here.
const STEPS: u64 = 16;

/// A group that others may join.
fn open_group(runs: impl IntoIterator<Item = u64>) -> Group {
    Group { shape: "lines at depth 16".to_owned(), name: "a claim/0".to_owned(), ..group(runs) }
}

/// A machine with one slot for groups of two, whose trainers can be joined.
fn machine(coordinator: &Coordinator, scenario: &str) -> Machine {
    let mut machine = Machine::new(coordinator, &format!("echo $$ >> $data/trainers; {scenario}"));
    machine.before_ready("can_stay=true; can_join=true");
    machine.config.group_size = GroupSize::Runs(2);
    machine
}

/// A coordinator that has these two runs, and for the places of their group what is in `joining`.
async fn coordinator(joining: impl IntoIterator<Item = Group>) -> Coordinator {
    let coordinator = Coordinator::start(LONG, [open_group([1, 2])]).await;
    coordinator.change(|state| state.joining = joining.into_iter().collect());
    coordinator
}

fn read(machine: &Machine, file: &str) -> String {
    std::fs::read_to_string(machine.file(file)).unwrap()
}

fn ends(coordinator: &Coordinator, run: u64) -> Vec<End> {
    let of_run = |state: &crate::coordinator::State| {
        state.ends.iter().filter(|(ended, _)| ended.run == run).map(|(_, end)| end.clone()).collect()
    };
    coordinator.read(of_run)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_takes_the_place_of_one_that_has_ended_in_the_same_process() {
    for leaves in
        ["finished 1 16", "failed 1 5 diverged 'the loss is NaN'", "failed 1 0 error 'no such model'"]
    {
        let coordinator = coordinator([open_group([3])]).await;
        let scenario =
            format!("{leaves}; read -r join; echo \"$join\" > $data/join; finished 3 16; finished 2 16");
        let machine = machine(&coordinator, &scenario);

        let summary = machine.work().await.unwrap();

        assert_eq!(summary.completed + summary.failed, 3, "{leaves}");
        assert_eq!(read(&machine, "trainers").lines().count(), 1, "{leaves}");
        let join = read(&machine, "join");
        assert!(join.starts_with("{\"command\":\"join\",\"group\":[{\"run\":3,"), "{leaves}: {join}");
        assert!(matches!(ends(&coordinator, 3)[..], [End::Completed { step: STEPS, .. }]));
        let (shape, name) = ("lines at depth 16".to_owned(), "a claim/0".to_owned());
        let claimed = Vacancy { shape, group: name, places: 1 };
        assert_eq!(coordinator.read(|state| state.vacancies[0].clone()), claimed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_has_its_last_checkpoint_leaves_its_place_before_its_end_is_over() {
    let coordinator = coordinator([open_group([3])]).await;
    let scenario =
        "checkpoint 2 15; checkpoint 2 16; read -r join; finished 3 16; finished 2 16; finished 1 16";
    let machine = machine(&coordinator, scenario);

    let summary = machine.work().await.unwrap();

    assert_eq!(summary, Summary { completed: 3, ..Summary::default() });
}

#[tokio::test(flavor = "multi_thread")]
async fn all_places_of_a_group_that_is_not_full_are_claimed_at_once() {
    let coordinator = coordinator([open_group([3, 4])]).await;
    let mut machine = machine(&coordinator, "read -r join; for run in 1 2 3 4; do finished $run 16; done");
    machine.config.group_size = GroupSize::Runs(4);

    let summary = machine.work().await.unwrap();

    assert_eq!(summary, Summary { completed: 4, ..Summary::default() });
    assert_eq!(coordinator.read(|state| state.vacancies[0].places), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_claimed_for_a_group_that_nobody_may_join_or_whose_trainer_cannot_be_joined() {
    // Longer than places have to be free before they are claimed.
    let scenario = "finished 1 16; sleep 0.5; finished 2 16";
    let of_an_earlier_release = || group([1, 2]);
    for (group, ready) in [
        (open_group([1, 2]), "can_stay=true"),
        (open_group([1, 2]), "can_join=true"),
        (of_an_earlier_release(), "can_stay=true; can_join=true"),
    ] {
        let coordinator = Coordinator::start(LONG, [group]).await;
        let machine = machine(&coordinator, scenario);
        machine.before_ready(ready);

        let summary = machine.work().await.unwrap();

        assert_eq!(summary, Summary { completed: 2, ..Summary::default() });
        assert!(coordinator.read(|state| state.vacancies.is_empty()), "{ready}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_claimed_for_a_group_whose_slot_is_to_rest() {
    let coordinator = coordinator([open_group([3])]).await;
    let machine = machine(&coordinator, "failed 1 5 machine 'the disk is full'; sleep 0.5; finished 2 16");

    let summary = machine.work().await.unwrap();

    assert_eq!(summary, Summary { completed: 1, released: 1, ..Summary::default() });
    assert!(coordinator.read(|state| state.vacancies.is_empty()));
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_of_another_shape_that_a_coordinator_grants_all_the_same_are_given_back_untouched() {
    let coordinator = coordinator([Group { shape: "another".to_owned(), ..group([3]) }, group([4])]).await;
    let scenario =
        "finished 1 16; until [ -e $data/enough ]; do progress 2 9; sleep 0.05; done; finished 2 16";
    let machine = machine(&coordinator, scenario);
    let watching = async {
        coordinator
            .until(|state| state.ends.iter().filter(|(_, end)| *end == End::Released).count() == 2)
            .await;
        std::fs::write(machine.file("enough"), "").unwrap();
        coordinator.until(|state| state.ends.len() == 4).await;
    };

    let summary = machine.work_until(watching).await.unwrap();

    assert_eq!(summary, Summary { completed: 2, released: 2, ..Summary::default() });
    assert!(!machine.run_file(3, "attempt-1").exists() && !machine.run_file(4, "attempt-1").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_that_are_granted_when_the_group_has_just_ended_are_the_trainers_next_group() {
    let coordinator = coordinator([open_group([3, 4])]).await;
    coordinator.change(|state| _ = state.down.insert("join"));
    let scenario = "case $start in
        *'\"run\":3,'*) finished 3 16; finished 4 16;;
        *) finished 1 16; until [ -e $data/enough ]; do progress 2 9; sleep 0.05; done; finished 2 16;;
    esac";
    let machine = machine(&coordinator, scenario);
    let watching = async {
        coordinator.until(|state| !state.vacancies.is_empty()).await;
        std::fs::write(machine.file("enough"), "").unwrap();
        coordinator.until(|state| state.ends.len() == 2).await;
        coordinator.change(|state| _ = state.down.remove("join"));
        coordinator.until(|state| state.ends.len() == 4).await;
    };

    let summary = machine.work_until(watching).await.unwrap();

    assert_eq!(summary, Summary { completed: 4, ..Summary::default() });
    let trainers = read(&machine, "trainers");
    let trainers: Vec<&str> = trainers.lines().collect();
    assert!(trainers.len() == 2 && trainers[0] == trainers[1], "{trainers:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trainer_that_breaks_down_breaks_for_the_runs_that_have_joined_too() {
    let coordinator = coordinator([open_group([3])]).await;
    let machine = machine(&coordinator, "finished 1 16; read -r join; progress 3 1; exit 3");

    let summary = machine.work().await.unwrap();

    assert_eq!(summary, Summary { completed: 1, released: 2, ..Summary::default() });
    for run in [2, 3] {
        let ends = ends(&coordinator, run);
        assert!(matches!(&ends[..], [End::GroupFault(why)] if why.contains("exit status: 3")), "{ends:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_has_joined_is_stopped_and_given_back_like_the_others() {
    let coordinator = coordinator([open_group([3])]).await;
    let scenario = "finished 1 16; read -r join; progress 3 1; touch $data/joined
        read -r shutdown; stopped 2 9; stopped 3 1; exit 0";
    let machine = machine(&coordinator, scenario);

    let summary = machine.work_until(until(|| machine.file("joined").exists())).await.unwrap();

    assert_eq!(summary, Summary { completed: 1, released: 2, ..Summary::default() });
    assert_eq!(ends(&coordinator, 3), [End::Released]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_the_trainer_still_has_is_given_back() {
    let mut again = open_group([2]);
    again.runs[0].attempt = Some(attempt(2, 2));
    let coordinator = coordinator([again]).await;
    let scenario =
        "until [ -e $data/enough ]; do progress 1 2; sleep 0.05; done; finished 1 16; finished 2 16";
    let mut machine = machine(&coordinator, scenario);
    machine.config.group_size = GroupSize::Runs(3);
    let watching = async {
        coordinator.until(|state| state.ends.contains(&(attempt(2, 2), End::Released))).await;
        std::fs::write(machine.file("enough"), "").unwrap();
        coordinator.until(|state| state.ends.len() == 3).await;
    };

    let summary = machine.work_until(watching).await.unwrap();

    assert_eq!(summary, Summary { completed: 2, released: 1, ..Summary::default() });
}
