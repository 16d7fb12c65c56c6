//! The trainer, its libtorch, and the GPUs.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use acai_sweep::trainer_protocol::Event;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

use super::finding::Finding;

/// How long a trainer may take until it is ready: libtorch with CUDA takes a while from a cold disk.
const PATIENCE: Duration = Duration::from_secs(120);
/// Bytes of what a trainer says that does not start.
const SAID: u64 = 64 << 10;

/// A trainer that is ready.
struct Ready {
    version: String,
    libtorch: String,
}

/// Whether the trainer starts, on the CPU and on a GPU if there are any.
pub(super) async fn findings(named: Option<&Path>) -> Vec<Finding> {
    let program = match acai_worker::locate(named) {
        Ok(program) => program,
        Err(error) => {
            return vec![Finding::wrong(
                "trainer",
                error.to_string(),
                "or `make install`, which puts it beside acai",
            )];
        }
    };
    let mut findings = vec![match ready(&program, "cpu").await {
        Ok(ready) => of_ready(&program, &ready),
        Err(reason) => Finding::wrong(
            "trainer",
            format!("`{}` does not start: {reason}", program.display()),
            "it needs the libtorch that it was built with: `make install` copies both into one folder",
        ),
    }];
    let hardware = acai_worker::hardware::detect().await;
    let gpus: Vec<&str> = hardware.gpus.iter().map(|gpu| gpu.name.as_str()).collect();
    findings.push(match gpus.as_slice() {
        [] => Finding::note(
            "GPU",
            format!("none: runs are trained on {} cores", hardware.cores),
            "if there is one: does `nvidia-smi` list it, and CUDA_VISIBLE_DEVICES not hide it?",
        ),
        gpus => match ready(&program, "cuda:0").await {
            Ok(_) => Finding::good("GPU", gpus.join(", ")),
            Err(reason) => Finding::wrong(
                "GPU",
                format!("{}, and the trainer cannot use the first: {reason}", gpus.join(", ")),
                "is the driver new enough, and the libtorch one with CUDA? README.md, libtorch, says how to get one",
            ),
        },
    });
    findings
}

fn of_ready(program: &Path, Ready { version, libtorch }: &Ready) -> Finding {
    let words = format!("`{}` {version}, libtorch {libtorch}", program.display());
    match version == env!("CARGO_PKG_VERSION") {
        true => Finding::good("trainer", words),
        false => Finding::note(
            "trainer",
            format!("{words}; acai is {}", env!("CARGO_PKG_VERSION")),
            "install both of one release, unless the trainer is one of your own",
        ),
    }
}

/// Starts a trainer on a device, as a worker does, and ends it when it is ready.
async fn ready(program: &Path, device: &str) -> Result<Ready, String> {
    let mut command = Command::new(program);
    command.args(["serve", "--device", device, "--threads", "1"]).kill_on_drop(true);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| error.to_string())?;
    let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
        return Err("it has no output".to_owned());
    };
    let mut line = String::new();
    let read = timeout(PATIENCE, BufReader::new(stdout.take(SAID)).read_line(&mut line)).await;
    read.map_err(|_| format!("it is not ready after {PATIENCE:?}"))?.map_err(|error| error.to_string())?;
    match serde_json::from_str(&line) {
        Ok(Event::Ready { version, libtorch, .. }) => Ok(Ready { version, libtorch }),
        _ => {
            drop(child.stdin.take());
            let mut said = String::new();
            let _ = timeout(PATIENCE, stderr.take(SAID).read_to_string(&mut said)).await;
            Err(said.trim().lines().next_back().unwrap_or("it says nothing").to_owned())
        }
    }
}
