//! The calls of the worker protocol, each with its deadline; those that end something are repeated until they are
//! answered.

use std::time::Duration;

use acai_access::{AccessFile, ConnectError, Current, connection_with};
use acai_proto::v1::worker_service_client::WorkerServiceClient;
use acai_proto::v1::{
    AddArtifactRequest, ClaimRequest, ClaimResponse, CommitCheckpointRequest, CompleteRequest, FailRequest,
    LeaveRequest, LeaveResponse, RegisterRequest, RegisterResponse, RejectCheckpointRequest, ReleaseRequest,
    RenewRequest, RenewResponse, ReportMetricsRequest, ReportMetricsResponse,
};
use tonic::transport::Endpoint;
use tonic::{Response, Status};

use super::blobs::Blobs;
use super::call_error::{CallError, Rejection};
use super::network::Network;
use super::peer::Peer;
use super::reconnecting::Reconnecting;
use crate::backoff::Backoff;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const CALL_DEADLINE: Duration = Duration::from_secs(10);
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(20);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// Two connections to the coordinator, for calls and for transfers, each opened when a call needs it, and again after it broke or
/// could not serve a call. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    client: WorkerServiceClient<Reconnecting>,
    blobs: Blobs,
    peer: Peer,
}

type Answer<T> = Result<T, CallError>;

impl Client {
    /// Connects only with the first call, going by what is current then; an error where that cannot be done as
    /// the access file says.
    pub(crate) fn new(
        access: &AccessFile,
        network: &Network,
        current: &Current,
        peer: Peer,
    ) -> Result<Self, ConnectError> {
        let endpoint = acai_access::endpoint_with(access, current)?
            .connect_timeout(CONNECT_TIMEOUT)
            .http2_keep_alive_interval(KEEP_ALIVE_INTERVAL)
            .keep_alive_timeout(KEEP_ALIVE_TIMEOUT)
            .keep_alive_while_idle(true);
        // Transfers may take long, so they have no deadline, and a connection of their own so that they delay no call.
        let connect = |endpoint: Endpoint| {
            let (network, current) = (network.clone(), current.clone());
            Reconnecting::new(peer.clone(), move || connection_with(network.open(&endpoint), &current))
        };
        let blobs = Blobs::new(connect(endpoint.clone()), peer.clone());
        let client = WorkerServiceClient::new(connect(endpoint.timeout(CALL_DEADLINE)));
        Ok(Self { client, blobs, peer })
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

    /// Repeated through an outage, however long it takes; so are [`Self::fail`] and [`Self::release`], the other two
    /// ends of an attempt.
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

    /// Repeated through an outage, as is [`Self::reject_checkpoint`].
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

    /// Repeated through an outage.
    pub(crate) async fn add_artifact(&self, request: AddArtifactRequest) -> Result<(), Rejection> {
        until_answered(|| {
            let (mut client, request) = (self.client.clone(), request.clone());
            async move { self.answer(client.add_artifact(request).await) }
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
            Err(CallError::Unavailable(reason) | CallError::Denied(reason)) => {
                tracing::debug!("the coordinator does not answer ({reason}); trying again");
                backoff.pause().await;
            }
        }
    }
}
