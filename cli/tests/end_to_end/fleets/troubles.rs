//! What Slurm does to a fleet.

use std::time::Duration;

use rustix::process::Signal;

use super::{Cluster, FLEET, LIVING};
use crate::eventually;

impl Cluster {
    /// Another user's job takes all machines, for so long.
    fn taken_by_others(&self, options: &[&str], seconds: u32) -> String {
        let mut sbatch = self.slurm.command("sbatch");
        let wanted = ["--parsable", "--nodes=3", "--exclusive", "--output=/dev/null"];
        let output =
            sbatch.args(wanted).args(options).arg(format!("--wrap=sleep {seconds}")).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn cancel(&self, job: &str) {
        assert!(self.slurm.command("scancel").arg(job).status().unwrap().success());
    }

    /// Whether the job is in this state of Slurm's.
    fn is(&self, job: &str, state: &str) -> bool {
        let mut squeue = self.slurm.command("squeue");
        let output =
            squeue.args(["--noheader", "--format=%T", "--states=all", "--job", job]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim() == state
    }
}

#[tokio::test]
#[ignore = "`make fleet-check` runs it"]
async fn workers_that_are_preempted_give_their_runs_back_and_come_again_when_there_is_room() {
    let Some(cluster) = Cluster::start(&format!("{FLEET}sbatch: [--partition=spot]\n")) else { return };
    let _up = cluster.up("fleet.yaml");
    cluster.place.run(&["submit", "long.yaml"]).ok();
    eventually("both runs are under way", || cluster.jobs("RUNNING").len() == 2 && cluster.is_under_way());
    let preempted = cluster.jobs("RUNNING");
    let others = cluster.taken_by_others(&["--partition=main"], 600);
    eventually("others have all machines", || cluster.is(&others, "RUNNING"));
    eventually("the runs were given back", || {
        let status = cluster.place.run(&["status", "long"]).stdout;
        status.contains("2 queued") && !status.contains("running")
    });
    eventually("new workers wait", || cluster.jobs("PENDING").len() == 2);
    for job in &preempted {
        assert!(cluster.is(job, "PREEMPTED"), "{job} did not end by itself");
    }
    cluster.cancel(&others);
    eventually("the sweep is trained", || cluster.is_completed());
    assert_eq!(cluster.attempts().await, 4, "each run was given back and taken once more");
    let status = cluster.run(&["fleet", "status", "fleet.yaml"]).ok();
    assert!(!status.contains("paused"), "a preemption is nobody's failure: {status}");
    cluster.assert_undisturbed_points().await;
}

#[test]
#[ignore = "`make fleet-check` runs it"]
fn what_slurm_does_not_take_is_tried_ever_more_slowly_and_said() {
    let Some(cluster) = Cluster::start(FLEET) else { return };
    let file = std::fs::read_to_string(cluster.place.path("fleet.yaml")).unwrap();
    cluster.place.run(&["submit", "long.yaml"]).ok();
    for (wrong, complaint) in [
        ("--partition=nowhere", "invalid partition"),
        ("--gres=gpu:1", "Requested node configuration is not available"),
        ("--gres=tpu:1", "Invalid generic resource (gres) specification"),
        ("--nodelist=n9", "Invalid node name"),
    ] {
        cluster.place.file("wrong.yaml", &format!("{file}sbatch: [{wrong}]\n"));
        let dry = cluster.run(&["fleet", "up", "wrong.yaml", "--dry-run"]);
        assert!(dry.code == Some(1) && dry.stderr.contains(complaint), "{dry:#?}");
        let up = cluster.up("wrong.yaml");
        // The loop goes around each second.
        std::thread::sleep(Duration::from_secs(6));
        up.interrupt();
        let ended = up.wait();
        let refusals = ended.stderr.matches(complaint).count();
        assert_eq!(refusals, 2, "at once, once more, and not again within a minute: {ended:#?}");
        assert!(ended.stderr.contains("tried again in 1m"), "{ended:#?}");
    }
    assert_eq!(cluster.jobs(LIVING), Vec::<String>::new());
}

#[tokio::test]
#[ignore = "`make fleet-check` runs it"]
async fn while_slurm_does_not_answer_workers_go_on_and_nothing_is_asked_for_twice() {
    let Some(cluster) = Cluster::start(FLEET) else { return };
    cluster.place.run(&["submit", "long.yaml"]).ok();
    let up = cluster.up("fleet.yaml");
    eventually("both runs are under way", || cluster.jobs("RUNNING").len() == 2 && cluster.is_under_way());
    cluster.slurm.stop_controller();
    eventually("both runs are trained meanwhile", || cluster.is_completed());
    cluster.place.run(&["submit", "long.yaml", "--set", "seeds=2"]).ok();
    cluster.slurm.start_controller();
    eventually("the others are trained too", || {
        assert!(cluster.jobs("RUNNING").len() <= 2, "there are never more than `max_workers`");
        cluster.place.run(&["status", "long"]).stdout.contains("4 completed")
    });
    let told = cluster.place.run(&["watch", "long", "--after", "0", "--once"]).ok();
    assert_eq!(cluster.attempts().await, 4, "no run was disturbed: {told}");
    eventually("the workers are gone", || cluster.jobs(LIVING).is_empty());
    up.interrupt();
    let ended = up.wait();
    assert!(ended.stderr.contains("nothing is changed"), "{ended:#?}");
}

#[tokio::test]
#[ignore = "`make fleet-check` runs it"]
async fn a_slurm_that_died_and_takes_jobs_under_way_for_waiting_costs_no_step() {
    let Some(cluster) = Cluster::start(FLEET) else { return };
    cluster.place.run(&["submit", "long.yaml"]).ok();
    let _up = cluster.up("fleet.yaml");
    eventually("both runs are under way", || cluster.jobs("RUNNING").len() == 2 && cluster.is_under_way());
    cluster.slurm.kill_controller();
    cluster.slurm.start_controller();
    eventually("the sweep is trained", || cluster.is_completed());
    let told = cluster.place.run(&["watch", "long", "--after", "0", "--once"]).ok();
    assert!(!told.contains("state folder"), "the files of a worker that lives are left alone: {told}");
    cluster.assert_undisturbed_points().await;
    eventually("the workers are gone", || cluster.jobs(LIVING).is_empty());
}

#[test]
#[ignore = "`make fleet-check` runs it"]
fn jobs_that_wait_when_the_loop_is_killed_leave_by_themselves() {
    let Some(cluster) = Cluster::start(FLEET) else { return };
    let others = cluster.taken_by_others(&[], 600);
    let up = cluster.up("fleet.yaml");
    cluster.place.run(&["submit", "long.yaml"]).ok();
    eventually("two jobs wait", || cluster.jobs("PENDING").len() == 2);
    up.signal(Signal::KILL);
    up.wait();
    cluster.place.run(&["cancel", "long"]).ok();
    cluster.cancel(&others);
    eventually("they came, found nothing to do, and went", || cluster.jobs(LIVING).is_empty());
    assert_eq!(cluster.jobs("COMPLETED").len(), 2);
}
