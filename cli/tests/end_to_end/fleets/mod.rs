//! Fleets on a real Slurm. They take a minute or two, so `make fleet-check` runs them, and not `make test`.

mod acceptance;
mod troubles;

use std::process::{Command, Stdio};

use acai_testing::slurm::Slurm;
use rustix::process::Signal;
use serde_json::Value;

use crate::observing::{page, series};
use crate::outages::{LONG, assert_same, points};
use crate::{Ended, Place, Started, eventually, free_address};

/// Two runs, a few seconds each.
const FLEET: &str = "
kind: slurm
name: test
max_workers: 2
time_limit: 30m
idle_timeout: 3s
every: 1s
worker: [--slots, '1', --threads, '1', --device, cpu]
";

/// A coordinator beside a Slurm; the user's own commands find both.
struct Cluster {
    place: Place,
    _coordinator: Started,
    slurm: Slurm,
}

impl Cluster {
    /// `None` where there is no Slurm to test with.
    fn start(fleet: &str) -> Option<Cluster> {
        let slurm = Slurm::start(3)?;
        let place = Place::new();
        let listen = free_address();
        let coordinator = place.start(&["coordinator", "--listen", &listen, "--lease", "5"]);
        eventually("the coordinator listens", || place.run(&["ls"]).code == Some(0));
        let create = ["access", "create", "--scope", "worker", "--name", "fleet", "-o", "worker.toml"];
        place.run(&create).ok();
        place.file("fleet.yaml", &format!("{fleet}access: worker.toml\n"));
        place.file("long.yaml", LONG);
        Some(Cluster { place, _coordinator: coordinator, slurm })
    }

    /// `acai` with these arguments, where Slurm's commands are.
    fn acai(&self, arguments: &[&str]) -> Command {
        let acai = self.place.acai(arguments);
        let mut command = self.slurm.command(acai.get_program());
        command.args(acai.get_args()).current_dir(self.place.path("")).stdin(Stdio::null());
        for (variable, value) in acai.get_envs() {
            match value {
                Some(value) => command.env(variable, value),
                None => command.env_remove(variable),
            };
        }
        command
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        Ended::from(self.acai(arguments).output().unwrap())
    }

    fn up(&self, file: &str) -> Started {
        self.up_with(file, &[])
    }

    fn up_with(&self, file: &str, further: &[&str]) -> Started {
        let mut command = self.acai(&[&["fleet", "up", file], further].concat());
        Started { child: command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap() }
    }

    /// Ids of the jobs in these of Slurm's states.
    fn jobs(&self, states: &str) -> Vec<String> {
        let mut squeue = self.slurm.command("squeue");
        let output = squeue
            .args(["--noheader", "--format=%i", "--name", &self.name(), "--states", states])
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().split_whitespace().map(str::to_owned).collect()
    }

    /// The name of the fleet's jobs.
    fn name(&self) -> String {
        let script = self.run(&["fleet", "up", "fleet.yaml", "--dry-run"]).stdout;
        script.split("--job-name=").nth(1).unwrap().split(' ').next().unwrap().to_owned()
    }

    fn status(&self) -> Value {
        serde_json::from_str(&self.place.run(&["status", "long", "--json"]).stdout).unwrap_or_default()
    }

    fn is_completed(&self) -> bool {
        self.place.run(&["status", "long"]).stdout.contains("2 completed")
    }

    fn is_under_way(&self) -> bool {
        self.status()["sweep"]["images_done"].as_u64() > Some(2048)
    }

    /// The points as they are where nothing happens, on as many threads.
    async fn assert_undisturbed_points(&self) {
        let undisturbed = Place::new();
        undisturbed.file("long.yaml", LONG);
        undisturbed.run(&["run", "long.yaml", "--slots", "2", "--threads", "1"]).ok();
        let expected = points(&mut undisturbed.database(".acai/acai.db").await).await;
        assert_same(&points(&mut self.place.database("acai.db").await).await, &expected);
    }

    async fn attempts(&self) -> i64 {
        let mut database = self.place.database("acai.db").await;
        sqlx::query_scalar("select count(*) from attempts").fetch_one(&mut database).await.unwrap()
    }
}

const LIVING: &str = "PENDING,CONFIGURING,RUNNING,COMPLETING";

