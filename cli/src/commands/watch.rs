//! `acai watch`

use std::time::Duration;

use acai_proto::v1::{Event, GetSweepRequest, RunState, WatchSweepRequest};
use serde_json::{Value, json};
use tonic::{Code, Status, Streaming};

use crate::args::{Place, WatchArguments};
use crate::client::{Client, connect};
use crate::failure::Failure;
use crate::format::{count, in_a_line, state, utc};
use crate::output::Output;

/// Before a watcher that was cut off asks again.
const PAUSE: Duration = Duration::from_secs(1);

pub(super) async fn watch(arguments: WatchArguments, output: Output) -> Result<(), Failure> {
    let mut client = connect(&arguments.at).await?;
    let mut after = arguments.after;
    let mut is_waiting = false;
    loop {
        let mut events = match open(&mut client, &arguments, &mut after, output).await {
            Ok(events) => events,
            Err(status) if goes_on(status.code()) => {
                if !std::mem::replace(&mut is_waiting, true) {
                    output.note("the coordinator does not answer; waiting for it");
                }
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            Err(status) => return Err(status.into()),
        };
        is_waiting = false;
        loop {
            match events.message().await {
                Ok(Some(event)) => {
                    after = Some(Place { number: event.number, unix_ms: Some(event.unix_ms) });
                    output.data(&if arguments.json {
                        event_json(&event).to_string()
                    } else {
                        event_line(&event)
                    })?;
                }
                Ok(None) if arguments.once => return Ok(()),
                Ok(None) => break,
                Err(status) if goes_on(status.code()) => break,
                Err(status) => return Err(status.into()),
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Events from `after` on; where that is not known yet, from now on.
async fn open(
    client: &mut Client,
    arguments: &WatchArguments,
    after: &mut Option<Place>,
    output: Output,
) -> Result<Streaming<Event>, Status> {
    let sweep = arguments.sweep.clone();
    let from = match *after {
        Some(place) => place,
        None => {
            let sweep = client.get_sweep(GetSweepRequest { sweep: sweep.clone() }).await?.into_inner().sweep;
            let counts = sweep.as_ref().map_or(&[][..], |sweep| &sweep.counts);
            if !arguments.once && count(counts, &[RunState::Queued, RunState::Running, RunState::Paused]) == 0
            {
                output.note("every run has ended; waiting for what is submitted or retried (Ctrl-C to stop)");
            }
            Place { number: sweep.map_or(0, |sweep| sweep.last_event), unix_ms: None }
        }
    };
    *after = Some(from);
    let request =
        WatchSweepRequest { sweep, after: from.number, once: arguments.once, after_unix_ms: from.unix_ms };
    Ok(client.watch_sweep(request).await?.into_inner())
}

/// Whether what was lost can be had again: a coordinator that was away, or a watcher that was too slow.
fn goes_on(code: Code) -> bool {
    matches!(
        code,
        Code::Unavailable
            | Code::Aborted
            | Code::Unknown
            | Code::Internal
            | Code::Cancelled
            | Code::DeadlineExceeded
    )
}

/// `12  2026-11-24 23:10:05  #3 running, attempt 2 on host: message`
pub(super) fn event_line(event: &Event) -> String {
    let mut line = format!("{}  {}  {} {}", event.number, utc(event.unix_ms), run(event), state(event.state));
    if event.attempt > 0 {
        line.push_str(&format!(", attempt {}", event.attempt));
    }
    if !event.worker.is_empty() {
        line.push_str(&format!(" on {}", in_a_line(&event.worker)));
    }
    if !event.message.is_empty() {
        line.push_str(&format!(": {}", in_a_line(&event.message)));
    }
    line
}

/// The run as other commands name it. A coordinator of version 0.1.0 tells no number of a run that left the file.
fn run(event: &Event) -> String {
    match event.run_number {
        Some(number) => format!("#{number}"),
        None => format!("run {}, which left the file,", event.run),
    }
}

pub(super) fn event_json(event: &Event) -> Value {
    json!({
        "event": event.number,
        "unix_ms": event.unix_ms,
        "run": event.run,
        "number": event.run_number,
        "state": state(event.state),
        "attempt": event.attempt,
        "worker": event.worker,
        "message": event.message,
    })
}
