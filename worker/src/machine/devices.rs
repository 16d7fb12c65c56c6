//! Devices, and the slots on them: where groups are trained.

use acai_proto::v1::Hardware;

/// Kind of device to train on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DeviceChoice {
    /// The GPUs if there are any, else the CPU.
    #[default]
    Auto,
    /// The CPU, whatever else there is.
    Cpu,
    /// GPUs; an error when there are none.
    Gpu,
}

/// Room for one group: the part of this machine that one trainer process is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// `cpu` or `cuda:N`, as the trainer takes it.
    pub device: String,
    /// Threads of a CPU operation, at least 1.
    pub threads: u32,
    /// Whether another slot is on the same GPU.
    pub shares_gpu: bool,
}

impl Slot {
    /// The number of its GPU, as CUDA shows it; none on the CPU.
    #[must_use]
    pub fn gpu(&self) -> Option<usize> {
        self.device.strip_prefix("cuda:")?.parse().ok()
    }
}

/// Why a machine offers no slots.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SlotsError {
    /// GPUs were asked for.
    #[error("no GPU found: `nvidia-smi` is missing or lists none; train on the CPU, or repair the driver")]
    NoGpu,
    /// Zero slots were asked for.
    #[error("a worker needs at least 1 slot, not 0")]
    Zero,
}

/// The slots of a machine: `count` of them, or one per GPU, or one per core when it trains on the CPU.
/// More slots than GPUs share the GPUs evenly; each slot has `threads`, or its share of the cores.
///
/// # Errors
///
/// When `count` is 0, or GPUs are asked for and there are none.
pub fn slots(
    hardware: &Hardware,
    choice: DeviceChoice,
    count: Option<u32>,
    threads: Option<u32>,
) -> Result<Vec<Slot>, SlotsError> {
    let gpus = match (choice, hardware.gpus.len()) {
        (DeviceChoice::Cpu, _) => 0,
        (DeviceChoice::Gpu, 0) => return Err(SlotsError::NoGpu),
        (DeviceChoice::Auto | DeviceChoice::Gpu, gpus) => gpus as u32,
    };
    let cores = hardware.cores.max(1);
    let count = count.unwrap_or(if gpus > 0 { gpus } else { cores });
    if count == 0 {
        return Err(SlotsError::Zero);
    }
    let threads = threads.unwrap_or(cores / count).max(1);
    let device = |slot: u32| slot.checked_rem(gpus).map_or("cpu".to_owned(), |gpu| format!("cuda:{gpu}"));
    let shares_gpu = gpus > 0 && count > gpus;
    Ok((0..count).map(|slot| Slot { device: device(slot), threads, shares_gpu }).collect())
}

#[cfg(test)]
mod tests {
    use acai_proto::v1::Gpu;

    use super::*;

    fn offered(gpus: usize, choice: DeviceChoice, count: Option<u32>) -> Vec<(String, u32)> {
        let hardware = Hardware { cores: 8, gpus: vec![Gpu::default(); gpus], ..Hardware::default() };
        slots(&hardware, choice, count, None).unwrap().into_iter().map(|s| (s.device, s.threads)).collect()
    }

    #[test]
    fn a_machine_without_gpus_offers_its_cores() {
        assert_eq!(offered(0, DeviceChoice::Auto, None), vec![("cpu".to_owned(), 1); 8]);
        assert_eq!(offered(0, DeviceChoice::Auto, Some(3)), vec![("cpu".to_owned(), 2); 3]);
        assert_eq!(offered(2, DeviceChoice::Cpu, Some(20)), vec![("cpu".to_owned(), 1); 20]);
    }

    #[test]
    fn a_machine_with_gpus_offers_each_once_or_shares_them_evenly() {
        let (first, second) =
            (|threads| ("cuda:0".to_owned(), threads), |threads| ("cuda:1".to_owned(), threads));
        assert_eq!(offered(2, DeviceChoice::Auto, None), [first(4), second(4)]);
        assert_eq!(offered(2, DeviceChoice::Gpu, Some(3)), [first(2), second(2), first(2)]);
    }

    #[test]
    fn missing_gpus_and_zero_slots_are_refused() {
        let hardware = Hardware { cores: 8, ..Hardware::default() };
        assert_eq!(slots(&hardware, DeviceChoice::Gpu, None, None), Err(SlotsError::NoGpu));
        assert_eq!(slots(&hardware, DeviceChoice::Cpu, Some(0), None), Err(SlotsError::Zero));
    }
}
