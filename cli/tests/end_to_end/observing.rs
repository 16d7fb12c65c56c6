//! What services tell of themselves: metrics, health, and logs that programs read.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Stdio};

use acai_access::AccessFile;
use serde_json::Value;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::{Ended, Place, Started, eventually, free_address};

const TINY: &str = "version: 1\nname: tiny\nseeds: 2\nparameters: {model: acai, dataset: digits32, depth: 1, advdepth: 1, \
                    latent: 1, latent_width: 8, batch: 8, total_kimg: 0.0625, kmeans_inits: 1}\n";

/// Two GPUs of which a worker may use the second one alone, as `nvidia-smi` would tell of them.
const NVIDIA_SMI: &str = r#"#!/bin/sh
case $1 in
    --query-gpu=name,*) printf 'NVIDIA H200, 143771, GPU-aa\nNVIDIA H200, 143771, GPU-bb\n' ;;
    *) printf '143771, 1, 0, GPU-aa\n143771, 1024, 40, GPU-bb\n' ;;
esac
"#;

/// The page at this address, if it answers so with a status of success.
pub(crate) fn page(address: &str, path: &str) -> Option<String> {
    ureq::get(format!("http://{address}{path}")).call().ok()?.body_mut().read_to_string().ok()
}

/// Every series of a page of metrics, with its value.
pub(crate) fn series(page: &str) -> BTreeMap<&str, f64> {
    let samples = page.lines().filter(|line| !line.starts_with('#'));
    samples
        .map(|line| line.rsplit_once(' ').unwrap())
        .map(|(name, value)| (name, value.parse().unwrap()))
        .collect()
}

/// The names of metrics that a text has.
fn names(text: &str) -> BTreeSet<&str> {
    let words = text.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'));
    words.filter(|word| word.starts_with("acai_")).collect()
}

