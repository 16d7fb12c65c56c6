//! What this machine has.

use std::time::Duration;

use acai_proto::v1::{Gpu, Hardware};
use sysinfo::{CpuRefreshKind, MemoryRefreshKind, RefreshKind, System};
use tokio::process::Command;

/// Time for `nvidia-smi` to answer: it can take seconds on a machine with many GPUs, and hangs with
/// a broken driver.
const NVIDIA_SMI_TIMEOUT: Duration = Duration::from_secs(15);

/// Host, processor, memory and GPUs of this machine, as far as this process may use them: cores and
/// memory within its limits, GPUs within `CUDA_VISIBLE_DEVICES`.
pub async fn detect() -> Hardware {
    let kinds = RefreshKind::nothing()
        .with_cpu(CpuRefreshKind::nothing())
        .with_memory(MemoryRefreshKind::nothing().with_ram());
    let system = System::new_with_specifics(kinds).ok();
    let cpu =
        system.as_ref().and_then(|system| system.cpus().first()).map(|cpu| cpu.brand().trim().to_owned());
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u32);
    let cores =
        allotted(std::env::var("SLURM_CPUS_ON_NODE").ok().as_deref()).map_or(cores, |of| of.min(cores));
    Hardware {
        host: System::host_name().unwrap_or_else(|_| "unknown".to_owned()),
        cpu: cpu.unwrap_or_default(),
        cores,
        memory_bytes: system.as_ref().map_or(0, memory_bytes),
        gpus: gpus().await,
        threads: 0,
    }
}

/// The cores that Slurm has given to the job; it does not keep a job to them everywhere.
fn allotted(cpus_on_node: Option<&str>) -> Option<u32> {
    cpus_on_node?.parse().ok().filter(|cores| *cores > 0)
}

fn memory_bytes(system: &System) -> u64 {
    let limit = system.cgroup_limits().map_or(u64::MAX, |limits| limits.total_memory);
    system.total_memory().min(limit)
}

/// The NVIDIA GPUs that CUDA will show to a trainer, in its order; none without `nvidia-smi`.
async fn gpus() -> Vec<Gpu> {
    match nvidia_smi("name,memory.total,uuid").await {
        Ok(answer) => selected(&parse_gpus(&answer)),
        Err(NoAnswer::NotThere) => Vec::new(),
        Err(NoAnswer::Failed(reason)) => {
            tracing::warn!("`nvidia-smi` {reason}; going on without GPUs");
            Vec::new()
        }
    }
}

/// What a GPU is used for now, as far as its driver tells.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct GpuUse {
    pub(crate) memory_bytes: Option<u64>,
    pub(crate) used_bytes: Option<u64>,
    /// Share of the time in which it was at work, 0 to 1.
    pub(crate) utilization: Option<f64>,
}

/// The use of the GPUs that CUDA will show to a trainer, in its order; `None` where there is no `nvidia-smi`.
pub(crate) async fn gpu_use() -> Option<Vec<GpuUse>> {
    match nvidia_smi("memory.total,memory.used,utilization.gpu,uuid").await {
        Ok(answer) => Some(selected(&parse_use(&answer))),
        Err(NoAnswer::NotThere) => None,
        Err(NoAnswer::Failed(reason)) => {
            tracing::debug!("`nvidia-smi` {reason}");
            Some(Vec::new())
        }
    }
}

/// The share of a GPU's memory that is in use, by whomever; none where its driver does not tell.
pub(crate) async fn gpu_memory_share(gpu: usize) -> Option<f64> {
    let GpuUse { memory_bytes, used_bytes, .. } = gpu_use().await?.into_iter().nth(gpu)?;
    let (memory, used) = (memory_bytes.filter(|bytes| *bytes > 0)?, used_bytes?);
    Some(used as f64 / memory as f64)
}

/// Why `nvidia-smi` said nothing.
enum NoAnswer {
    NotThere,
    /// In words that go on from its name.
    Failed(String),
}

/// These columns of each GPU, in lines.
async fn nvidia_smi(columns: &str) -> Result<String, NoAnswer> {
    let query = Command::new("nvidia-smi")
        .arg(format!("--query-gpu={columns}"))
        .arg("--format=csv,noheader,nounits")
        .kill_on_drop(true)
        .output();
    match tokio::time::timeout(NVIDIA_SMI_TIMEOUT, query).await {
        Ok(Ok(answer)) if answer.status.success() => Ok(String::from_utf8_lossy(&answer.stdout).into_owned()),
        Ok(Ok(answer)) => Err(NoAnswer::Failed(format!("failed with {}", answer.status))),
        Ok(Err(_)) => Err(NoAnswer::NotThere),
        Err(_) => Err(NoAnswer::Failed("does not answer".to_owned())),
    }
}

