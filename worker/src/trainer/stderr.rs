//! A trainer's standard error, which goes to this worker's log, and with its run's artifacts to the coordinator.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;

use super::output::Output;

/// Longest line of the log, in bytes; what is longer becomes several.
const LINE_BYTES: usize = 4096;
/// For so long an answer is waited for: one that prints without a pause leaves no time for it.
const ANSWER: Duration = Duration::from_secs(1);

/// The task that reads the standard error, and answers what it has read. It ends when nobody can ask any more.
#[derive(Debug, Clone)]
pub(crate) struct Stderr {
    requests: mpsc::UnboundedSender<Request>,
    /// Whether the trainer can print no more.
    has_ended: watch::Receiver<bool>,
}

#[derive(Debug)]
enum Request {
    /// Forget what has been printed.
    Clear,
    /// Tell what has been printed.
    Tell(oneshot::Sender<String>),
}

impl Stderr {
    pub(super) fn read(stderr: impl AsyncRead + Send + Unpin + 'static, pid: u32) -> Stderr {
        let (requests, asked) = mpsc::unbounded_channel();
        let (ends, has_ended) = watch::channel(false);
        tokio::spawn(read(stderr, asked, ends, pid));
        Stderr { requests, has_ended }
    }

    /// A group begins: what was printed so far is not about it.
    pub(super) fn clear(&self) {
        let _ = self.requests.send(Request::Clear);
    }

    /// What the trainer has printed for its group, up to now: this is asked at once, and answered later; with nothing if
    /// the trainer prints without a pause.
    pub(crate) fn text(&self) -> impl Future<Output = String> + use<> {
        let (teller, told) = oneshot::channel();
        let _ = self.requests.send(Request::Tell(teller));
        async move { timeout(ANSWER, told).await.ok().and_then(Result::ok).unwrap_or_default() }
    }

    /// Waits until the trainer can print no more, for at most `patience`.
    pub(super) async fn end(&mut self, patience: Duration) {
        let _ = timeout(patience, self.has_ended.wait_for(|has_ended| *has_ended)).await;
    }
}

async fn read(
    mut stderr: impl AsyncRead + Unpin,
    mut requests: mpsc::UnboundedReceiver<Request>,
    ends: watch::Sender<bool>,
    pid: u32,
) {
    let (mut output, mut lines) = (Output::default(), Lines::default());
    let mut buffer = vec![0; 1 << 13];
    loop {
        tokio::select! {
            // What has been printed before a request is read before the answer.
            biased;
            read = stderr.read(&mut buffer), if !*ends.borrow() => {
                let read = &buffer[..read.unwrap_or_default()];
                output.push(read);
                lines.push(read, |line| tracing::info!(target: "acai_trainer", pid, "{line}"));
                ends.send_replace(read.is_empty());
            }
            request = requests.recv() => match request {
                // This fails when nobody waits for the answer any more.
                Some(Request::Tell(teller)) => drop(teller.send(output.text())),
                Some(Request::Clear) => output = Output::default(),
                None => return,
            },
        }
    }
}

/// Cuts what is read into lines.
#[derive(Debug, Default)]
struct Lines {
    /// The beginning of a line whose end has not come yet.
    begun: Vec<u8>,
}

impl Lines {
    /// Passes on each line that ends in `bytes`; at the end of input, where they are empty, what there is of the last one.
    fn push(&mut self, bytes: &[u8], mut pass_on: impl FnMut(&str)) {
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            self.begun.extend(&rest[..end]);
            pass_on(&String::from_utf8_lossy(&std::mem::take(&mut self.begun)));
            rest = &rest[end + 1..];
        }
        self.begun.extend(rest);
        if self.begun.len() >= LINE_BYTES || bytes.is_empty() && !self.begun.is_empty() {
            pass_on(&String::from_utf8_lossy(&std::mem::take(&mut self.begun)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_passed_on_when_they_end_or_are_long_or_nothing_more_comes() {
        let mut lines = Lines::default();
        let mut passed_on = Vec::new();
        for bytes in [&b"one\ntw"[..], b"o\n\n", &[b'x'; LINE_BYTES], b"rest", b"", b""] {
            lines.push(bytes, |line| passed_on.push(line.to_owned()));
        }
        assert_eq!(passed_on, ["one", "two", "", &"x".repeat(LINE_BYTES), "rest"]);
    }
}
