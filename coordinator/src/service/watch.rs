//! Watching a sweep: its events from a cursor on, in pages, for as long as the watcher keeps up.

use std::sync::Arc;
use std::time::Duration;

use acai_proto::v1;
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::messages::event_message;
use super::status::status;
use crate::store::{Place, Store};

/// Events that wait for a watcher at the most; the store keeps the rest.
const WAITING: usize = 256;
/// Events that are read at a time.
const PAGE: u32 = 256;
/// How often a watcher looks for news.
const LOOK: Duration = Duration::from_millis(500);
/// A watcher that takes nothing for this long is cut off.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) type Events = ReceiverStream<Result<v1::Event, Status>>;

/// The sweep's events after a place; ends where there is no more if `once`, and when the coordinator stops.
///
/// Memory is bounded whatever a watcher does: a page is read when the last one is taken, and one who does not take
/// his is cut off. He has the number of the last event that he took, and goes on from there.
pub(super) fn watch(
    store: Arc<dyn Store>,
    sweep: String,
    after: Place,
    once: bool,
    stop: watch::Receiver<bool>,
) -> Events {
    watch_with(store, sweep, after, once, stop, PATIENCE)
}

fn watch_with(
    store: Arc<dyn Store>,
    sweep: String,
    after: Place,
    once: bool,
    mut stop: watch::Receiver<bool>,
    patience: Duration,
) -> Events {
    let (sender, receiver) = mpsc::channel(WAITING);
    tokio::spawn(async move {
        let ended = tokio::select! {
            ended = follow(&*store, &sweep, after, once, patience, &sender) => ended,
            _ = stop.wait_for(|stop| *stop) => {
                Err(Status::unavailable("the coordinator stops: go on from the last event that you have"))
            }
        };
        if let Err(end) = ended {
            // If there is no room for it, the stream ends without a word, which means the same to a watcher.
            let _ = sender.try_send(Err(end));
        }
    });
    ReceiverStream::new(receiver)
}

async fn follow(
    store: &dyn Store,
    sweep: &str,
    mut after: Place,
    once: bool,
    patience: Duration,
    sender: &mpsc::Sender<Result<v1::Event, Status>>,
) -> Result<(), Status> {
    while !sender.is_closed() {
        let events = store.event_list(sweep, after, PAGE).await.map_err(status)?;
        let more = !events.is_empty();
        for event in events {
            after = Place { number: event.number, at_ms: Some(event.at_ms) };
            match sender.send_timeout(Ok(event_message(event)), patience).await {
                Ok(()) => {}
                Err(mpsc::error::SendTimeoutError::Closed(_)) => return Ok(()),
                Err(mpsc::error::SendTimeoutError::Timeout(_)) => {
                    tracing::info!(sweep, after = after.number, "a watcher does not keep up and is cut off");
                    return Err(Status::aborted("too slow: go on from the last event that you have"));
                }
            }
        }
        if !more {
            if once {
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use acai_sweep::configuration::Configuration;
    use acai_sweep::control::Intent;
    use acai_sweep::scalar::Scalar;
    use tokio_stream::StreamExt;

    use super::*;
    use crate::clock::Clock;
    use crate::store::sqlite::SqliteStore;
    use crate::store::{NewRun, NewSweep};

    /// A sweep with one run that was paused and resumed so often that there are `events` events.
    async fn eventful(events: usize) -> (Arc<dyn Store>, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("acai.db"), Clock::start()).await.unwrap();
        let pairs = [("model", Scalar::from("acai")), ("dataset", Scalar::from("lines32"))];
        let run = NewRun::new(&Configuration::new(pairs).unwrap(), 0);
        store.sweep_submit(NewSweep::new("s", vec![run])).await.unwrap();
        for number in 0..events {
            let intent = if number.is_multiple_of(2) { Intent::Pause } else { Intent::Resume };
            store.runs_change("s", vec![0], intent).await.unwrap();
        }
        (Arc::new(store), folder)
    }

    #[tokio::test]
    async fn a_watcher_who_takes_nothing_is_cut_off_and_goes_on_from_his_last_event() {
        let (store, _folder) = eventful(WAITING + 50).await;
        let patience = Duration::from_millis(50);
        let (_running, stop) = watch::channel(false);
        let mut events =
            watch_with(Arc::clone(&store), "s".to_owned(), 0.into(), false, stop.clone(), patience);
        // Nothing is taken until he is given up, which ends what waits for him.
        while !events.as_ref().is_closed() {
            tokio::time::sleep(patience).await;
        }
        let mut last = 0;
        while let Some(Ok(event)) = events.next().await {
            assert_eq!(event.number, last + 1);
            last = event.number;
        }
        assert_eq!(last, WAITING as u64, "no more than that was kept for him");
        let rest = watch_with(store, "s".to_owned(), last.into(), true, stop, patience);
        let numbers: Vec<u64> = rest.map(|event| event.unwrap().number).collect().await;
        assert_eq!(numbers, (last + 1..=last + 50).collect::<Vec<_>>());
    }
}
