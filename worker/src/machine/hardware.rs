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
    Hardware {
        host: System::host_name().unwrap_or_else(|_| "unknown".to_owned()),
        cpu: cpu.unwrap_or_default(),
        cores,
        memory_bytes: system.as_ref().map_or(0, memory_bytes),
        gpus: gpus().await,
        threads: 0,
    }
}

fn memory_bytes(system: &System) -> u64 {
    let limit = system.cgroup_limits().map_or(u64::MAX, |limits| limits.total_memory);
    system.total_memory().min(limit)
}

/// The NVIDIA GPUs that CUDA will show to a trainer, in its order; none without `nvidia-smi`.
async fn gpus() -> Vec<Gpu> {
    let query = Command::new("nvidia-smi")
        .args(["--query-gpu=name,memory.total,uuid", "--format=csv,noheader,nounits"])
        .kill_on_drop(true)
        .output();
    match tokio::time::timeout(NVIDIA_SMI_TIMEOUT, query).await {
        Ok(Ok(answer)) if answer.status.success() => {
            let listed = parse_gpus(&String::from_utf8_lossy(&answer.stdout));
            visible(&listed, std::env::var("CUDA_VISIBLE_DEVICES").ok().as_deref())
        }
        Ok(Err(_)) => Vec::new(),
        Ok(Ok(answer)) => {
            tracing::warn!("`nvidia-smi` failed with {}; going on without GPUs", answer.status);
            Vec::new()
        }
        Err(_) => {
            tracing::warn!("`nvidia-smi` does not answer; going on without GPUs");
            Vec::new()
        }
    }
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
fn visible(listed: &[(Gpu, String)], selection: Option<&str>) -> Vec<Gpu> {
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
