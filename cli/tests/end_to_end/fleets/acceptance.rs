//! All of a large cluster at once: two coordinators on one Postgres, checkpoints in a bucket, two fleets on a Slurm of four
//! machines. The table is that of `acai run`, to the bit, although machines and a coordinator die.

use std::process::{Command, Stdio};

use acai_testing::postgres::Postgres;
use acai_testing::s3::{BUCKET, S3};
use acai_testing::slurm::Slurm;
use serde_json::Value;
use sqlx::{Connection as _, PgConnection};

use crate::outages::{assert_same, points};
use crate::{Place, Started, eventually, free_address};

/// Eight runs of some seconds, which checkpoint often.
const SWEEP: &str = "
version: 1
name: acceptance
metric: [latent_accuracy, reconstruction_mse]
parameters:
  model: acai
  dataset: digits32
  lambda: [0, 0.1, 0.5, 1]
  depth: 2
  latent: 2
  batch: 16
  total_kimg: 6
  eval_kimg: 2
checkpoint: {every_kimg: 1}
seeds: 2
";

/// A fleet of up to two machines, each job on one of its own.
fn fleet(name: &str, access: &str) -> String {
    format!(
        "kind: slurm\nname: {name}\nmax_workers: 2\ntime_limit: 30m\nidle_timeout: 5s\nevery: 1s\n\
         sbatch: [--exclusive]\naccess: {access}\nworker: [--slots, '1', --threads, '1', --device, cpu]\n"
    )
}

struct Cluster {
    place: Place,
    slurm: Slurm,
    s3: S3,
    database: String,
    addresses: [String; 2],
    _postgres: Postgres,
}

impl Cluster {
    /// `None` where there is no Slurm or no Postgres to test with.
    fn prepare() -> Option<Cluster> {
        let (slurm, postgres) = (Slurm::start(4)?, Postgres::start()?);
        let database = postgres.create_database().unwrap();
        let addresses = [free_address(), free_address()];
        Some(Cluster {
            place: Place::new(),
            slurm,
            s3: S3::start(),
            database,
            addresses,
            _postgres: postgres,
        })
    }

    fn coordinator(&self, number: usize) -> Started {
        let access = format!("{number}.access");
        let place = format!("s3://{BUCKET}/acai");
        let mut command = self.place.acai(&["coordinator", "--db", &self.database, "--blobs", &place]);
        command.args(["--listen", &self.addresses[number], "--lease", "5", "--access-file", &access]);
        command.envs(self.s3.environment()).stdout(Stdio::null()).stderr(Stdio::null());
        let coordinator = Started { child: command.spawn().unwrap() };
        eventually("the coordinator listens", || {
            self.place.run(&["ls", "--access", &access]).code == Some(0)
        });
        coordinator
    }

    /// The loop of a fleet whose workers know the coordinator of this number.
    fn fleet(&self, name: &str, number: usize) -> Started {
        let (admin, workers) = (format!("{number}.access"), format!("{name}.worker"));
        let create = ["access", "create", "--scope", "worker", "--name", name, "-o", &workers];
        self.place.run(&[&create[..], &["--access", &admin]].concat()).ok();
        self.place.file(&format!("{name}.yaml"), &fleet(name, &workers));
        let acai = self.place.acai(&["fleet", "up", &format!("{name}.yaml"), "--access", &admin]);
        let mut command = self.slurm.command(acai.get_program());
        command.args(acai.get_args()).current_dir(self.place.path("")).stdin(Stdio::null());
        command.env("XDG_CONFIG_HOME", self.place.path("config"));
        Started { child: command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap() }
    }

    fn status(&self, coordinator: usize) -> String {
        let access = format!("{coordinator}.access");
        self.place.run(&["status", "acceptance", "--access", &access]).stdout
    }

    /// Whether a run is under way that has come this far.
    fn has_trained(&self, images: u64) -> bool {
        let status = self.place.run(&["status", "acceptance", "--json", "--access", "0.access"]).stdout;
        let status: Value = serde_json::from_str(&status).unwrap_or_default();
        status["sweep"]["images_done"].as_u64() > Some(images)
    }

    /// The machines on which jobs run, each once.
    fn machines(&self) -> Vec<String> {
        let mut squeue: Command = self.slurm.command("squeue");
        let output = squeue.args(["--noheader", "--format=%N", "--states=RUNNING"]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().split_whitespace().map(str::to_owned).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "`make acceptance` runs it"]
async fn two_coordinators_a_bucket_and_a_slurm_whose_machines_die_train_to_the_table_of_one_machine() {
    let Some(cluster) = Cluster::prepare() else { return };
    let place = &cluster.place;
    place.file("acceptance.yaml", SWEEP);
    let (_first, mut second) = (cluster.coordinator(0), cluster.coordinator(1));
    place.run(&["submit", "acceptance.yaml", "--access", "1.access"]).ok();
    let _fleets = [cluster.fleet("one", 0), cluster.fleet("two", 1)];
    eventually("four machines train", || cluster.machines().len() == 4 && cluster.has_trained(4096));

    let doomed = cluster.machines();
    cluster.slurm.kill_node(&doomed[0]);
    second.kill();
    eventually("others go on", || cluster.has_trained(16_384));
    eventually("and on", || cluster.has_trained(32_768));
    let _second = cluster.coordinator(1);
    cluster.slurm.kill_node(&doomed[1]);
    cluster.slurm.start_node(&doomed[0]);
    eventually("the sweep is trained", || cluster.status(1).contains("8 completed"));

    let undisturbed = Place::new();
    undisturbed.file("acceptance.yaml", SWEEP);
    undisturbed.run(&["run", "acceptance.yaml", "--slots", "2", "--threads", "1"]).ok();
    let expected = points(&mut undisturbed.database(".acai/acai.db").await).await;
    let mut database = PgConnection::connect(&cluster.database).await.unwrap();
    let found: Vec<(i64, String, i64, f64)> = sqlx::query_as(
        "select r.idx, m.name, m.step, m.value from metrics m join runs r on r.id = m.run_id
         order by r.idx, m.name collate \"C\", m.step",
    )
    .fetch_all(&mut database)
    .await
    .unwrap();
    assert_same(&found, &expected);
    let table = ["results", "acceptance", "--group-by", "lambda", "--format", "json"];
    let expected = undisturbed.run(&table).ok();
    for access in ["0.access", "1.access"] {
        assert_eq!(place.run(&[&table[..], &["--access", access]].concat()).ok(), expected);
    }
    let taken_again: i64 = sqlx::query_scalar("select count(*) from attempts where number > 1")
        .fetch_one(&mut database)
        .await
        .unwrap();
    assert!(taken_again >= 2, "machines died, and {taken_again} attempts followed others");
    let bucket = cluster.s3.folder().join("server").join(BUCKET).join("acai");
    assert!(std::fs::read_dir(bucket).unwrap().next().is_some(), "checkpoints are in the bucket");
}
