//! Watching a sweep: its events from a cursor on, in pages, for as long as the watcher keeps up.

use std::sync::Arc;
use std::time::Duration;

use acai_proto::v1;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::messages::event_message;
use super::status::status;
use crate::store::Store;

/// Events that wait for a watcher at the most; the store keeps the rest.
const WAITING: usize = 256;
/// Events that are read at a time.
const PAGE: u32 = 256;
/// How often a watcher looks for news.
const LOOK: Duration = Duration::from_millis(500);
/// A watcher that takes nothing for this long is cut off.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) type Events = ReceiverStream<Result<v1::Event, Status>>;

/// The sweep's events after number `after`; ends where there is no more if `once`.
///
/// Memory is bounded whatever a watcher does: a page is read when the last one is taken, and one who does not take
/// his is cut off. He has the number of the last event that he took, and goes on from there.
pub(super) fn watch(store: Arc<dyn Store>, sweep: String, after: u64, once: bool) -> Events {
    let (sender, receiver) = mpsc::channel(WAITING);
    tokio::spawn(async move {
        if let Err(end) = follow(&*store, &sweep, after, once, &sender).await {
            // If there is no room for it, the stream ends without a word, which means the same to a watcher.
            let _ = sender.try_send(Err(end));
        }
    });
    ReceiverStream::new(receiver)
}

async fn follow(
    store: &dyn Store,
    sweep: &str,
    mut after: u64,
    once: bool,
    sender: &mpsc::Sender<Result<v1::Event, Status>>,
) -> Result<(), Status> {
    while !sender.is_closed() {
        let events = store.event_list(sweep, after, PAGE).await.map_err(status)?;
        let more = !events.is_empty();
        for event in events {
            after = event.number;
            match sender.send_timeout(Ok(event_message(event)), PATIENCE).await {
                Ok(()) => {}
                Err(mpsc::error::SendTimeoutError::Closed(_)) => return Ok(()),
                Err(mpsc::error::SendTimeoutError::Timeout(_)) => {
                    tracing::info!(sweep, after, "a watcher does not keep up and is cut off");
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
