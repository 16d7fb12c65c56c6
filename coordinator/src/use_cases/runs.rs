//! Lists of runs, in pages.

use std::sync::Arc;

use acai_sweep::run::RunState;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::{Result, UseCaseError, UseCases};
use crate::store::{RunDetails, RunRecord, Store, StoreError};

/// Runs that are read at a time, and that wait for a reader at the most.
const PAGE: u32 = 500;
/// Runs that a call can name one by one.
pub(super) const NAMED: usize = 100_000;

/// Runs as they are read.
pub type Runs = ReceiverStream<std::result::Result<RunRecord, StoreError>>;

impl UseCases {
    /// The runs of a sweep in these states, or of all if there are none: those of its plan in its order, or those that are set
    /// aside in the order of their numbers. The next ones are read when the last are taken, so a sweep of any size takes no
    /// more memory than two pages; each page is of one moment, and a run that a submission moves between two of them may be
    /// missing or come twice.
    ///
    /// # Errors
    /// [`NoSuchSweep`](super::UseCaseError::NoSuchSweep); later on, the store's.
    pub async fn runs(&self, sweep: &str, states: Vec<RunState>, which: Which) -> Result<Runs> {
        let pages = Pages { store: Arc::clone(&self.store), sweep: sweep.to_owned(), states, which };
        let first = pages.page(0).await?;
        if first.is_empty() {
            self.check_sweep(sweep).await?;
        }
        let (sender, receiver) = mpsc::channel(PAGE as usize);
        tokio::spawn(async move {
            if let Err(error) = pages.send_all(first, &sender).await {
                // Fails if nobody reads any more.
                let _ = sender.send(Err(error)).await;
            }
        });
        Ok(ReceiverStream::new(receiver))
    }

    /// One run with all that is known of it.
    ///
    /// # Errors
    /// [`NoSuchSweep`](UseCaseError::NoSuchSweep), [`NoSuchRun`](UseCaseError::NoSuchRun).
    pub async fn run(&self, sweep: &str, number: u32) -> Result<RunDetails> {
        if let Some(details) = self.store.run_details(sweep, number).await? {
            return Ok(details);
        }
        self.check_sweep(sweep).await?;
        Err(UseCaseError::NoSuchRun { sweep: sweep.to_owned(), number })
    }

    /// Refuses numbers that no run of the sweep has, and too many of them.
    pub(super) async fn check_numbers(&self, sweep: &str, numbers: &[u32]) -> Result<()> {
        if numbers.is_empty() {
            return Ok(());
        }
        if numbers.len() > NAMED {
            let problem = format!("names more than {NAMED} runs");
            return Err(UseCaseError::Question { part: "numbers", problem });
        }
        let known = self.store.run_numbers(sweep, numbers).await?;
        match numbers.iter().find(|number| known.binary_search(number).is_err()) {
            None => Ok(()),
            Some(_) if known.is_empty() && self.store.sweep_file(sweep).await?.is_none() => {
                Err(self.no_such_sweep(sweep).await)
            }
            Some(&number) => Err(UseCaseError::NoSuchRun { sweep: sweep.to_owned(), number }),
        }
    }
}

/// Which runs of a sweep are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Those that its file asks for.
    Plan,
    /// Those that it no longer asks for.
    SetAside,
}

/// A list of runs, to be read page by page.
struct Pages {
    store: Arc<dyn Store>,
    sweep: String,
    states: Vec<RunState>,
    which: Which,
}

impl Pages {
    async fn page(&self, from: u32) -> std::result::Result<Vec<RunRecord>, StoreError> {
        let Pages { store, sweep, states, which } = self;
        match which {
            Which::Plan => store.run_list(sweep, states, from, PAGE).await,
            Which::SetAside => store.set_aside_list(sweep, states, from, PAGE).await,
        }
    }

    /// Sends a page and all that follow it, until nobody reads any more.
    async fn send_all(
        &self,
        mut page: Vec<RunRecord>,
        sender: &mpsc::Sender<std::result::Result<RunRecord, StoreError>>,
    ) -> std::result::Result<(), StoreError> {
        while let Some(last) = page.last() {
            let last = if self.which == Which::Plan { last.place } else { last.number };
            for run in page {
                if sender.send(Ok(run)).await.is_err() {
                    return Ok(());
                }
            }
            page = self.page(last.saturating_add(1)).await?;
        }
        Ok(())
    }
}
