//! Watching a sweep: its events on their way to a client, for as long as the client keeps up.

use std::time::Duration;

use acai_proto::v1;
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::messages::event_message;
use crate::use_cases::Events;

/// Events that wait for a client at the most; the store keeps the rest.
const WAITING: usize = 256;
/// A client that takes nothing for this long is cut off.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

pub(super) type EventMessages = ReceiverStream<Result<v1::Event, Status>>;

/// Sends events until there are no more, the client does not keep up or the coordinator stops. A client that is cut off
/// has the number of the last event that it took, and goes on from there.
pub(super) fn send(mut events: Events, mut stop: watch::Receiver<bool>, patience: Duration) -> EventMessages {
    let (sender, receiver) = mpsc::channel(WAITING);
    tokio::spawn(async move {
        let ended = tokio::select! {
            ended = send_all(&mut events, patience, &sender) => ended,
            _ = stop.wait_for(|stop| *stop) => {
                Err(Status::unavailable("the coordinator stops: go on from the last event that you have"))
            }
            () = sender.closed() => Ok(()),
        };
        if let Err(end) = ended {
            // If there is no room for it, the stream ends without a word, which means the same to a watcher.
            let _ = sender.try_send(Err(end));
        }
    });
    ReceiverStream::new(receiver)
}

async fn send_all(
    events: &mut Events,
    patience: Duration,
    sender: &mpsc::Sender<Result<v1::Event, Status>>,
) -> Result<(), Status> {
    while let Some(event) = events.next().await? {
        let number = event.number;
        match sender.send_timeout(Ok(event_message(event)), patience).await {
            Ok(()) => {}
            Err(mpsc::error::SendTimeoutError::Closed(_)) => return Ok(()),
            Err(mpsc::error::SendTimeoutError::Timeout(_)) => {
                tracing::info!(number, "a watcher does not keep up and is cut off");
                return Err(Status::aborted("too slow: go on from the last event that you have"));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::sync::Arc;

    use acai_sweep::configuration::Configuration;
    use acai_sweep::control::Intent;
    use acai_sweep::scalar::Scalar;
    use tokio_stream::StreamExt;

    use super::*;
    use crate::clock::Clock;
    use crate::lease::LeaseTerms;
    use crate::store::sqlite::SqliteStore;
    use crate::store::{NewRun, NewSweep, Store};
    use crate::use_cases::UseCases;

    /// A sweep with one run that was paused and resumed so often that there are `events` events.
    async fn eventful(events: usize) -> (UseCases, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("acai.db"), Clock::start()).await.unwrap();
        let pairs = [("model", Scalar::from("acai")), ("dataset", Scalar::from("lines32"))];
        let run = NewRun::new(&Configuration::new(pairs).unwrap(), 0);
        store.sweep_submit(NewSweep::new("s", vec![run])).await.unwrap();
        for number in 0..events {
            let intent = if number.is_multiple_of(2) { Intent::Pause } else { Intent::Resume };
            store.runs_change("s", vec![0], intent).await.unwrap();
        }
        (UseCases::new(Arc::new(store), LeaseTerms::default()), folder)
    }

    #[tokio::test]
    async fn a_client_that_takes_nothing_is_cut_off_and_goes_on_from_its_last_event() {
        let (use_cases, _folder) = eventful(WAITING + 50).await;
        let patience = Duration::from_millis(50);
        let (_running, stop) = watch::channel(false);
        let followed = use_cases.events("s", 0.into(), true).await.unwrap();
        let mut events = send(followed, stop.clone(), patience);
        // Nothing is taken until the client is given up, which ends what waits for it.
        while !events.as_ref().is_closed() {
            tokio::time::sleep(patience).await;
        }
        let mut last = 0;
        while let Some(Ok(event)) = events.next().await {
            assert_eq!(event.number, last + 1);
            last = event.number;
        }
        assert_eq!(last, WAITING as u64, "no more than that was kept for the client");
        let rest = use_cases.events("s", last.into(), false).await.unwrap();
        let numbers: Vec<u64> = send(rest, stop, patience).map(|event| event.unwrap().number).collect().await;
        assert_eq!(numbers, (last + 1..=last + 50).collect::<Vec<_>>());
    }
}
