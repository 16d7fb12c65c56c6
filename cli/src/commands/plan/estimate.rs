//! How long a plan takes and how much it stores, from what runs of the same size have taken and stored before.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use acai_proto::convert;
use acai_proto::v1::{AttemptDetails, GetRunRequest, ListRunsRequest, ListSweepsRequest, Run, RunState};
use acai_sweep::plan::Plan;
use acai_sweep::spelling::counted;
use serde_json::{Value, json};

use super::super::artifacts::of_run;
use super::super::attempts::device;
use super::super::runs::list;
use crate::client::Client;
use crate::failure::Failure;

/// Runs of a size that are looked at.
const ENOUGH: usize = 5;
/// Sweeps that are looked at, the newest first.
const SWEEPS: usize = 20;

/// What runs of one size have needed, by the machine that trained them.
type Measured = BTreeMap<String, Vec<Need>>;

/// What a run has needed.
struct Need {
    seconds_an_image: f64,
    bytes: f64,
    sweep: String,
}

/// What a plan's runs need on a kind of machine that has trained runs of their size.
pub(super) struct Estimate {
    machine: String,
    /// Runs of the plan, of which runs of their size were measured there.
    runs: u64,
    seconds: f64,
    bytes: f64,
    /// Runs that were looked at, and their sweeps.
    measured: usize,
    sweeps: Vec<String>,
}

/// An estimate for each kind of machine that has completed runs of a size that the plan has.
pub(super) async fn estimate(client: &mut Client, plan: &Plan) -> Result<Vec<Estimate>, Failure> {
    // How many runs of each size there are, and on how many images they train.
    let mut sizes: HashMap<String, (u64, f64)> = HashMap::new();
    for configuration in plan.configurations() {
        let seeds = plan.counts().seeds;
        let training = configuration.training_config();
        let images = training.total_steps() as f64 * f64::from(training.batch);
        let size = sizes.entry(configuration.size_key()).or_default();
        *size = (size.0 + seeds, size.1 + images * seeds as f64);
    }
    let measured = measure(client, sizes.keys()).await?;
    let mut estimates: BTreeMap<String, Estimate> = BTreeMap::new();
    for (size, by_machine) in &measured {
        let Some(&(runs, images)) = sizes.get(size) else { continue };
        for (machine, needs) in by_machine {
            let mean = |of: fn(&Need) -> f64| needs.iter().map(of).sum::<f64>() / needs.len() as f64;
            let estimate = estimates.entry(machine.clone()).or_insert_with(|| Estimate::none(machine));
            estimate.runs += runs;
            estimate.seconds += images * mean(|need| need.seconds_an_image);
            estimate.bytes += runs as f64 * mean(|need| need.bytes);
            estimate.measured += needs.len();
            for Need { sweep, .. } in needs {
                if !estimate.sweeps.contains(sweep) {
                    estimate.sweeps.push(sweep.clone());
                }
            }
        }
    }
    Ok(estimates.into_values().collect())
}

/// What completed runs of these sizes have needed.
async fn measure(
    client: &mut Client,
    sizes: impl Iterator<Item = &String>,
) -> Result<HashMap<String, Measured>, Failure> {
    let mut measured: HashMap<String, Measured> = sizes.map(|size| (size.clone(), Measured::new())).collect();
    let sweeps = client.list_sweeps(ListSweepsRequest {}).await?.into_inner().sweeps;
    for sweep in sweeps.iter().take(SWEEPS) {
        let states = vec![RunState::Completed.into()];
        let request = ListRunsRequest { sweep: sweep.name.clone(), states, set_aside: false };
        for run in list(client, request).await? {
            // One that was imported has been trained elsewhere, in an unknown time.
            if run.attempt == 0 {
                continue;
            }
            // A run of another version may have parameters that this one does not know.
            let Ok(configuration) = convert::configuration(&run.configuration) else { continue };
            let Some(of_size) = measured.get_mut(&configuration.size_key()) else { continue };
            if of_size.values().map(Vec::len).sum::<usize>() >= ENOUGH {
                continue;
            }
            let images = run.total_steps as f64 * f64::from(configuration.training_config().batch);
            if let Some((machine, need)) = need(client, &run, images).await? {
                of_size.entry(machine).or_default().push(need);
            }
        }
    }
    Ok(measured)
}

