//! Makes this worker known to its coordinator.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use acai_access::{AccessFile, Current};
use acai_proto::v1::{LeaveRequest, RegisterRequest};
use tokio::time::{Instant, timeout, timeout_at};

use crate::backoff::Backoff;
use crate::client::{CallError, Client, Network, Peer, Rejection};
use crate::error::WorkerError;
use crate::leases::Terms;

/// How long the first registration is tried by a worker that has never reached a coordinator.
pub(super) const FIRST_CONTACT: Duration = Duration::from_secs(5);

/// How long a worker that ends waits until its coordinator knows that.
const GOODBYE: Duration = Duration::from_millis(500);

/// Who this worker is, and a connection for registering and for renewing leases, which no report can hold up.
#[derive(Debug)]
pub(super) struct Registrar {
    access: AccessFile,
    network: Network,
    current: Current,
    registration: RegisterRequest,
    coordinator: Client,
    /// The database that the coordinator serves, once it has answered.
    database: OnceLock<String>,
    /// The coordinator's version in its last answer; empty from a coordinator of a release that tells none.
    version: Mutex<String>,
}

impl Registrar {
    pub(super) fn new(
        access: AccessFile,
        network: Network,
        registration: RegisterRequest,
    ) -> Result<Self, WorkerError> {
        let current = Current::of(&access);
        let coordinator = Client::new(&access, &network, &current, Peer::default())?;
        Ok(Self {
            access,
            network,
            current,
            registration,
            coordinator,
            database: OnceLock::new(),
            version: Mutex::default(),
        })
    }

    pub(super) fn worker_id(&self) -> &str {
        &self.registration.worker_id
    }

    pub(super) fn coordinator(&self) -> &Client {
        &self.coordinator
    }

    /// Tells that this worker ends. Only people need to know, so a coordinator that does not answer at once is not
    /// waited for.
    pub(super) async fn leave(&self) {
        let leaving = self.coordinator.leave(LeaveRequest { worker_id: self.worker_id().to_owned() });
        match timeout(GOODBYE, leaving).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::debug!("the coordinator does not know that this worker ends: {error}"),
            Err(_) => tracing::debug!("the coordinator does not answer that this worker ends"),
        }
    }

    /// What the worker says of itself.
    pub(super) fn registration(&self) -> &RegisterRequest {
        &self.registration
    }

    /// Another connection to the same coordinator.
    pub(super) fn connection(&self) -> Result<Client, WorkerError> {
        Ok(Client::new(&self.access, &self.network, &self.current, self.coordinator.peer().clone())?)
    }

    /// What all connections of this worker go by.
    pub(super) fn current(&self) -> &Current {
        &self.current
    }

    /// Registers for the first time since this worker was started, and tries for `patience` at the most.
    pub(super) async fn first_contact(&self, patience: Duration) -> Result<Terms, WorkerError> {
        let deadline = Instant::now() + patience;
        let mut backoff = Backoff::default();
        let mut reason = format!("no answer within {patience:?}");
        let trying = async {
            loop {
                match self.register().await {
                    Ok(terms) => return terms,
                    Err(CallError::Rejected(rejection)) => return Err(self.refused(&rejection)),
                    Err(CallError::Denied(reason)) => {
                        return Err(WorkerError::Denied { url: self.access.url.clone(), reason });
                    }
                    Err(CallError::Unavailable(why)) => {
                        tracing::warn!("the coordinator does not answer ({why}); waiting for it");
                        reason = why;
                    }
                }
                backoff.pause().await;
            }
        };
        let tried = timeout_at(deadline, trying).await;
        tried.unwrap_or_else(|_| Err(WorkerError::Unreachable { url: self.access.url.clone(), reason }))
    }

    /// Which database the coordinator serves; empty before the first contact.
    pub(super) fn database(&self) -> &str {
        self.database.get().map_or("", String::as_str)
    }

    /// Registers after an outage; none when the outage goes on.
    pub(super) async fn register_again(&self) -> Result<Option<Terms>, WorkerError> {
        match self.register().await {
            Ok(terms) => terms.map(Some),
            Err(CallError::Rejected(rejection)) => Err(self.refused(&rejection)),
            Err(CallError::Unavailable(_) | CallError::Denied(_)) => Ok(None),
        }
    }

    /// The error when the coordinator will not work with this worker.
    pub(super) fn refused(&self, rejection: &Rejection) -> WorkerError {
        let theirs = match self.version().as_str() {
            "" => "an unknown version".to_owned(),
            version => format!("version {version}"),
        };
        let versions = format!("the coordinator is {theirs}, this worker {}", self.registration.version);
        WorkerError::Refused { url: self.access.url.clone(), reason: rejection.to_string(), versions }
    }

    fn version(&self) -> MutexGuard<'_, String> {
        self.version.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn register(&self) -> Result<Result<Terms, WorkerError>, CallError> {
        let answer = self.coordinator.register(self.registration.clone()).await?;
        let own = &self.registration.version;
        if answer.version != *own && answer.version != *self.version() {
            tracing::info!("the coordinator is version {}, this worker {own}", answer.version);
        }
        self.version().clone_from(&answer.version);
        self.coordinator.peer().told_version(&answer.version);
        if self.database.get_or_init(|| answer.database.clone()) != &answer.database {
            return Ok(Err(WorkerError::OtherDatabase { url: self.access.url.clone() }));
        }
        Ok(Terms::try_from(answer))
    }
}
