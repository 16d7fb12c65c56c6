//! Work that blocks on a disk or takes long, beside the tasks that serve others.
//!
//! On the runtimes that programs use such work has threads of its own. A runtime of one thread is one whose events come in an
//! order that can be had again, as in a simulation: there the work is a task among the others, and no other thread has a say
//! in what comes first.

use std::sync::OnceLock;
use std::time::Duration;

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::{JoinError, JoinHandle, spawn_blocking};
use tokio::time::sleep;

/// How long work takes by the clock of a runtime of one thread, which stands still meanwhile.
static DURATION: OnceLock<fn() -> Duration> = OnceLock::new();

/// Runs `work` to its end, whether or not somebody still waits for it.
///
/// # Errors
/// `work` panicked, or the runtime ended before `work` began.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, JoinError> {
    begin(work).await
}

fn begin<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    match Handle::current().runtime_flavor() {
        RuntimeFlavor::CurrentThread => tokio::spawn(async move {
            // Half of the time passes before the effects of the work can be seen, and half before its answer.
            let duration = DURATION.get().map(|duration| duration() / 2);
            wait(duration).await;
            let done = work();
            wait(duration).await;
            done
        }),
        _ => spawn_blocking(work),
    }
}

async fn wait(duration: Option<Duration>) {
    if let Some(duration) = duration {
        sleep(duration).await;
    }
}

/// From now on each work takes as long as `duration` says, on every runtime of one thread in this process: a disk whose
/// time is simulated. Only the first call counts.
pub fn takes(duration: fn() -> Duration) {
    let _ = DURATION.set(duration);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::thread::current;

    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn on_one_thread_work_is_a_task_that_takes_simulated_time() {
        takes(|| Duration::from_secs(2));
        let begun = Instant::now();
        let thread = blocking(|| current().id()).await.unwrap();
        assert_eq!((thread, begun.elapsed()), (current().id(), Duration::from_secs(2)));
        assert!(blocking(|| panic!("broken")).await.unwrap_err().is_panic());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn on_several_threads_work_has_its_own() {
        assert_ne!(blocking(|| current().id()).await.unwrap(), current().id());
    }
}
