//! What a use case answers instead of doing what was asked.

use acai_sweep::file::SweepFileError;
use acai_sweep::spelling::{did_you_mean, quoted};

use super::UseCases;
use crate::authority::ShowError;
use crate::blobs::BlobError;
use crate::blobs::arrival::ArrivalError;
use crate::store::StoreError;

/// Result of a use case.
pub type Result<T> = std::result::Result<T, UseCaseError>;

/// Why nothing was done. Every message says what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UseCaseError {
    /// The sweep file has mistakes.
    #[error(transparent)]
    Mistakes(#[from] SweepFileError),
    /// The file of a stored sweep has mistakes by this version's rules.
    #[error("the stored file has mistakes; submit it again without them:\n{0}")]
    StoredMistakes(SweepFileError),
    /// A part of the question makes no sense.
    #[error("`{part}` {problem}")]
    Question {
        /// Which part.
        part: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// There is no sweep of this name.
    #[error("there is no sweep {}\nhint: {hint}", quoted(sweep))]
    NoSuchSweep {
        /// The name.
        sweep: String,
        /// The nearest one, or where they are listed.
        hint: String,
    },
    /// The sweep has no such run.
    #[error("{sweep} has no run {number}\nhint: `acai runs {sweep}` lists them")]
    NoSuchRun {
        /// The sweep.
        sweep: String,
        /// The number that it has not.
        number: u32,
    },
    /// There never was a worker of this name.
    #[error("there is no worker `{worker}`\nhint: {hint}")]
    NoSuchWorker {
        /// The name.
        worker: String,
        /// The nearest one, or where they are listed.
        hint: String,
    },
    /// There is no token of this id.
    #[error("there is no token `{id}`\nhint: `acai access ls` lists them")]
    NoSuchToken {
        /// The id.
        id: String,
    },
    /// The coordinator shows no certificate of the database's authority.
    #[error("{0}, so there is no certificate authority to exchange")]
    NoAuthority(&'static str),
    /// Nobody has begun to exchange the certificate authority.
    #[error(
        "there is no next certificate authority: it is in use already, or nobody has made one\nhint: `acai access rotate-ca` makes one"
    )]
    NoNextAuthority,
    /// The certificate authority cannot be made or shown.
    #[error(transparent)]
    Show(ShowError),
    /// A submission that did not say that runs with results may be set aside.
    #[error(
        "{runs} runs of {sweep} have results and are not in this file: they would be set aside, in no table until a file asks for them again\nhint: --yes sets them aside; `acai submit FILE --dry-run` shows what would change; another `name:` makes another sweep"
    )]
    WouldSetAside {
        /// The sweep.
        sweep: String,
        /// How many runs.
        runs: u32,
    },
    /// A sweep that comes from elsewhere has the name of one that is there.
    #[error("there is a sweep {} already\nhint: `acai forget {sweep}` deletes it", quoted(sweep))]
    SweepIsThere {
        /// The name.
        sweep: String,
    },
    /// A run ends with a checkpoint that the database does not have.
    #[error(
        "the database has no checkpoint of step {step} of this run; was it restored from a backup? hand it over again"
    )]
    NoSuchCheckpoint {
        /// The checkpoint's step.
        step: u64,
    },
    /// A download from beyond the end of its blob.
    #[error("the blob has {size} bytes, none at {offset}")]
    BeyondBlob {
        /// Bytes of the blob.
        size: u64,
        /// Where the download was to begin.
        offset: u64,
    },
    /// An upload was begun so long ago that the store has forgotten it.
    #[error(transparent)]
    ForgottenUpload(ArrivalError),
    /// A fault of the coordinator itself.
    #[error("a fault of the coordinator: {0}")]
    BrokenDown(String),
    /// The place where checkpoints are kept could not do it.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// The store could not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<ShowError> for UseCaseError {
    fn from(error: ShowError) -> UseCaseError {
        match error {
            ShowError::Store(error) => error.into(),
            ShowError::Certificate(_) => UseCaseError::Show(error),
        }
    }
}

impl From<ArrivalError> for UseCaseError {
    fn from(error: ArrivalError) -> UseCaseError {
        match error {
            ArrivalError::Blobs(error) => error.into(),
            ArrivalError::Store(error) => error.into(),
            ArrivalError::Forgotten => UseCaseError::ForgottenUpload(error),
        }
    }
}

impl UseCases {
    /// The error for a sweep that is not there, with the nearest name.
    pub(super) async fn no_such_sweep(&self, sweep: &str) -> UseCaseError {
        let known = match self.store.sweep_list().await {
            Ok(known) => known,
            Err(error) => return error.into(),
        };
        let hint = match did_you_mean(sweep, known.iter().map(|sweep| sweep.name.as_str())) {
            Some(hint) => hint,
            None if known.is_empty() => "no sweep has been submitted yet".to_owned(),
            None => "`acai ls` lists the sweeps".to_owned(),
        };
        UseCaseError::NoSuchSweep { sweep: sweep.to_owned(), hint }
    }

    /// The error for a worker that is not there, with the nearest name.
    pub(super) async fn no_such_worker(&self, worker: &str) -> UseCaseError {
        let known = match self.machine_pages(i64::MIN, i64::MAX).all().await {
            Ok(known) => known,
            Err(error) => return error.into(),
        };
        let hint = did_you_mean(worker, known.iter().map(|known| known.worker.registration.name.as_str()));
        let hint = hint.unwrap_or_else(|| "`acai workers` lists them".to_owned());
        UseCaseError::NoSuchWorker { worker: worker.to_owned(), hint }
    }
}