#[test]
#[ignore = "`make fleet-check` runs it"]
fn demand_brings_machines_and_its_end_sends_them_away() {
    let Some(cluster) = Cluster::start(FLEET) else { return };
    let dry = cluster.run(&["fleet", "up", "fleet.yaml", "--dry-run"]);
    assert_eq!(dry.code, Some(0), "{dry:#?}");
    assert!(dry.stderr.contains("to start at"), "{dry:#?}");
    assert!(!dry.stdout.contains("acai_worker_"), "no token is in the script: {dry:#?}");
    let metrics = free_address();
    let told = |name: &str| {
        let page = page(&metrics, "/metrics").unwrap_or_default();
        series(&page).get(name).copied()
    };
    let working = "acai_fleet_workers{fleet=\"test\",state=\"working\"}";
    let up = cluster.up_with("fleet.yaml", &["--metrics", &metrics]);
    eventually("the loop has looked", || told("acai_fleet_wanted{fleet=\"test\"}") == Some(0.0));
    assert_eq!(cluster.jobs(LIVING), Vec::<String>::new());
    cluster.place.run(&["submit", "long.yaml"]).ok();
    eventually("two workers train", || cluster.jobs("RUNNING").len() == 2 && cluster.is_under_way());
    eventually("the loop tells of them", || told(working) == Some(2.0));
    assert_eq!(told("acai_fleet_wanted{fleet=\"test\"}"), Some(2.0));
    let shown = cluster.run(&["fleet", "status", "fleet.yaml"]).ok();
    assert!(shown.contains("2 are trained") && shown.contains("trains 1"), "{shown}");
    let listed = cluster.run(&["fleet", "ls"]).ok();
    assert!(listed.contains("test"), "{listed}");
    eventually("the sweep is trained", || cluster.is_completed());
    eventually("the workers are gone", || cluster.jobs(LIVING).is_empty());
    assert_eq!(cluster.jobs("all").len(), 2, "as many jobs as runs, each once");
    eventually("what they left is removed", || {
        std::fs::read_dir(cluster.place.path("fleet-test/states")).unwrap().next().is_none()
    });
    eventually("the loop tells that", || told(working) == Some(0.0));
    assert_eq!(told("acai_fleet_failures_total{fleet=\"test\"}"), Some(0.0));
    up.interrupt();
    assert_eq!(up.wait().code, Some(0));
}

#[tokio::test]
#[ignore = "`make fleet-check` runs it"]
async fn workers_that_are_cancelled_while_they_train_lose_no_step() {
    let Some(cluster) = Cluster::start(FLEET) else { return };
    let _up = cluster.up("fleet.yaml");
    cluster.place.run(&["submit", "long.yaml"]).ok();
    eventually("both runs are under way", || cluster.jobs("RUNNING").len() == 2 && cluster.is_under_way());
    let taken = cluster.jobs("RUNNING");
    let cancelled = cluster.slurm.command("scancel").args(&taken).status().unwrap();
    assert!(cancelled.success());
    eventually("others train", || cluster.jobs("RUNNING").iter().any(|job| !taken.contains(job)));
    eventually("the sweep is trained", || cluster.is_completed());
    assert_eq!(cluster.attempts().await, 4, "each run was given back and taken once more");
    cluster.assert_undisturbed_points().await;
}

#[tokio::test]
#[ignore = "`make fleet-check` runs it"]
async fn a_machine_that_dies_is_replaced() {
    let Some(cluster) = Cluster::start(FLEET) else { return };
    let _up = cluster.up("fleet.yaml");
    cluster.place.run(&["submit", "long.yaml"]).ok();
    eventually("both runs are under way", || cluster.jobs("RUNNING").len() == 2 && cluster.is_under_way());
    cluster.slurm.kill_node("n1");
    eventually("the sweep is trained", || cluster.is_completed());
    assert!(cluster.attempts().await > 2);
    cluster.assert_undisturbed_points().await;
}