/// What a run has needed, and the machine that trained it; none if it was trained on several, or in no time that is known.
async fn need(client: &mut Client, run: &Run, images: f64) -> Result<Option<(String, Need)>, Failure> {
    let Run { sweep, number, .. } = run.clone();
    let request = GetRunRequest { sweep: sweep.clone(), number };
    let details = client.get_run(request).await?.into_inner();
    let mut machines: Vec<String> = details.attempts.iter().map(machine).collect();
    machines.dedup();
    let took =
        |attempt: &AttemptDetails| Some((attempt.ended_unix_ms? - attempt.started_unix_ms) as f64 / 1000.0);
    let times: Vec<f64> = details.attempts.iter().filter_map(took).collect();
    // Nobody knows how long an attempt took during which the coordinator's clock was set back.
    let seconds = if times.iter().any(|seconds| *seconds < 0.0) { 0.0 } else { times.iter().sum() };
    // What a run took over from a shorter one took it no time.
    let taken_over = |attempt: &AttemptDetails| {
        let took_no_time = attempt.ended_unix_ms == Some(attempt.started_unix_ms);
        attempt.step.filter(|_| took_no_time)
    };
    let taken_over = details.attempts.iter().filter_map(taken_over).max().unwrap_or_default();
    let images = images * (1.0 - taken_over as f64 / run.total_steps.max(1) as f64);
    let ([machine], true) = (machines.as_slice(), seconds > 0.0 && images > 0.0) else { return Ok(None) };
    let artifacts = of_run(client, &sweep, number).await?;
    let bytes = details.checkpoints.iter().map(|checkpoint| checkpoint.bytes);
    let bytes: u64 = bytes.chain(artifacts.iter().map(|artifact| artifact.bytes)).sum();
    let need = Need { seconds_an_image: seconds / images, bytes: bytes as f64, sweep };
    Ok(Some((machine.clone(), need)))
}

fn machine(attempt: &AttemptDetails) -> String {
    format!("{} ({})", attempt.worker, device(attempt.hardware.as_ref()))
}

impl Estimate {
    fn none(machine: &str) -> Estimate {
        let (machine, sweeps) = (machine.to_owned(), Vec::new());
        Estimate { machine, runs: 0, seconds: 0.0, bytes: 0.0, measured: 0, sweeps }
    }
}

/// The estimates in lines for people; `runs` are those of the plan.
pub(super) fn text(estimates: &[Estimate], runs: u64) -> Vec<String> {
    let line = |estimate: &Estimate| {
        let part = match estimate.runs {
            part if part == runs => String::new(),
            part => format!("{part} of the {runs} runs; no run of the others' size was measured: "),
        };
        let seconds = estimate.seconds.round().max(1.0);
        let time = humantime::format_duration(Duration::from_secs(rounded(seconds)));
        format!(
            "as on {}: {part}about {time} one after the other, and {:.1} MB of checkpoints and pictures\n  (from {} of {})",
            estimate.machine,
            estimate.bytes / 1e6,
            counted(estimate.measured as u64, "completed run"),
            estimate.sweeps.join(", ")
        )
    };
    estimates.iter().map(line).collect()
}

/// Seconds without digits that an estimate does not have: whole minutes beyond one hour, whole hours beyond two days.
fn rounded(seconds: f64) -> u64 {
    let unit = match seconds {
        seconds if seconds < 600.0 => 1.0,
        seconds if seconds < 48.0 * 3600.0 => 60.0,
        _ => 3600.0,
    };
    ((seconds / unit).round() * unit) as u64
}

pub(super) fn json(estimates: &[Estimate]) -> Value {
    let document = |estimate: &Estimate| {
        json!({
            "machine": estimate.machine,
            "runs": estimate.runs,
            "seconds": estimate.seconds,
            "bytes": estimate.bytes,
            "measured_runs": estimate.measured,
            "measured_sweeps": estimate.sweeps,
        })
    };
    Value::Array(estimates.iter().map(document).collect())
}
