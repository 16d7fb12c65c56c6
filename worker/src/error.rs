use std::path::PathBuf;

use acai_access::ConnectError;

use crate::machine::devices::SlotsError;
use crate::trainer::TrainerNotFound;

/// Why a worker could not go on. A run's own failure is never such an error: it is reported to the coordinator.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// No connection can be made as the access file says.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// Nobody answered at the first start.
    #[error(
        "no coordinator answers at `{url}`: {reason}; start one there with `acai coordinator`, or name its access file with --access"
    )]
    Unreachable {
        /// The coordinator's address.
        url: String,
        /// Why the last try failed.
        reason: String,
    },
    /// The coordinator does not take the worker's token.
    #[error("the coordinator at `{url}` does not let this worker in: {reason}")]
    Denied {
        /// The coordinator's address.
        url: String,
        /// In the coordinator's words.
        reason: String,
    },
    /// The coordinator does not want this worker.
    #[error("the coordinator at `{url}` refused this worker: {reason} ({versions})")]
    Refused {
        /// The coordinator's address.
        url: String,
        /// In the coordinator's words.
        reason: String,
        /// Which versions the two are.
        versions: String,
    },
    /// The coordinator serves another database than when this worker started.
    #[error(
        "the coordinator at `{url}` now serves another database than when this worker started; start the worker again to work for it"
    )]
    OtherDatabase {
        /// The coordinator's address.
        url: String,
    },
    /// The coordinator's lease terms are such that every lease would lapse.
    #[error(
        "the coordinator asks for leases of {lease_ms} ms renewed every {renew_ms} ms; a lease has to outlive its renewal"
    )]
    LeaseTerms {
        /// Term of a lease.
        lease_ms: u32,
        /// Time between renewals.
        renew_ms: u32,
    },
    /// The machine has no slots to train on.
    #[error(transparent)]
    Slots(#[from] SlotsError),
    /// There is no trainer program.
    #[error(transparent)]
    TrainerNotFound(#[from] TrainerNotFound),
    /// The trainer program did not get as far as `ready` on any slot, not once since this worker was started.
    #[error("{reason}")]
    TrainerStart {
        /// Which program, and what happened, with the end of its standard error.
        reason: String,
    },
    /// The state folder cannot be used.
    #[error(
        "cannot use the state folder `{path}`; the worker keeps checkpoints there and must be able to write"
    )]
    State {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another agent works in the state folder.
    #[error(
        "another worker uses the state folder `{path}`; stop it, or give this one a folder of its own with `--state`"
    )]
    StateInUse {
        /// The folder.
        path: PathBuf,
    },
    /// The state folder is a copy of another one, so it is not known which worker's the attempts in it are.
    #[error(
        "the state folder `{path}` is a copy of another one, or was moved here from another file system, and two workers with one history take runs from each other; give this worker a folder of its own with `--state`, or, if this one is to take the other's place, start it once with `--adopt`: checkpoints and trained models are kept, and runs that were under way go on from their last checkpoints"
    )]
    StateCopied {
        /// The folder.
        path: PathBuf,
    },
}
