//! What a submission may do to runs that are there, and that it says so.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::io::Write;
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::{Context, Poll, Service, http};
use tonic::server::NamedService;
use tonic::transport::Server;

use crate::{Ended, FAILING_TRAINER, Place, eventually, free_address};

const TWO: &str = "
version: 1
name: two
parameters: {model: acai, dataset: lines32, lambda: [0.1, 0.5], batch: 64, total_kimg: 1}
";

/// The same sweep with one other run.
fn other() -> String {
    TWO.replace("[0.1, 0.5]", "[0.5, 0.9]")
}

/// A trainer that reports and completes at once.
pub(crate) const TRAINER: &str = r#"#!/usr/bin/env python3
import json, sys
print(json.dumps({"event": "ready", "version": "0", "device": "cpu", "threads": 1, "libtorch": "none"}), flush=True)
for line in sys.stdin:
    for member in json.loads(line).get("group", []):
        run = member["run"]
        print(json.dumps({"event": "evaluated", "run": run, "step": 16, "values": {"eval/mean_distance": 0.5}}), flush=True)
        print(json.dumps({"event": "finished", "run": run, "step": 16}), flush=True)
"#;

/// Runs its arguments at a terminal of their own, and ends as they do.
const TERMINAL: &str = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";

/// `acai` with a person at its terminal, who answers with this line. All that the terminal shows is the standard output.
pub(crate) fn at_a_terminal(place: &Place, arguments: &[&str], answer: &str) -> Ended {
    let mut command = Command::new("python3");
    command.args(["-c", TERMINAL, env!("CARGO_BIN_EXE_acai")]).args(arguments);
    command.env("XDG_CONFIG_HOME", place.path("config"));
    command.current_dir(place.path("")).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    writeln!(child.stdin.as_mut().unwrap(), "{answer}").unwrap();
    Ended::from(child.wait_with_output().unwrap())
}

/// A coordinator, on which both runs of [`TWO`] are completed.
pub(crate) fn with_results(place: &Place) -> (crate::Started, String) {
    place.file("two.yaml", TWO);
    place.program("trainer", TRAINER);
    let address = free_address();
    let url = address.clone();
    let coordinator = place.start(&["coordinator", "--listen", &address]);
    eventually("the coordinator listens", || {
        place.run(&["submit", "two.yaml", "--coordinator", &url]).code == Some(0)
    });
    let worker =
        ["worker", "--coordinator", &url, "--name", "bench", "--trainer", "./trainer", "--slots", "1"];
    place.run(&[&worker[..], &["--idle-timeout", "0.5"]].concat()).ok();
    (coordinator, url)
}

#[test]
fn runs_with_results_are_set_aside_only_when_somebody_says_so() {
    let place = Place::new();
    let (_coordinator, url) = with_results(&place);
    let ask = |arguments: &[&str]| place.run(&[arguments, &["--coordinator", &url]].concat());
    let json = |arguments: &[&str]| -> Value {
        serde_json::from_str(&ask(&[arguments, &["--json"]].concat()).ok()).unwrap()
    };
    let completed = || json(&["status", "two"])["sweep"]["states"]["completed"].as_u64();

    place.file("two.yaml", &other());
    let dry = json(&["submit", "two.yaml", "--dry-run"]);
    let counts = ["new_runs", "existing_runs", "set_aside_runs", "set_aside_with_results"];
    assert_eq!(counts.map(|count| dry[count].as_u64()), [Some(1), Some(1), Some(1), Some(1)], "{dry}");
    let dry = ask(&["submit", "two.yaml", "--dry-run"]).ok();
    assert!(
        dry.contains("two: 1 new run, 1 was there already; 1 earlier run is not in this file")
            && dry.contains("nothing was changed"),
        "{dry}"
    );

    let refused = ask(&["submit", "two.yaml"]);
    assert_eq!(refused.code, Some(1), "{refused:#?}");
    assert!(
        refused.stderr.contains("1 runs of two have results") && refused.stderr.contains("--yes"),
        "{refused:#?}"
    );

    let at = ["submit", "two.yaml", "--coordinator", &url];
    let declined = at_a_terminal(&place, &at, "n");
    assert_eq!(declined.code, Some(1), "{declined:#?}");
    assert!(
        declined.stdout.contains("[y/N]") && declined.stdout.contains("nothing was submitted"),
        "{declined:#?}"
    );
    assert_eq!(completed(), Some(2), "none of this has changed anything");

    let agreed = at_a_terminal(&place, &at, "y");
    assert_eq!(agreed.code, Some(0), "{agreed:#?}");
    assert_eq!(completed(), Some(1));
    // Back again, where nobody is asked: the new run has no results, and the old one comes back.
    place.file("two.yaml", TWO);
    ask(&["submit", "two.yaml"]).ok();
    assert_eq!(completed(), Some(2));
    place.file("two.yaml", &other());
    let forced = json(&["submit", "two.yaml", "--yes"]);
    assert_eq!(forced["set_aside_with_results"], 1, "{forced}");
}