#[test]
#[ignore = "`make fleet-check` runs it"]
fn a_loop_that_is_killed_leaves_no_orphan() {
    let Some(cluster) = Cluster::start(FLEET) else { return };
    let up = cluster.up("fleet.yaml");
    cluster.place.run(&["submit", "long.yaml"]).ok();
    eventually("two workers train", || cluster.jobs("RUNNING").len() == 2 && cluster.is_under_way());
    up.signal(Signal::KILL);
    up.wait();
    eventually("the sweep is trained", || cluster.is_completed());
    eventually("the workers are gone", || cluster.jobs(LIVING).is_empty());
}

#[test]
#[ignore = "`make fleet-check` runs it"]
fn jobs_that_wait_are_cancelled_when_there_is_nothing_to_do_any_more() {
    let Some(cluster) = Cluster::start(FLEET) else { return };
    let mut others = cluster.slurm.command("sbatch");
    others.args(["--nodes=3", "--exclusive", "--output=/dev/null", "--wrap", "sleep 600"]);
    assert!(others.output().unwrap().status.success());
    let _up = cluster.up("fleet.yaml");
    cluster.place.run(&["submit", "long.yaml"]).ok();
    eventually("two jobs wait", || cluster.jobs("PENDING").len() == 2);
    cluster.place.run(&["cancel", "long/0"]).ok();
    eventually("one waits for the run that is left", || cluster.jobs("PENDING").len() == 1);
    cluster.place.run(&["cancel", "long"]).ok();
    eventually("nothing waits", || cluster.jobs(LIVING).is_empty());
}

#[test]
#[ignore = "`make fleet-check` runs it"]
fn jobs_whose_worker_never_comes_pause_the_fleet_which_says_why() {
    let broken = FLEET.replace("max_workers: 2", "max_workers: 3\npending: 3")
        + "setup: echo no such module; exit 7\n";
    let Some(cluster) = Cluster::start(&broken) else { return };
    let long = LONG.replace("lambda: [0.1, 0.5]", "lambda: [0.1, 0.3, 0.5]");
    cluster.place.file("long.yaml", &long);
    cluster.place.run(&["submit", "long.yaml"]).ok();
    let metrics = free_address();
    let up = cluster.up_with("fleet.yaml", &["--metrics", &metrics]);
    let status = || cluster.run(&["fleet", "status", "fleet.yaml"]).ok();
    eventually("the fleet is paused", || status().contains("paused"));
    let page = page(&metrics, "/metrics").unwrap();
    assert_eq!(series(&page)["acai_fleet_paused{fleet=\"test\"}"], 1.0);
    assert!(status().contains("no such module") && status().contains("failed"), "{}", status());
    up.interrupt();
    let ended = up.wait();
    assert!(ended.stderr.contains("paused, until the loop is started again"), "{ended:#?}");
    assert_eq!(cluster.jobs("all").len(), 3, "three jobs, and no more");
}

#[test]
#[ignore = "`make fleet-check` runs it"]
fn two_loops_of_a_fleet_ask_for_no_more_than_one_and_down_ends_it() {
    let Some(cluster) = Cluster::start(FLEET) else { return };
    let elsewhere =
        std::fs::read_to_string(cluster.place.path("fleet.yaml")).unwrap() + "folder: elsewhere\n";
    cluster.place.file("elsewhere.yaml", &elsewhere);
    cluster.place.run(&["submit", "long.yaml", "--set", "seeds=4"]).ok();
    let (first, second) = (cluster.up("fleet.yaml"), cluster.up("elsewhere.yaml"));
    eventually("a worker trains", || {
        assert!(cluster.jobs("RUNNING").len() <= 2, "there are never more than `max_workers`");
        cluster.is_under_way()
    });
    let refused = cluster.run(&["fleet", "up", "fleet.yaml"]);
    assert!(
        refused.code == Some(1) && refused.stderr.contains("another `acai fleet up` keeps"),
        "{refused:#?}"
    );
    for _ in 0..20 {
        assert!(cluster.jobs("RUNNING").len() <= 2, "there are never more than `max_workers`");
    }
    first.interrupt();
    second.interrupt();
    first.wait();
    second.wait();
    cluster.run(&["fleet", "down", "fleet.yaml"]).ok();
    eventually("its jobs are gone", || cluster.jobs(LIVING).is_empty());
    let left = cluster.place.run(&["status", "long"]).ok();
    assert!(left.contains("queued") && !left.contains("running"), "all was given back: {left}");
}
