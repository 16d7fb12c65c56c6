//! What `nvidia-smi` says of the GPUs that this worker may use, asked at each scrape. Not yet run on a GPU.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::BYTES;
use crate::machine::hardware::{GpuUse, gpu_use};

/// By the GPU's number as CUDA shows it to trainers.
type ByGpu<T> = Family<[(&'static str, u64); 1], T>;

/// Memory and use of each GPU.
#[derive(Debug, Clone, Default)]
pub(super) struct Gpus {
    memory: ByGpu<Gauge>,
    memory_used: ByGpu<Gauge>,
    utilization: ByGpu<Gauge<f64, AtomicU64>>,
    /// There is no `nvidia-smi`: it is not asked again.
    are_none: Arc<AtomicBool>,
}

impl Gpus {
    pub(super) fn register(&self, registry: &mut Registry) {
        let (memory, used) = (self.memory.clone(), self.memory_used.clone());
        registry.register_with_unit("acai_agent_gpu_memory", "Memory of a GPU", BYTES, memory);
        registry.register_with_unit("acai_agent_gpu_memory_used", "Memory of a GPU in use", BYTES, used);
        registry.register(
            "acai_agent_gpu_utilization_ratio",
            "Share of the time in which a GPU was at work, 0 to 1, as nvidia-smi says it",
            self.utilization.clone(),
        );
    }

    pub(super) async fn refresh(&self) {
        if self.are_none.load(Ordering::Relaxed) {
            return;
        }
        let Some(gpus) = gpu_use().await else {
            self.are_none.store(true, Ordering::Relaxed);
            return;
        };
        for (number, gpu) in (0..).zip(gpus) {
            let GpuUse { memory_bytes, used_bytes, utilization } = gpu;
            let label = [("gpu", number)];
            if let (Some(memory), Some(used)) = (memory_bytes, used_bytes) {
                self.memory.get_or_create(&label).set(memory as i64);
                self.memory_used.get_or_create(&label).set(used as i64);
            }
            if let Some(utilization) = utilization {
                self.utilization.get_or_create(&label).set(utilization);
            }
        }
    }
}
