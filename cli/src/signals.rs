//! Ctrl-C, SIGTERM and SIGHUP.

use std::future::{Future, pending};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

/// Who asks once may send two signals, to a process and to its group, as `timeout` and shells do. What comes within this
/// time of the first one asks for no more than that did.
const ONE_REQUEST: Duration = Duration::from_millis(500);

/// A signal that asks the program to come to an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StopSignal {
    /// Ctrl-C, `SIGINT`.
    Interrupt,
    /// `SIGTERM`: whoever placed the process wants it gone.
    Terminate,
    /// `SIGHUP`: its terminal, or the connection to its machine, was closed.
    HangUp,
}

impl StopSignal {
    /// What a shell reports of a process that such a signal ended. A process that was stopped has not done its work:
    /// whoever placed it should not count it as done.
    pub(crate) fn exit_code(self) -> u8 {
        match self {
            StopSignal::Interrupt => 130,
            StopSignal::Terminate => 143,
            StopSignal::HangUp => 129,
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

    /// Also requested by the first Ctrl-C, SIGTERM or SIGHUP. One that comes half a second later or more ends the process at
    /// once: that is always safe, since a killed coordinator or worker loses nothing acknowledged. A SIGHUP that whoever started
    /// the process had it ignore, as `nohup` does, stays ignored.
    pub(crate) fn on_signal(on_first: impl FnOnce() + Send + 'static) -> anyhow::Result<Self> {
        let shutdown = Shutdown::new();
        let mut signals = Signals::listen()?;
        let (requested, first) = (shutdown.requested.clone(), Arc::clone(&shutdown.signal));
        tokio::spawn(async move {
            let _ = first.set(signals.next().await);
            let requested_at = Instant::now();
            on_first();
            requested.send_replace(true);
            let mut next = signals.next().await;
            while !asks_again(requested_at.elapsed()) {
                next = signals.next().await;
            }
            exit_at_once(next);
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

struct Signals {
    interrupt: Signal,
    terminate: Signal,
    /// None where it is ignored.
    hang_up: Option<Signal>,
}

impl Signals {
    fn listen() -> anyhow::Result<Self> {
        let hang_up = match is_ignored(SignalKind::hangup()) {
            true => None,
            false => Some(signal(SignalKind::hangup()).context("cannot listen for SIGHUP")?),
        };
        Ok(Self {
            interrupt: signal(SignalKind::interrupt()).context("cannot listen for Ctrl-C")?,
            terminate: signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?,
            hang_up,
        })
    }

    async fn next(&mut self) -> StopSignal {
        tokio::select! {
            _ = self.interrupt.recv() => StopSignal::Interrupt,
            _ = self.terminate.recv() => StopSignal::Terminate,
            _ = async {
                match &mut self.hang_up {
                    Some(hang_up) => hang_up.recv().await,
                    None => pending().await,
                }
            } => StopSignal::HangUp,
        }
    }
}

/// Whether a signal that comes so long after the first one asks for more than that did.
fn asks_again(after: Duration) -> bool {
    after >= ONE_REQUEST
}

/// Whether this process ignores a signal, as the kernel tells it; where it does not tell, it does not.
fn is_ignored(signal: SignalKind) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    mask >> (signal.as_raw_value() - 1) & 1 == 1
}

#[expect(clippy::exit, reason = "a second signal means: now, without unwinding anything")]
fn exit_at_once(signal: StopSignal) -> ! {
    std::process::exit(signal.exit_code().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_asks_again_from_half_a_second_after_the_first() {
        assert!(!asks_again(Duration::ZERO) && !asks_again(Duration::from_millis(499)));
        assert!(asks_again(Duration::from_millis(500)) && asks_again(Duration::from_secs(9)));
    }
}
