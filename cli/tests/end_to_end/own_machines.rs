//! Fleets on machines that are there: by a real ssh, and here.

use std::fs;
use std::time::Duration;

use acai_testing::sshd::Sshd;
use rustix::process::{Pid, Signal, kill_process};

use crate::outages::LONG;
use crate::{Place, Started, eventually, free_address};

/// A coordinator whose user's own commands find it, and an access file for workers.
fn coordinator(place: &Place) -> Started {
    place.file("long.yaml", LONG);
    let coordinator = place.start(&["coordinator", "--listen", &free_address()]);
    eventually("the coordinator listens", || place.run(&["ls"]).code == Some(0));
    place.run(&["access", "create", "--scope", "worker", "--name", "lab", "-o", "worker.toml"]).ok();
    coordinator
}

/// Every process whose arguments have this word.
fn processes_with(word: &str) -> Vec<i32> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let has_word = |pid: &i32| {
        let arguments = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        arguments.split(|byte| *byte == 0).any(|argument| argument == word.as_bytes())
    };
    processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(has_word).collect()
}

/// Whether any process has this text in its arguments or its environment.
fn is_shown(secret: &str) -> bool {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let files = processes.flat_map(|entry| [entry.path().join("cmdline"), entry.path().join("environ")]);
    files.filter_map(|file| fs::read(file).ok()).any(|text| String::from_utf8_lossy(&text).contains(secret))
}

/// A fleet that is ended with the test.
struct Fleet<'a>(&'a Place);

impl Drop for Fleet<'_> {
    fn drop(&mut self) {
        self.0.run(&["fleet", "down", "lab.yaml"]);
    }
}

#[test]
fn a_worker_is_started_by_ssh_once_and_ended_in_order() {
    let Some(sshd) = Sshd::start() else { return };
    let place = Place::new();
    let _coordinator = coordinator(&place);
    // Names that the scripts have, too.
    let (folder, config) = (place.path("folder of WORKER, UNIT and $acai"), sshd.client_config());
    let lab = format!(
        "kind: ssh\nname: lab\nhosts: [here, away]\naccess: worker.toml\nfolder: {}\nacai: {}\nssh: [-F, {}]\n\
         setup: while ! [ -e {} ]; do sleep 0.1; done; echo 'it is set up'\nworker: [--slots, '1', --threads, '1', --device, cpu]\n",
        folder.display(),
        env!("CARGO_BIN_EXE_acai"),
        config.display(),
        place.path("go").display()
    );
    place.file("lab.yaml", &lab);
    let _ended = Fleet(&place);
    let up = place.run(&["fleet", "up", "lab.yaml"]);
    assert!(up.stdout.contains("here: the worker started"), "{up:#?}");
    assert!(
        up.code == Some(1) && up.stderr.contains("error: away: ") && up.stderr.contains("refused"),
        "{up:#?}"
    );

    place.file("lab.yaml", &lab.replace("[here, away]", "[here]"));
    let up_again = || place.run(&["fleet", "up", "lab.yaml"]).ok();
    assert!(up_again().contains("is there already"), "also while it is being set up");
    place.file("go", "");
    place.run(&["submit", "long.yaml"]).ok();
    eventually("it trains", || place.run(&["fleet", "status", "lab.yaml"]).stdout.contains("trains 1"));
    assert!(up_again().contains("is there already"));
    let state = fs::canonicalize(&folder).unwrap().join("state").display().to_string();
    assert_eq!(processes_with(&state).len(), 1, "one worker");
    let access = fs::read_to_string(place.path("worker.toml")).unwrap();
    let secret = access.split('_').next_back().unwrap().trim().trim_matches('"');
    assert!(secret.len() >= 32 && !is_shown(secret), "the token is in nobody's arguments or environment");
    assert!(fs::read_to_string(folder.join("log")).unwrap().contains("it is set up"));

    assert!(place.run(&["fleet", "down", "lab.yaml"]).ok().contains("here: the worker stopped"));
    assert!(processes_with(&state).is_empty());
    let left = place.run(&["status", "long"]).ok();
    assert!(left.contains("2 queued"), "the run was given back: {left}");
    assert!(place.run(&["fleet", "status", "lab.yaml"]).ok().contains("is not there"));
    assert!(place.run(&["fleet", "down", "lab.yaml"]).ok().contains("was not there"));
}

#[tokio::test]
async fn workers_of_this_machine_are_started_again_until_their_fleet_ends() {
    let place = Place::new();
    let _coordinator = coordinator(&place);
    let here = "kind: local\nname: here\naccess: worker.toml\nworkers:\n\
                \u{20} first: {worker: [--slots, '1', --threads, '1', --device, cpu]}\n\
                \u{20} second: {env: {CUDA_VISIBLE_DEVICES: ''}, worker: [--slots, '1', --threads, '1']}\n";
    place.file("here.yaml", here);
    place.run(&["submit", "long.yaml"]).ok();
    let up = place.start(&["fleet", "up", "here.yaml"]);
    eventually("both train", || place.run(&["status", "long"]).stdout.contains("2 running"));
    let state = place.path("fleet-here/first").display().to_string();
    let killed = processes_with(&state);
    assert_eq!(killed.len(), 1);
    kill_process(Pid::from_raw(killed[0]).unwrap(), Signal::KILL).unwrap();
    let mut database = place.database("acai.db").await;
    let taken_again = "select count(*) from attempts where number = 2";
    while sqlx::query_scalar::<_, i64>(taken_again).fetch_one(&mut database).await.unwrap() == 0 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(!processes_with(&state).contains(&killed[0]), "another worker took the run");
    up.interrupt();
    let ended = up.wait();
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert!(processes_with(&state).is_empty());
    let left = place.run(&["status", "long"]).ok();
    assert!(!left.contains("running"), "what is not trained was given back: {left}");
}
