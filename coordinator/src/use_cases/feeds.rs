//! News of the sweeps that somebody watches: the store is asked once for each of these sweeps, however many watch it.

use std::collections::{HashMap, VecDeque};
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::store::{EventRecord, Place, Store};

/// How often the store is asked for news of a sweep that is watched.
const LOOK: Duration = Duration::from_millis(500);
/// Events that are read at a time.
pub(super) const PAGE: u32 = 256;

/// The sweeps that are watched, by name.
#[derive(Clone, Default)]
pub(super) struct Feeds(Arc<Mutex<HashMap<String, Weak<Poll>>>>);

impl Feeds {
    /// The news of a sweep for a watcher that has read its events up to this place.
    pub(super) fn follow(&self, store: &Arc<dyn Store>, sweep: &str, after: Place) -> Feed {
        let mut polls = self.polls();
        polls.retain(|_, poll| poll.strong_count() > 0);
        let poll = polls.get(sweep).and_then(Weak::upgrade).unwrap_or_else(|| {
            let poll = Arc::new(Poll::start(Arc::clone(store), sweep.to_owned(), after));
            polls.insert(sweep.to_owned(), Arc::downgrade(&poll));
            poll
        });
        Feed { news: poll.news.clone(), _poll: poll }
    }

    /// How many sweeps the store is asked for.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.polls().values().filter(|poll| poll.strong_count() > 0).count()
    }

    fn polls(&self) -> MutexGuard<'_, HashMap<String, Weak<Poll>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A task that asks the store for a sweep's news, until dropped.
struct Poll {
    news: watch::Receiver<News>,
    task: AbortHandle,
}

impl Poll {
    fn start(store: Arc<dyn Store>, sweep: String, after: Place) -> Poll {
        let (sender, news) = watch::channel(News::Events { after: after.number, events: Arc::new([]) });
        let task = tokio::spawn(look(store, sweep, after, sender)).abort_handle();
        Poll { news, task }
    }
}

impl Drop for Poll {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What was found last.
enum News {
    /// The events that follow event number `after`.
    Events { after: u64, events: Arc<[EventRecord]> },
    /// The store did not answer, or knows the place no more. A watcher that asks for itself learns why.
    Error,
}

async fn look(store: Arc<dyn Store>, sweep: String, mut after: Place, news: watch::Sender<News>) {
    loop {
        tokio::time::sleep(LOOK).await;
        match store.event_list(&sweep, after, PAGE).await {
            Ok(events) => {
                let Some(last) = events.last() else { continue };
                let begin = std::mem::replace(&mut after, last.into());
                news.send_replace(News::Events { after: begin.number, events: events.into() });
            }
            Err(_) => {
                news.send_replace(News::Error);
            }
        }
    }
}

/// The news of one sweep for one watcher.
pub(super) struct Feed {
    news: watch::Receiver<News>,
    /// The task ends with the last watcher of the sweep.
    _poll: Arc<Poll>,
}

impl Feed {
    /// Waits until there are events beyond this number, and gives them; `None` if the watcher has to ask the store for
    /// itself, having missed some or because of an error. Cancel safe.
    pub(super) async fn beyond(&mut self, number: u64) -> Option<VecDeque<EventRecord>> {
        let mut is_new = self.news.has_changed().unwrap_or(false);
        loop {
            match &*self.news.borrow_and_update() {
                News::Events { after, events } if events.last().is_some_and(|last| last.number > number) => {
                    let is_complete = *after <= number;
                    let events = events.iter().filter(|event| event.number > number);
                    return is_complete.then(|| events.cloned().collect());
                }
                News::Error if is_new => return None,
                News::Events { .. } | News::Error => {}
            }
            if self.news.changed().await.is_err() {
                // The task ends only with its last watcher.
                pending::<()>().await;
            }
            is_new = true;
        }
    }
}
