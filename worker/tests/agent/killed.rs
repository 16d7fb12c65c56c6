//! Agents that are killed, each in a process of its own, and the next agent on the machine, which takes up what they
//! left.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::future::{pending, poll_fn};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::pin::pin;
use std::process::{Child, Command, Stdio};
use std::task::Poll;
use std::time::Duration;

use acai_proto::v1::FailureKind;
use acai_worker::{Summary, WorkerError};
use rustix::process::{Pid, Resource, Rlimit, Signal, getpgid, kill_process, prlimit};

use crate::coordinator::{Coordinator, End, Fault, State};
use crate::setup::{LONG, Machine, attempt, config, group, until};

const COORDINATOR: &str = "ACAI_TEST_COORDINATOR";
const FOLDER: &str = "ACAI_TEST_FOLDER";

/// This is not a test, but the program that [`Agent`] runs.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "the other tests run it as a process"]
async fn agent_process() {
    let (Some(url), Some(folder)) = (std::env::var(COORDINATOR).ok(), std::env::var_os(FOLDER)) else {
        return;
    };
    let mut config = config(&url, &PathBuf::from(folder));
    config.queue_points = 100;
    acai_worker::run(config, pending()).await.unwrap();
}

/// A worker as a process.
struct Agent(Child);

impl Agent {
    fn start(coordinator: &Coordinator, machine: &Machine) -> Self {
        // A write beyond a limit on files fails like one on a full disk when its signal is ignored.
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "trap '' XFSZ; exec \"$0\" --exact killed::agent_process --ignored"]);
        command.arg(std::env::current_exe().unwrap()).stdout(Stdio::null()).stderr(Stdio::null());
        command.env(COORDINATOR, &coordinator.url).env(FOLDER, machine.file(""));
        Self(command.process_group(0).spawn().unwrap())
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.0)
    }

    /// `SIGKILL` to the agent alone.
    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    fn limit_files(&self, bytes: Option<u64>) {
        prlimit(Some(self.pid()), Resource::Fsize, Rlimit { current: bytes, maximum: None }).unwrap();
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// From now on no report is answered. Only the first one may arrive; `first` says whether it does.
fn acknowledge_nothing(coordinator: &Coordinator, first: Fault) {
    let faults: VecDeque<Fault> = std::iter::once(first).chain([Fault::Unavailable; 1000]).collect();
    coordinator.change(|state| {
        state.requeues = true;
        state.faults.insert("report", faults);
    });
}

/// Reports three points, with a checkpoint after the first one, and then does not read its input.
const DEAF: &str = "echo $$ > $data/trainer; sleep 1000 & echo $! > $data/child
    metric 7 1; checkpoint 7 1; metric 7 2; metric 7 3; wait";

/// Starts an agent whose trainer is [`DEAF`], and kills the agent when all reports are in its spool.
async fn kill_deaf(coordinator: &Coordinator, machine: &Machine, first: Fault) {
    acknowledge_nothing(coordinator, first);
    let mut agent = Agent::start(coordinator, machine);
    let arrives = matches!(first, Fault::LostReply);
    let has_arrived = |state: &State| state.points.contains_key(&attempt(7, 1));
    coordinator.until(|state| !state.reports.is_empty() && has_arrived(state) == arrives).await;
    until(|| machine.spool(1).contains("[\"train/loss\",3,3.5]")).await;
    agent.kill();
}

#[tokio::test(flavor = "multi_thread")]
async fn trainers_and_their_children_end_with_their_agent_even_if_they_do_not_read_their_input() {
    let coordinator = Coordinator::start(LONG, [group([7])]).await;
    let machine = Machine::new(&coordinator, DEAF);
    kill_deaf(&coordinator, &machine, Fault::LostReply).await;
    until(|| !machine.is_running("trainer") && !machine.is_running("child")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_started_again_delivers_each_point_once_and_hands_the_run_back_with_its_checkpoint() {
    for first in [Fault::Unavailable, Fault::LostReply] {
        let coordinator = Coordinator::start(LONG, [group([7])]).await;
        let machine = Machine::new(&coordinator, DEAF);
        kill_deaf(&coordinator, &machine, first).await;
        assert!(
            !machine.run_file(7, "resume.json").exists(),
            "the points before the checkpoint are not acknowledged"
        );
        coordinator.change(|state| state.faults.clear());

        machine.follow("case $start in *attempt-1/step-1*) metric 7 2; metric 7 3; finished 7 3;; esac");
        let summary = machine.work().await.unwrap();

        assert_eq!(summary, Summary { released: 1, completed: 1, ..Summary::default() });
        coordinator.read(|state| {
            let steps = |number| state.points[&attempt(7, number)].iter().map(|point| point.step);
            assert!(steps(1).eq([1, 2, 3]) && steps(2).eq([2, 3]));
            let completed = End::Completed { step: 3, last_seq: 2 };
            assert_eq!(state.ends, [(attempt(7, 1), End::Released), (attempt(7, 2), completed)]);
        });
        assert_eq!((machine.spool(1), machine.spool(2)), (String::new(), String::new()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lease_of_an_attempt_that_a_killed_agent_left_is_renewed_at_once() {
    let coordinator = Coordinator::start(LONG, [group([7])]).await;
    let machine = Machine::new(&coordinator, DEAF);
    kill_deaf(&coordinator, &machine, Fault::Unavailable).await;
    let before = coordinator.read(|state| state.renewals);

    let renewed = async {
        // This is much sooner than the next renewal would be due.
        let renewal = coordinator.until(|state| state.renewals > before);
        tokio::time::timeout(LONG / 12, renewal).await.expect("a renewal comes at once");
        coordinator.change(|state| {
            state.faults.clear();
            state.requeues = false;
        });
    };
    let (summary, ()) = tokio::join!(machine.work(), renewed);

    assert_eq!(summary.unwrap(), Summary { released: 1, ..Summary::default() });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_had_ended_when_its_agent_was_killed_is_not_trained_again() {
    let failed = End::Failed { kind: FailureKind::Diverged, message: "the loss is NaN".into() };
    let cases = [
        ("metric 7 1; finished 7 1", End::Completed { step: 1, last_seq: 1 }),
        ("metric 7 1; failed 7 1 diverged 'the loss is NaN'", failed),
    ];
    for (scenario, end) in cases {
        let coordinator = Coordinator::start(LONG, [group([7])]).await;
        let machine = Machine::new(&coordinator, scenario);
        acknowledge_nothing(&coordinator, Fault::Unavailable);
        let mut agent = Agent::start(&coordinator, &machine);
        until(|| machine.spool(1).contains("\"final\"")).await;
        agent.kill();
        coordinator.change(|state| state.faults.clear());

        machine.follow("touch $data/trained-again");
        machine.work().await.unwrap();

        assert_eq!(coordinator.read(|state| state.ends.clone()), [(attempt(7, 1), end)]);
        assert!(!machine.file("trained-again").exists());
        assert_eq!(machine.spool(1), "");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_a_killed_agent_left_is_discarded_when_others_hold_its_run() {
    let coordinator = Coordinator::start(LONG, [group([7])]).await;
    let machine = Machine::new(&coordinator, DEAF);
    kill_deaf(&coordinator, &machine, Fault::LostReply).await;
    let before = coordinator.read(|state| state.points[&attempt(7, 1)].clone());
    coordinator.change(|state| {
        state.faults.clear();
        state.fenced.extend([attempt(7, 1)]);
    });

    let summary = machine.work().await.unwrap();

    assert_eq!(summary, Summary { lost: 1, ..Summary::default() });
    coordinator.read(|state| {
        assert_eq!(state.points[&attempt(7, 1)], before);
        assert_eq!(state.ends, []);
    });
    assert_eq!(machine.spool(1), "");
    assert!(!machine.run_file(7, "resume.json").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn all_whole_records_of_a_torn_spool_are_delivered() {
    let coordinator = Coordinator::start(LONG, [group([7])]).await;
    let machine = Machine::new(&coordinator, DEAF);
    kill_deaf(&coordinator, &machine, Fault::Unavailable).await;
    let spool = machine.file("state/spool/run-7-attempt-1.spool");
    let whole = std::fs::read(&spool).unwrap();
    std::fs::write(&spool, &whole[..whole.len() - 3]).unwrap();
    coordinator.change(|state| {
        state.faults.clear();
        state.requeues = false;
    });

    machine.work().await.unwrap();

    coordinator.read(|state| {
        assert!(state.points[&attempt(7, 1)].iter().map(|point| point.step).eq([1, 2]));
        assert_eq!(state.ends, [(attempt(7, 1), End::Released)]);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trainer_that_outlived_its_agent_is_killed_before_its_run_is_handed_back() {
    let coordinator = Coordinator::start(LONG, [group([7])]).await;
    let machine = Machine::new(&coordinator, DEAF);
    acknowledge_nothing(&coordinator, Fault::Unavailable);
    let mut agent = Agent::start(&coordinator, &machine);
    until(|| machine.spool(1).contains("[\"train/loss\",3,3.5]")).await;
    // Without the guard of its process group, nothing ends the trainer when the agent dies.
    let guard = getpgid(Pid::from_raw(machine.pid("trainer"))).unwrap();
    kill_process(guard, Signal::KILL).unwrap();
    agent.kill();
    assert!(machine.is_running("trainer") && machine.is_running("child"));
    coordinator.change(|state| {
        state.faults.clear();
        state.requeues = false;
    });

    machine.work().await.unwrap();

    assert!(!machine.is_running("trainer"));
    assert_eq!(coordinator.read(|state| state.ends.clone()), [(attempt(7, 1), End::Released)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trainer_that_outlived_its_agent_is_killed_also_in_its_second_group() {
    let coordinator = Coordinator::start(LONG, [group([8]), group([7])]).await;
    let scenario =
        format!("case $start in *'\"run\":8,'*) echo $$ > $data/first; finished 8 1;; *) {DEAF};; esac");
    let machine = Machine::new(&coordinator, &scenario);
    machine.before_ready("can_stay=true");
    let mut agent = Agent::start(&coordinator, &machine);
    until(|| machine.spool(1).contains("[\"train/loss\",3,3.5]")).await;
    assert_eq!(machine.pid("first"), machine.pid("trainer"));
    let guard = getpgid(Pid::from_raw(machine.pid("trainer"))).unwrap();
    kill_process(guard, Signal::KILL).unwrap();
    agent.kill();
    assert!(machine.is_running("trainer"));

    machine.work().await.unwrap();

    assert!(!machine.is_running("trainer"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_has_ended_is_reported_from_a_disk_that_stays_full() {
    let coordinator = Coordinator::start(LONG, [group([7])]).await;
    let scenario = "touch $data/began; until [ -e $data/go ]; do sleep 0.02; done; metric 7 1; finished 7 1";
    let machine = Machine::new(&coordinator, scenario);
    let mut agent = Agent::start(&coordinator, &machine);
    until(|| machine.file("began").exists()).await;
    agent.limit_files(Some(10));
    std::fs::write(machine.file("go"), "").unwrap();

    coordinator.until(|state| !state.ends.is_empty()).await;

    assert!(agent.0.wait().unwrap().success());
    let completed = End::Completed { step: 1, last_seq: 1 };
    assert_eq!(coordinator.read(|state| state.ends.clone()), [(attempt(7, 1), completed)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_full_disk_training_waits_and_goes_on_when_there_is_room() {
    let coordinator = Coordinator::start(LONG, [group([7])]).await;
    let scenario = "touch $data/began; until [ -e $data/go ]; do sleep 0.02; done
        for i in $(seq 4000); do metric 7 $i; echo $i > $data/said; done
        touch $data/all-said; finished 7 4000";
    let machine = Machine::new(&coordinator, scenario);
    let mut agent = Agent::start(&coordinator, &machine);
    until(|| machine.file("began").exists()).await;
    agent.limit_files(Some(10));
    std::fs::write(machine.file("go"), "").unwrap();

    // These are more points than the queue holds, so they would be sent at once; but they cannot be spooled.
    let said = || std::fs::read_to_string(machine.file("said")).ok()?.trim().parse::<u64>().ok();
    until(|| said().is_some_and(|said| said > 200)).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(!machine.file("all-said").exists());
    assert!(coordinator.read(|state| state.points.values().all(Vec::is_empty)));
    assert!(agent.0.try_wait().unwrap().is_none());

    agent.limit_files(None);
    coordinator.until(|state| !state.ends.is_empty()).await;

    assert!(agent.0.wait().unwrap().success());
    coordinator.read(|state| {
        assert!(state.points[&attempt(7, 1)].iter().map(|point| point.step).eq(1..=4000));
        assert_eq!(state.ends, [(attempt(7, 1), End::Completed { step: 4000, last_seq: 4000 })]);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_waits_for_a_folder_that_a_process_of_a_killed_worker_still_holds_and_for_no_other_worker() {
    let coordinator = Coordinator::start(LONG, [group([7])]).await;
    let machine = Machine::new(&coordinator, "finished 7 16");
    fs::create_dir_all(&machine.config.state).unwrap();
    let held = File::create(machine.config.state.join("worker.lock")).unwrap();
    held.lock().unwrap();
    let refused = machine.work().await.unwrap_err();
    assert!(matches!(refused, WorkerError::StateInUse { .. }), "{refused}");

    // The worker asks for the folder before it is released.
    let mut worker = pin!(machine.work());
    let is_waiting = poll_fn(|context| Poll::Ready(worker.as_mut().poll(context).is_pending())).await;
    assert!(is_waiting);
    drop(held);
    assert_eq!(worker.await.unwrap(), Summary { completed: 1, ..Summary::default() });
}
