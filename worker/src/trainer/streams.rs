//! What goes into and comes out of a trainer process as commands and events, each in a task of its own.

use std::time::Duration;

use acai_sweep::trainer_protocol::Event;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::breakdown::Breakdown;
use super::lines::{Line, cut, next_line};

/// Longest event, in bytes: a group's evaluation has some ten values.
const EVENT_BYTES: u64 = 1 << 20;
/// So much of a line that is no event is shown.
const SHOWN_BYTES: usize = 180;
/// A trainer that has not taken a command after this long is worth a warning.
const SLOW_COMMAND: Duration = Duration::from_secs(5);

/// Writes each command whole, however long the trainer takes to read it: if a line were given up half written, its rest
/// would spoil the next line. Ends, and with this task the trainer's input, when the [`super::TrainerProcess`] is
/// dropped or the process has ended.
pub(super) async fn write_commands(
    mut stdin: impl AsyncWrite + Unpin,
    mut lines: mpsc::UnboundedReceiver<Vec<u8>>,
) {
    while let Some(line) = lines.recv().await {
        let mut written = std::pin::pin!(stdin.write_all(&line));
        let result = match timeout(SLOW_COMMAND, &mut written).await {
            Ok(result) => result,
            Err(_) => {
                tracing::warn!("the trainer has taken no command for {SLOW_COMMAND:?}");
                written.await
            }
        };
        if let Err(error) = result {
            tracing::debug!("cannot send a command to the trainer: {error}");
            return;
        }
    }
}

/// Reads events until the output ends or an event cannot be read, which is then the last thing sent.
pub(super) async fn read_events(
    stdout: impl AsyncRead + Unpin,
    events: mpsc::Sender<Result<Event, Breakdown>>,
) {
    let mut reader = BufReader::new(stdout);
    while let Ok(Some(line)) = next_line(&mut reader, EVENT_BYTES).await {
        let event = match line {
            Line::Whole(bytes) => parse(&bytes),
            Line::Cut(bytes) if bytes.len() as u64 == EVENT_BYTES => Err(garbled(&bytes, "too long")),
            // The trainer died while it wrote the line; how it exited says more than half a line does.
            Line::Cut(_) => return,
        };
        let last = event.is_err();
        if events.send(event).await.is_err() || last {
            return;
        }
    }
}

fn parse(line: &[u8]) -> Result<Event, Breakdown> {
    serde_json::from_slice(line).map_err(|error| garbled(line, &error.to_string()))
}

fn garbled(line: &[u8], reason: &str) -> Breakdown {
    let line = cut(&String::from_utf8_lossy(line), SHOWN_BYTES).to_owned();
    Breakdown::Garbled { line, reason: reason.to_owned() }
}
