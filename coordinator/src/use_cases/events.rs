//! What happens to the runs of a sweep, in order.

use std::collections::VecDeque;
use std::sync::Arc;

use super::feeds::{Feed, Feeds, PAGE};
use super::{Result, UseCases};
use crate::store::{EventRecord, Place, Store};

/// The events of a sweep from a place on. The next ones are read when the last are taken, so a watcher of any slowness costs
/// no more memory than a page of events.
pub struct Events {
    store: Arc<dyn Store>,
    feeds: Feeds,
    sweep: String,
    after: Place,
    /// Read, and not taken yet.
    read: VecDeque<EventRecord>,
    is_following: bool,
    /// What is still to come, for who follows and has taken everything that has happened.
    feed: Option<Feed>,
}

impl UseCases {
    /// The events of a sweep after a place: those that have happened, and then as they happen if `is_following`.
    ///
    /// # Errors
    /// [`NoSuchSweep`](super::UseCaseError::NoSuchSweep).
    pub async fn events(&self, sweep: &str, after: Place, is_following: bool) -> Result<Events> {
        self.check_sweep(sweep).await?;
        Ok(Events {
            store: Arc::clone(&self.store),
            feeds: self.feeds.clone(),
            sweep: sweep.to_owned(),
            after,
            read: VecDeque::new(),
            is_following,
            feed: None,
        })
    }
}

impl Events {
    /// The next event; `None` at the end, which who follows never sees. Cancel safe.
    ///
    /// # Errors
    /// The store's: among them, that the sweep has no event of the place's number, or another one.
    pub async fn next(&mut self) -> Result<Option<EventRecord>> {
        while self.read.is_empty() {
            self.read = match &mut self.feed {
                Some(feed) => match feed.beyond(self.after.number).await {
                    Some(events) => events,
                    None => self.read_page().await?,
                },
                None => self.read_page().await?,
            };
            if self.read.is_empty() && self.feed.is_none() {
                if !self.is_following {
                    return Ok(None);
                }
                self.feed = Some(self.feeds.follow(&self.store, &self.sweep, self.after));
            }
        }
        let event = self.read.pop_front();
        if let Some(event) = &event {
            self.after = event.into();
        }
        Ok(event)
    }

    async fn read_page(&self) -> Result<VecDeque<EventRecord>> {
        Ok(self.store.event_list(&self.sweep, self.after, PAGE).await?.into())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use acai_sweep::configuration::Configuration;
    use acai_sweep::control::Intent;
    use acai_sweep::scalar::Scalar;
    use tempfile::TempDir;

    use super::*;
    use crate::clock::Clock;
    use crate::lease::LeaseTerms;
    use crate::store::sqlite::SqliteStore;
    use crate::store::{NewRun, NewSweep, StoreError};
    use crate::use_cases::UseCaseError;

    /// Two sweeps, `s` and `t`, with a run each.
    async fn two_sweeps() -> (UseCases, TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("acai.db"), Clock::start()).await.unwrap();
        let pairs = [("model", Scalar::from("acai")), ("dataset", Scalar::from("lines32"))];
        for name in ["s", "t"] {
            let run = NewRun::new(&Configuration::new(pairs.clone()).unwrap(), 0);
            store.sweep_submit(NewSweep::new(name, vec![run])).await.unwrap();
        }
        (UseCases::new(Arc::new(store), LeaseTerms::default()), folder)
    }

    async fn change(use_cases: &UseCases, intents: usize) {
        for number in 0..intents {
            let intent = if number.is_multiple_of(2) { Intent::Pause } else { Intent::Resume };
            use_cases.store.runs_change("s", vec![0], intent).await.unwrap();
        }
    }

    async fn take(events: &mut Events, most: u64) -> Vec<u64> {
        let mut numbers = Vec::new();
        for _ in 0..most {
            numbers.push(events.next().await.unwrap().unwrap().number);
        }
        numbers
    }

    #[tokio::test]
    async fn watchers_of_one_sweep_share_one_question_to_the_store_and_each_sees_every_event() {
        let (use_cases, _folder) = two_sweeps().await;
        change(&use_cases, 2).await;
        let mut first = use_cases.events("s", 0.into(), true).await.unwrap();
        let mut late = use_cases.events("s", 1.into(), true).await.unwrap();
        assert_eq!((take(&mut first, 2).await, take(&mut late, 1).await), (vec![1, 2], vec![2]));
        let more_than_a_page = 2 + u64::from(PAGE) * 2;
        let (seen_by_first, seen_by_late, ()) = tokio::join!(
            take(&mut first, more_than_a_page),
            take(&mut late, more_than_a_page),
            change(&use_cases, more_than_a_page as usize),
        );
        let all: Vec<u64> = (3..=2 + more_than_a_page).collect();
        assert_eq!(seen_by_first, all);
        assert_eq!(seen_by_late, all);
        assert_eq!(use_cases.feeds.len(), 1, "both watch the same sweep");

        let mut other = use_cases.events("t", 0.into(), true).await.unwrap();
        let waiting = tokio::time::timeout(std::time::Duration::from_millis(50), other.next()).await;
        assert!(waiting.is_err(), "nothing happens to the other sweep");
        assert_eq!(use_cases.feeds.len(), 2);
        drop((first, late, other));
        assert_eq!(use_cases.feeds.len(), 0, "nobody watches any more");
    }

    #[tokio::test]
    async fn who_follows_learns_of_an_error_of_the_store() {
        let (use_cases, folder) = two_sweeps().await;
        let mut events = use_cases.events("s", 0.into(), true).await.unwrap();
        change(&use_cases, 1).await;
        assert_eq!(take(&mut events, 1).await, [1]);
        let waiting = tokio::time::timeout(std::time::Duration::from_millis(50), events.next()).await;
        assert!(waiting.is_err(), "nothing happens");
        use_cases.store.sweep_forget("s").await.unwrap();
        let end = events.next().await;
        assert!(
            matches!(&end, Err(UseCaseError::Store(StoreError::NoSuchEvent { after: 1, last: 0 }))),
            "{end:?}"
        );
        drop(folder);
    }

    #[tokio::test]
    async fn who_does_not_follow_gets_what_has_happened_and_an_end() {
        let (use_cases, _folder) = two_sweeps().await;
        change(&use_cases, 3).await;
        let mut events = use_cases.events("s", 1.into(), false).await.unwrap();
        assert_eq!(take(&mut events, 2).await, [2, 3]);
        assert!(events.next().await.unwrap().is_none());
    }
}
