//! Calls to the coordinator: deadlines, and what their failures mean.

use std::time::Duration;

use acai_proto::SIGNATURE;
use acai_proto::v1::worker_service_client::WorkerServiceClient;
use acai_proto::v1::{
    ClaimRequest, ClaimResponse, CommitCheckpointRequest, CompleteRequest, FailRequest, LeaveRequest,
    LeaveResponse, RegisterRequest, RegisterResponse, RejectCheckpointRequest, ReleaseRequest, RenewRequest,
    RenewResponse, ReportMetricsRequest, ReportMetricsResponse,
};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Response, Status};

use crate::backoff::Backoff;
use crate::blobs::Blobs;
use crate::peer::Peer;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const CALL_DEADLINE: Duration = Duration::from_secs(10);
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(20);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// Why a call has no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    /// Answered, and repeating it would not help.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// Nobody there, too late, or not now: it may help to repeat the call.
    #[error("{0}")]
    Unavailable(String),
}

/// An answer that is a no.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Rejection {
    /// The attempt no longer holds its run.
    #[error("{0}")]
    Fenced(String),
    /// The coordinator's database is damaged where the call needs it.
    #[error("the coordinator's database is damaged: {0}")]
    Damaged(String),
    /// Any other reason.
    #[error("{0}")]
    Refused(String),
}

impl From<Status> for CallError {
    fn from(status: Status) -> Self {
        let message = describe(&status);
        match status.code() {
            // Somebody on the way, or a web server at this address: it knows nothing of runs, and may be gone by the next
            // time.
            _ if !is_signed(&status) => Self::Unavailable(message),
            Code::FailedPrecondition => Self::Rejected(Rejection::Fenced(message)),
            Code::DataLoss => Self::Rejected(Rejection::Damaged(message)),
            Code::InvalidArgument
            | Code::NotFound
            | Code::AlreadyExists
            | Code::OutOfRange
            | Code::PermissionDenied
            | Code::Unauthenticated
            | Code::Unimplemented => Self::Rejected(Rejection::Refused(message)),
            // `Cancelled` is how tonic reports a call past its deadline; `Internal` and `Unknown` are
            // broken connections, or a store that may recover.
            _ => Self::Unavailable(message),
        }
    }
}

/// Whether a coordinator said so itself.
pub(crate) fn is_signed(status: &Status) -> bool {
    status.metadata().contains_key(SIGNATURE)
}

/// The coordinator's own words where it spoke, the innermost cause where the transport failed.
fn describe(status: &Status) -> String {
    let mut cause: Option<&dyn std::error::Error> = std::error::Error::source(status);
    let mut reason = status.message().to_owned();
    while let Some(error) = cause {
        reason = error.to_string();
        cause = error.source();
    }
    if reason.is_empty() { status.code().to_string() } else { reason }
}

/// One connection to the coordinator, opened when it is needed and again when it broke. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Coordinator {
    client: WorkerServiceClient<Channel>,
    blobs: Blobs,
    peer: Peer,
}

type Answer<T> = Result<T, CallError>;

impl Coordinator {
    /// Connects to nothing yet; none when `url` cannot be an address.
    pub(crate) fn new(url: &str, peer: Peer) -> Option<Self> {
        let endpoint = Endpoint::from_shared(url.to_owned()).ok()?;
        if endpoint.uri().scheme_str() != Some("http") {
            return None;
        }
        let endpoint = endpoint
            .connect_timeout(CONNECT_TIMEOUT)
            .http2_keep_alive_interval(KEEP_ALIVE_INTERVAL)
            .keep_alive_timeout(KEEP_ALIVE_TIMEOUT)
            .keep_alive_while_idle(true);
        // Transfers take as long as they need, and on a connection of their own hold nothing up.
        let blobs = Blobs::new(endpoint.connect_lazy(), peer.clone());
        let client = WorkerServiceClient::new(endpoint.timeout(CALL_DEADLINE).connect_lazy());
        Some(Self { client, blobs, peer })
    }

    /// What is known of the coordinator on the other side.
    pub(crate) fn peer(&self) -> &Peer {
        &self.peer
    }

    /// Where checkpoints go.
    pub(crate) fn blobs(&self) -> &Blobs {
        &self.blobs
    }

    pub(crate) async fn register(&self, request: RegisterRequest) -> Answer<RegisterResponse> {
        self.answer(self.client.clone().register(request).await)
    }

    pub(crate) async fn leave(&self, request: LeaveRequest) -> Answer<LeaveResponse> {
        self.answer(self.client.clone().leave(request).await)
    }

    pub(crate) async fn claim(&self, request: ClaimRequest) -> Answer<ClaimResponse> {
        self.answer(self.client.clone().claim(request).await)
    }

    pub(crate) async fn renew(&self, request: RenewRequest) -> Answer<RenewResponse> {
        self.answer(self.client.clone().renew(request).await)
    }

    pub(crate) async fn report(&self, request: ReportMetricsRequest) -> Answer<ReportMetricsResponse> {
        self.answer(self.client.clone().report_metrics(request).await)
    }

    /// Repeated through an outage, however long it takes; so are the other two ends of an attempt.
    pub(crate) async fn complete(&self, request: CompleteRequest) -> Result<(), Rejection> {
        until_answered(|| {
            let mut client = self.client.clone();
            async move { self.answer(client.complete(request).await) }
        })
        .await
    }

    pub(crate) async fn fail(&self, request: FailRequest) -> Result<(), Rejection> {
        until_answered(|| {
            let (mut client, request) = (self.client.clone(), request.clone());
            async move { self.answer(client.fail(request).await) }
        })
        .await
    }

    /// Repeated through an outage, as are the other calls about checkpoints and ends.
    pub(crate) async fn commit_checkpoint(&self, request: CommitCheckpointRequest) -> Result<(), Rejection> {
        until_answered(|| {
            let (mut client, request) = (self.client.clone(), request.clone());
            async move { self.answer(client.commit_checkpoint(request).await) }
        })
        .await
    }

    pub(crate) async fn reject_checkpoint(&self, request: RejectCheckpointRequest) -> Result<(), Rejection> {
        until_answered(|| {
            let (mut client, request) = (self.client.clone(), request.clone());
            async move { self.answer(client.reject_checkpoint(request).await) }
        })
        .await
    }

    pub(crate) async fn release(&self, request: ReleaseRequest) -> Result<(), Rejection> {
        until_answered(|| {
            let (mut client, request) = (self.client.clone(), request.clone());
            async move { self.answer(client.release(request).await) }
        })
        .await
    }

    fn answer<T>(&self, response: Result<Response<T>, Status>) -> Answer<T> {
        response.map(Response::into_inner).map_err(|status| self.peer.vouch(status).into())
    }
}

async fn until_answered<T, F>(call: impl Fn() -> F) -> Result<(), Rejection>
where
    F: Future<Output = Answer<T>>,
{
    let mut backoff = Backoff::default();
    loop {
        match call().await {
            Ok(_) => return Ok(()),
            Err(CallError::Rejected(rejection)) => return Err(rejection),
            Err(CallError::Unavailable(reason)) => {
                tracing::debug!("the coordinator does not answer ({reason}); trying again");
                backoff.pause().await;
            }
        }
    }
}