/// Those of `listed` that this process may use.
fn selected<T: Clone>(listed: &[(T, String)]) -> Vec<T> {
    visible(listed, std::env::var("CUDA_VISIBLE_DEVICES").ok().as_deref())
}

/// Parses lines of `MiB, MiB, percent, uuid`; what the driver does not tell is `[N/A]`.
fn parse_use(listing: &str) -> Vec<(GpuUse, String)> {
    let gpu = |line: &str| {
        let columns: Vec<&str> = line.split(',').map(str::trim).collect();
        let [memory, used, percent, uuid] = columns[..] else { return None };
        let bytes = |mib: &str| Some(mib.parse::<u64>().ok()?.saturating_mul(1 << 20));
        let utilization = percent.parse::<f64>().ok().map(|percent| percent / 100.0);
        Some((GpuUse { memory_bytes: bytes(memory), used_bytes: bytes(used), utilization }, uuid.to_owned()))
    };
    listing.lines().filter_map(gpu).collect()
}

/// Parses lines of `name, MiB, uuid`. Memory that the driver does not tell (`[N/A]`) becomes 0.
fn parse_gpus(listing: &str) -> Vec<(Gpu, String)> {
    let gpu = |line: &str| {
        let mut columns = line.split(',').map(str::trim);
        let (name, mib, uuid) = (columns.next()?, columns.next()?, columns.next()?);
        let memory_bytes = mib.parse::<u64>().unwrap_or(0).saturating_mul(1 << 20);
        Some((Gpu { name: name.to_owned(), memory_bytes }, uuid.to_owned()))
    };
    listing.lines().filter_map(gpu).collect()
}

/// Those of `listed` that `CUDA_VISIBLE_DEVICES` selects, by number or by the start of a UUID; as CUDA
/// does, everything from the first unknown entry on is left out.
fn visible<T: Clone>(listed: &[(T, String)], selection: Option<&str>) -> Vec<T> {
    let select = |entry: &str| match entry.parse::<usize>() {
        Ok(number) => listed.get(number),
        Err(_) => listed.iter().find(|(_, uuid)| !entry.is_empty() && uuid.starts_with(entry)),
    };
    match selection {
        None => listed.iter().map(|(gpu, _)| gpu.clone()).collect(),
        Some(entries) => {
            entries.split(',').map_while(|entry| select(entry.trim())).map(|(gpu, _)| gpu.clone()).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTING: &str = "NVIDIA H200, 143771, GPU-aa11\nNVIDIA GB10, [N/A], GPU-bb22\n";

    fn names(selection: Option<&str>) -> Vec<String> {
        visible(&parse_gpus(LISTING), selection).into_iter().map(|gpu| gpu.name).collect()
    }

    #[test]
    fn a_listing_of_nvidia_smi_becomes_gpus() {
        let gpus = visible(&parse_gpus(LISTING), None);
        assert_eq!(gpus[0], Gpu { name: "NVIDIA H200".into(), memory_bytes: 143_771 << 20 });
        assert_eq!(gpus[1], Gpu { name: "NVIDIA GB10".into(), memory_bytes: 0 });
        assert_eq!(parse_gpus("No devices were found\n"), []);
    }

    #[test]
    fn a_job_of_slurm_has_the_cores_that_it_was_given() {
        assert_eq!(["8", "0", "", "8(x2)"].map(|cpus| allotted(Some(cpus))), [Some(8), None, None, None]);
        assert_eq!(allotted(None), None);
    }

    #[test]
    fn the_use_of_gpus_is_what_the_driver_tells_and_nothing_else() {
        let listing = "143771, 7, 40, GPU-aa11\n[N/A], [N/A], 3, GPU-bb22\nno device\n";
        let first =
            GpuUse { memory_bytes: Some(143_771 << 20), used_bytes: Some(7 << 20), utilization: Some(0.4) };
        let second = GpuUse { memory_bytes: None, used_bytes: None, utilization: Some(0.03) };
        assert_eq!(visible(&parse_use(listing), Some("1,0")), [second, first]);
    }

    #[test]
    fn cuda_visible_devices_selects_by_number_or_uuid_up_to_the_first_unknown() {
        assert_eq!(names(Some("1,0")), ["NVIDIA GB10", "NVIDIA H200"]);
        assert_eq!(names(Some("GPU-bb")), ["NVIDIA GB10"]);
        assert_eq!(names(Some("0,7,1")), ["NVIDIA H200"]);
        assert!(names(Some("")).is_empty());
        assert!(names(Some("-1")).is_empty());
    }

    #[tokio::test]
    async fn detected_hardware_has_a_name_cores_and_memory() {
        let hardware = detect().await;
        assert!(
            hardware.cores >= 1 && hardware.memory_bytes > 0 && !hardware.host.is_empty(),
            "{hardware:?}"
        );
    }
}