#[test]
fn logs_call_runs_what_people_call_them() {
    let place = Place::new();
    let (coordinator, url) = with_results(&place);
    place.file("two.yaml", &other());
    place.run(&["submit", "two.yaml", "--yes", "--coordinator", &url]).ok();
    let worker = ["worker", "--coordinator", &url, "--trainer", "./trainer", "--idle-timeout", "0.5"];
    let worker = place.run(&worker);
    assert!(worker.stderr.contains("run=two/2"), "{worker:#?}");
    coordinator.interrupt();
    let log = coordinator.wait().stderr;
    // The run that the second file brought has a number that none had before.
    for line in ["run granted run=two/0", "run completed run=two/0", "run completed run=two/2"] {
        assert!(log.contains(line), "no `{line}` in {log}");
    }
}

#[test]
fn a_worker_that_has_ended_is_shown_as_ended_at_once() {
    let place = Place::new();
    let (_coordinator, url) = with_results(&place);
    let workers = place.run(&["workers", "--coordinator", &url]).ok();
    assert!(workers.contains("bench") && workers.contains("ended"), "{workers}");
    let workers = place.run(&["workers", "--json", "--coordinator", &url]).ok();
    let workers: Value = serde_json::from_str(&workers).unwrap();
    assert_eq!(workers["workers"][0]["ended"], true, "{workers}");
    assert_eq!(workers["workers"][0]["alive"], false, "{workers}");
}

#[test]
fn run_asks_too_before_it_sets_runs_with_results_aside() {
    let place = Place::new();
    place.file("two.yaml", TWO);
    place.program("trainer", TRAINER);
    let run = ["run", "two.yaml", "--trainer", "./trainer", "--slots", "1"];
    place.run(&run).ok();
    place.file("two.yaml", &other());
    let refused = place.run(&run);
    assert_eq!(refused.code, Some(1), "{refused:#?}");
    assert!(refused.stderr.contains("--yes"), "{refused:#?}");
    let forced = place.run(&[&run[..], &["--yes"]].concat());
    assert!(forced.stderr.contains("1 of them by this file (1 with results)"), "{forced:#?}");
    forced.ok();
}

#[test]
fn every_command_that_changes_something_prints_json_where_that_is_asked_for() {
    let place = Place::new();
    let (_coordinator, url) = with_results(&place);
    for (arguments, name, value) in [
        (&["set", "two", "--priority", "3"][..], "priority", Value::from(3)),
        (&["cordon", "bench"], "duty", "cordoned".into()),
        (&["drain", "bench"], "duty", "drained".into()),
        (&["uncordon", "bench"], "duty", "open".into()),
        (&["pause", "two"], "sweep", "two".into()),
        (&["resume", "two"], "sweep", "two".into()),
        (&["cancel", "two/0"], "unchanged", Value::from(1)),
        (&["retry", "two"], "changed", Value::from(0)),
    ] {
        let answer = place.run(&[arguments, &["--json", "--coordinator", &url]].concat()).ok();
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!((&answer["version"], &answer[name]), (&Value::from(1), &value), "{arguments:?}: {answer}");
    }
    let fetched: Value =
        serde_json::from_str(&place.run(&["data", "fetch", "digits32", "--json"]).ok()).unwrap();
    assert_eq!(fetched["name"], "digits32", "{fetched}");
}

/// Answers every call as a coordinator does one that its release does not know, and keeps the names of the calls.
#[derive(Debug, Clone, Default)]
struct EarlierRelease(Arc<Mutex<Vec<String>>>);

impl NamedService for EarlierRelease {
    const NAME: &'static str = "acai.v1.SweepService";
}

