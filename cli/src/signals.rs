//! Ctrl-C and SIGTERM.

use std::future::Future;
use std::sync::{Arc, OnceLock};

use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

/// A signal that asks the program to come to an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StopSignal {
    /// Ctrl-C, `SIGINT`.
    Interrupt,
    /// `SIGTERM`: whoever placed the process wants it gone.
    Terminate,
}

impl StopSignal {
    /// What a shell reports of a process that such a signal ended. A process that was stopped has not done its work:
    /// whoever placed it should not count it as done.
    pub(crate) fn exit_code(self) -> u8 {
        match self {
            StopSignal::Interrupt => 130,
            StopSignal::Terminate => 143,
        }
    }
}

/// Tells every part of the program that it should come to an end.
#[derive(Debug, Clone)]
pub(crate) struct Shutdown {
    requested: watch::Sender<bool>,
    signal: Arc<OnceLock<StopSignal>>,
}

impl Shutdown {
    pub(crate) fn new() -> Self {
        Shutdown { requested: watch::Sender::new(false), signal: Arc::default() }
    }

    /// Also requested by the first Ctrl-C or SIGTERM. The second one ends the process at once:
    /// that is always safe, since a killed coordinator or worker loses nothing acknowledged.
    pub(crate) fn on_signal(on_first: impl FnOnce() + Send + 'static) -> anyhow::Result<Self> {
        let shutdown = Shutdown::new();
        let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for Ctrl-C")?;
        let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
        let (requested, first) = (shutdown.requested.clone(), Arc::clone(&shutdown.signal));
        tokio::spawn(async move {
            let _ = first.set(either(&mut interrupt, &mut terminate).await);
            on_first();
            requested.send_replace(true);
            exit_at_once(either(&mut interrupt, &mut terminate).await);
        });
        Ok(shutdown)
    }

    pub(crate) fn request(&self) {
        self.requested.send_replace(true);
    }

    pub(crate) fn is_requested(&self) -> bool {
        *self.requested.borrow()
    }

    /// The signal that requested it, if one did.
    pub(crate) fn signal(&self) -> Option<StopSignal> {
        self.signal.get().copied()
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

async fn either(interrupt: &mut Signal, terminate: &mut Signal) -> StopSignal {
    tokio::select! {
        _ = interrupt.recv() => StopSignal::Interrupt,
        _ = terminate.recv() => StopSignal::Terminate,
    }
}

#[expect(clippy::exit, reason = "a second signal means: now, without unwinding anything")]
fn exit_at_once(signal: StopSignal) -> ! {
    std::process::exit(signal.exit_code().into())
}
