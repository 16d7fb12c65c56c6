//! What attempts say of the machines that they were made on.

use acai_proto::v1::Hardware;

/// `H200`, or `2 cores of AMD EPYC, --threads 1`: what trains there.
pub(super) fn device(hardware: Option<&Hardware>) -> String {
    let hardware = hardware.cloned().unwrap_or_default();
    let device = match hardware.gpus.first() {
        Some(gpu) => gpu.name.clone(),
        None => format!("{} cores of {}", hardware.cores, hardware.cpu),
    };
    match hardware.threads {
        0 => device,
        threads => format!("{device}, --threads {threads}"),
    }
}