impl Service<http::Request<Body>> for EarlierRelease {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        self.0.lock().unwrap().push(request.uri().path().to_owned());
        ready(Ok(Status::unimplemented("").into_http()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_asks_nothing_of_an_earlier_release_that_would_take_it_for_a_submission() {
    let (place, address, coordinator) = (Place::new(), free_address(), EarlierRelease::default());
    let server = Server::builder().add_service(coordinator.clone()).serve(address.parse().unwrap());
    tokio::spawn(server);
    eventually("the coordinator listens", || TcpStream::connect(&address).is_ok());
    place.file("two.yaml", TWO);
    let url = address.clone();

    let dry = place.run(&["submit", "two.yaml", "--dry-run", "--coordinator", &url]);

    assert!(dry.code == Some(1) && dry.stderr.contains("nothing was submitted"), "{dry:#?}");
    assert_eq!(*coordinator.0.lock().unwrap(), ["/acai.v1.SweepService/PlanSweep"]);
}

#[test]
fn a_submission_says_which_of_its_runs_no_living_worker_has_the_pictures_for() {
    let place = Place::new();
    place.program("trainer", FAILING_TRAINER);
    for folder in ["data/faces", "data/animals/cats"] {
        std::fs::create_dir_all(place.path(folder)).unwrap();
        place.file(&format!("{folder}/1.png"), "");
    }
    let dataset = "['images:faces', 'images:animals', 'images:flowers', 'images:/flowers', lines32]";
    place.file("own.yaml", &TWO.replace("lines32", dataset).replace("name: two", "name: own"));
    let address = free_address();
    let url = address.clone();
    let _coordinator = place.start(&["coordinator", "--listen", &address]);
    let ask = |arguments: &[&str]| place.run(&[arguments, &["--coordinator", &url]].concat());
    eventually("the coordinator listens", || ask(&["ls"]).code == Some(0));

    let nobody = ask(&["submit", "own.yaml", "--dry-run"]);
    for dataset in ["images:faces", "images:animals", "images:flowers"] {
        let said = format!("no worker that is alive has {dataset}: its 2 runs wait");
        assert!(nobody.stderr.contains(&said), "{nobody:#?}");
    }
    let noted = nobody.stderr.matches("no worker").count();
    assert_eq!(noted, 3, "workers do not tell of other folders, and each has what is built in: {nobody:#?}");

    let _worker = place.start(&["worker", "--coordinator", &url, "--trainer", "./trainer", "--slots", "1"]);
    eventually("the worker is known", || ask(&["workers"]).stdout.contains("images:animals"));
    let submitted = ask(&["submit", "own.yaml"]);
    assert!(
        submitted.stderr.contains("no worker that is alive has images:flowers: its 2 runs wait")
            && submitted.stderr.matches("no worker").count() == 1,
        "{submitted:#?}"
    );
    let again = ask(&["submit", "own.yaml", "--json"]);
    assert!(again.stderr.contains("images:flowers: its runs that have not ended wait"), "{again:#?}");
    let again: Value = serde_json::from_str(&again.ok()).unwrap();
    assert_eq!(again["unserved_datasets"], serde_json::json!(["images:flowers"]));
    // Nothing waits of what has ended.
    ask(&["cancel", "own"]).ok();
    eventually("the runs have ended", || {
        let status: Value = serde_json::from_str(&ask(&["status", "own", "--json"]).ok()).unwrap();
        status["sweep"]["states"].as_object().is_some_and(|states| {
            states.iter().all(|(state, runs)| state == "cancelled" || runs == &Value::from(0))
        })
    });
    assert!(!ask(&["submit", "own.yaml"]).stderr.contains("no worker"));
}

#[test]
fn values_given_beside_a_file_are_in_what_is_planned_trained_and_stored() {
    let place = Place::new();
    place.file("two.yaml", TWO);
    place.program("trainer", TRAINER);
    assert!(place.run(&["plan", "two.yaml", "--set", "seeds=3"]).ok().ends_with("× 3 seeds = 6 runs\n"));
    let run = ["run", "two.yaml", "--trainer", "./trainer", "--slots", "1"];
    place.run(&[&run[..], &["--set", "name=one", "--set", "lambda=[0.1]"]].concat()).ok();
    place.run(&["export", "one", "-o", "one"]).ok();
    let stored = std::fs::read_to_string(place.path("one/sweep.yaml")).unwrap();
    assert!(stored.contains("# as changed by --set name=one --set lambda=[0.1]\n"), "{stored}");
    assert!(place.run(&["plan", "one/sweep.yaml"]).ok().contains("one: 1 point"), "{stored}");

    let mistakes = place.run(&["plan", "two.yaml", "--set", "lambda=-1"]);
    let [first, line, caret] = mistakes.stderr.lines().collect::<Vec<_>>()[..] else {
        panic!("{mistakes:#?}")
    };
    assert!(first.starts_with("two.yaml as changed by --set:7:11: `lambda` takes"), "{mistakes:#?}");
    assert!(line.ends_with("lambda: -1") && caret.ends_with("          ^"), "{mistakes:#?}");
    let unknown = place.run(&["submit", "two.yaml", "--set", "lamda=1"]);
    assert!(unknown.code == Some(3) && unknown.stderr.contains("did you mean `lambda`?"), "{unknown:#?}");
    assert_eq!(place.run(&["run", "two.yaml", "--set", "seeds"]).code, Some(2));
}