/// What `deploy/` asks Prometheus: the expressions of alerts, and those of the dashboard.
fn queries() -> Vec<String> {
    let deploy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy");
    let read = |file: &str| std::fs::read_to_string(deploy.join(file)).unwrap();
    let rules = read("prometheus/acai.rules.yaml");
    let alerts = rules.lines().filter_map(|line| line.trim().strip_prefix("expr: ")).map(str::to_owned);
    let dashboard: Value = serde_json::from_str(&read("grafana/acai.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let targets = panels.flat_map(|panel| panel["targets"].as_array().unwrap().clone());
    let shown = targets.map(|target| target["expr"].as_str().unwrap().to_owned());
    alerts.chain(shown).collect()
}

/// The words of promtool on a page of metrics; none where it was not fetched, which the test says.
#[expect(clippy::print_stderr, reason = "a check that is skipped must say so")]
fn checked_by_promtool(page: &str) -> Option<String> {
    let promtool = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.tools/usr/bin/promtool");
    if !promtool.is_file() {
        eprintln!("SKIPPED: `make deploy-tools` fetches promtool, which checks the pages of metrics");
        return None;
    }
    let mut child = Command::new(promtool)
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), page.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    Some(String::from_utf8(output.stderr).unwrap())
}

/// What the loop of a fleet tells that has no jobs, in a Slurm whose queue is empty.
fn page_of_a_fleet(place: &Place) -> String {
    place.program("bin/squeue", "#!/bin/sh\n");
    place
        .file("fleet.yaml", "kind: slurm\nname: f\nmax_workers: 1\ntime_limit: 1h\naccess: acai.db.access\n");
    let at = free_address();
    let mut up = place.acai(&["fleet", "up", "fleet.yaml", "--metrics", &at]);
    up.env("PATH", place.path("bin")).stdout(Stdio::null()).stderr(Stdio::null());
    let _up = Started { child: up.spawn().unwrap() };
    eventually("the fleet's loop is ready", || page(&at, "/readyz").is_some());
    page(&at, "/metrics").unwrap()
}

#[test]
fn a_coordinator_and_a_worker_tell_all_that_alerts_and_the_dashboard_ask() {
    let place = Place::new();
    place.file("tiny.yaml", TINY);
    std::fs::create_dir(place.path("bin")).unwrap();
    place.program("bin/nvidia-smi", NVIDIA_SMI);
    let (listen, of_coordinator, of_worker) = (free_address(), free_address(), free_address());
    let _coordinator = place.start(&["coordinator", "--listen", &listen, "--metrics", &of_coordinator]);
    eventually("the coordinator is ready", || page(&of_coordinator, "/readyz").is_some());
    place.run(&["submit", "tiny.yaml"]).ok();
    let before = page(&of_coordinator, "/metrics").unwrap();
    assert_eq!(series(&before)["acai_runs{state=\"queued\"}"], 2.0);
    assert_eq!(series(&before)["acai_runs_startable"], 2.0);

    let mut worker =
        place.acai(&["worker", "--slots", "1", "--threads", "1", "--device", "cpu", "--metrics", &of_worker]);
    worker.env("PATH", format!("{}:{}", place.path("bin").display(), std::env::var("PATH").unwrap()));
    worker.env("CUDA_VISIBLE_DEVICES", "1").stdout(Stdio::piped()).stderr(Stdio::piped());
    let worker = Started { child: worker.spawn().unwrap() };
    eventually("both runs are trained", || place.run(&["status", "tiny"]).ok().contains("2 completed"));
    place.run(&["ls", "--coordinator", &format!("https://{listen}"), "--access", "acai.db.access"]);

    let told = page(&of_coordinator, "/metrics").unwrap();
    let values = series(&told);
    assert_eq!(values["acai_runs{state=\"completed\"}"], 2.0);
    assert_eq!(values["acai_runs_startable"], 0.0);
    assert_eq!(values["acai_workers{duty=\"open\"}"], 1.0);
    assert_eq!(values["acai_attempts_ended_total{outcome=\"completed\"}"], 2.0);
    assert_eq!(values["acai_claim_wait_seconds_count"], 2.0);
    assert!(values["acai_points_acknowledged_total"] > 0.0);
    assert!(values["acai_blob_bytes_total{direction=\"in\"}"] > 0.0);
    assert!(values["acai_store_commit_seconds_count"] > 0.0);
    let claims = "acai_rpc_duration_seconds_count{method=\"WorkerService/Claim\",code=\"Ok\"}";
    assert!(values[claims] >= 2.0);

    let mut agent = String::new();
    eventually("the worker has closed both", || {
        agent = page(&of_worker, "/metrics").unwrap();
        let values = series(&agent);
        values["acai_agent_attempts_ended_total{outcome=\"completed\"}"] == 2.0
            && values["acai_agent_slots{state=\"free\"}"] == 1.0
    });
    let values = series(&agent);
    // 64 images, in batches of 8, of each run.
    assert_eq!(values["acai_agent_images_total"], 128.0);
    assert_eq!(values["acai_agent_gpu_memory_used_bytes{gpu=\"0\"}"], f64::from(1 << 30));
    assert_eq!(values["acai_agent_gpu_utilization_ratio{gpu=\"0\"}"], 0.4);
    assert!(page(&of_worker, "/readyz").is_some() && page(&of_worker, "/livez").is_some());

    let fleet = page_of_a_fleet(&place);
    let pages = [&told, &agent, &fleet];
    let exported: BTreeSet<&str> =
        pages.iter().flat_map(|page| series(page).into_keys()).flat_map(names).collect();
    for query in queries() {
        let unknown: Vec<&str> = names(&query).difference(&exported).copied().collect();
        assert!(!names(&query).is_empty() || query.starts_with("up{"), "`{query}` names no metric");
        assert!(unknown.is_empty(), "nobody exports {unknown:?} of `{query}`");
    }
    for page in pages {
        assert!(!page.contains("tiny"), "no label names a sweep");
        assert_eq!(checked_by_promtool(page).unwrap_or_default(), "");
    }
    worker.interrupt();
    worker.wait();
}

#[test]
fn health_is_told_without_a_token_and_refused_tokens_are_counted() {
    let place = Place::new();
    let (listen, metrics) = (free_address(), free_address());
    let mut coordinator = place.start(&["coordinator", "--listen", &listen, "--metrics", &metrics]);
    eventually("the coordinator is ready", || page(&metrics, "/readyz").is_some());
    let access = AccessFile::read(&place.path("acai.db.access")).unwrap();
    let stranger = AccessFile { token: None, ..access };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let health = || {
        runtime.block_on(async {
            let channel = acai_access::endpoint(&stranger).unwrap().connect().await.unwrap();
            HealthClient::new(channel)
                .check(HealthCheckRequest::default())
                .await
                .unwrap()
                .into_inner()
                .status()
        })
    };
    eventually("the coordinator says that it serves", || health() == ServingStatus::Serving);

    stranger.write(&place.path("stranger.toml")).unwrap();
    assert_eq!(place.run(&["ls", "--access", "stranger.toml"]).code, Some(1));
    let told = page(&metrics, "/metrics").unwrap();
    assert_eq!(series(&told)["acai_auth_failures_total{reason=\"missing\"}"], 1.0);
    let refused =
        "acai_rpc_duration_seconds_count{method=\"SweepService/ListSweeps\",code=\"Unauthenticated\"}";
    assert_eq!(series(&told)[refused], 1.0);
    coordinator.kill();
}

#[test]
fn a_log_for_programs_has_a_json_object_in_each_line() {
    let place = Place::new();
    let listen = free_address();
    let child = place
        .acai(&["coordinator", "--listen", &listen, "--log-format", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let coordinator = Started { child };
    eventually("the coordinator listens", || place.run(&["ls"]).code == Some(0));
    let worker = ["worker", "--slots", "1", "--idle-timeout", "0.1", "--log-format", "json"];
    let worker = place.run(&worker);
    coordinator.interrupt();
    let coordinator: Ended = coordinator.wait();
    for (log, message) in [(&worker.stderr, "the worker ends"), (&coordinator.stderr, "worker registered")] {
        // What a coordinator says to whoever started it comes before the log.
        let lines: Vec<Value> = log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let is_there = |line: &Value| line["message"].as_str().is_some_and(|said| said.starts_with(message));
        assert!(lines.iter().any(is_there), "{log}");
        assert!(lines.iter().all(|line| line["timestamp"].is_string() && line["level"].is_string()), "{log}");
    }
}
