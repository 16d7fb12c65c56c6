//! Ctrl-C and SIGTERM.

use std::future::Future;

use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

/// Tells every part of the program that it should come to an end.
#[derive(Debug, Clone)]
pub(crate) struct Shutdown {
    requested: watch::Sender<bool>,
}

impl Shutdown {
    pub(crate) fn new() -> Self {
        Shutdown { requested: watch::Sender::new(false) }
    }

    /// Also requested by the first Ctrl-C or SIGTERM. The second one ends the process at once:
    /// that is always safe, since a killed coordinator or worker loses nothing acknowledged.
    pub(crate) fn on_signal(on_first: impl FnOnce() + Send + 'static) -> anyhow::Result<Self> {
        let shutdown = Shutdown::new();
        let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for Ctrl-C")?;
        let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
        let requested = shutdown.requested.clone();
        tokio::spawn(async move {
            either(&mut interrupt, &mut terminate).await;
            on_first();
            requested.send_replace(true);
            either(&mut interrupt, &mut terminate).await;
            exit_at_once();
        });
        Ok(shutdown)
    }

    pub(crate) fn request(&self) {
        self.requested.send_replace(true);
    }

    pub(crate) fn is_requested(&self) -> bool {
        *self.requested.borrow()
    }

    /// Resolves when it has been requested.
    pub(crate) fn wait(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut requested = self.requested.subscribe();
        async move {
            // The sender lives in `self` or the signal task; an error would mean the program is ending.
            let _ = requested.wait_for(|requested| *requested).await;
        }
    }
}

async fn either(interrupt: &mut Signal, terminate: &mut Signal) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

#[expect(clippy::exit, reason = "a second signal means: now, without unwinding anything")]
fn exit_at_once() -> ! {
    std::process::exit(130)
}
