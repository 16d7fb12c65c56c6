//! What a group tells of itself, so that groups of its shape get the size that pays.

use acai_sweep::trainer_protocol::Event;
use tokio::time::Instant;

use super::group_size::Measured;
use super::supervision::Supervision;
use crate::machine::hardware::gpu_memory_share;

impl Supervision<'_> {
    /// Has it noted how fast the group trains, when it is full and has trained for a while.
    pub(super) fn measure(&mut self) {
        let shape = self.newcomers.shape();
        if shape.is_empty() || !self.context.sizing.wants(shape, self.training().count() as u32) {
            return;
        }
        let trained: Vec<(u64, u64)> =
            self.training().map(|member| (member.attempt.run, member.images.so_far())).collect();
        let Some(images_per_second) = self.pace.observe(Instant::now(), &trained) else { return };
        let (context, shape, gpu) = (self.newcomers.context(), shape.to_owned(), self.gpu);
        let runs = trained.len() as u32;
        // The driver may take seconds to answer.
        tokio::spawn(async move {
            let memory = match gpu {
                Some(gpu) => gpu_memory_share(gpu).await,
                None => None,
            };
            context.sizing.measured(&shape, Measured { runs, images_per_second, memory });
        });
    }

    /// Notes that the trainer could not train all runs at once, when it says so for the first time.
    pub(super) fn heed_memory(&mut self, event: &Event) {
        if !self.lacks_memory && matches!(event, Event::Progress { in_turns: true, .. }) {
            self.lacks_memory = true;
            self.context.sizing.lacks_memory(self.newcomers.shape(), self.training().count() as u32);
        }
    }
}
