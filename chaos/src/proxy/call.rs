//! The calls that workers make, each in one line.

use acai_access::Connection;
use acai_proto::v1;
use acai_proto::v1::worker_service_client::WorkerServiceClient;
use acai_proto::v1::worker_service_server::WorkerService;
use tonic::{Request, Response, Status};

use super::Door;

/// Makes a request and a reply of every call, sends them, and has a [`Door`] serve them.
macro_rules! calls {
    ($($method:ident: $name:ident($request:ident) -> $response:ident,)*) => {
        /// A request of a worker.
        #[derive(Debug, Clone)]
        pub(crate) enum Call {
            $($name(v1::$request),)*
        }

        /// What a coordinator answered.
        #[derive(Debug)]
        pub(crate) enum Reply {
            $($name(v1::$response),)*
        }

        impl Call {
            pub(crate) fn name(&self) -> &'static str {
                match self { $(Call::$name(_) => stringify!($method),)* }
            }

            pub(crate) async fn send(self, to: Connection) -> Result<Reply, Status> {
                let mut client = WorkerServiceClient::new(to);
                match self {
                    $(Call::$name(request) => {
                        client.$method(request).await.map(|reply| Reply::$name(reply.into_inner()))
                    })*
                }
            }
        }

        #[tonic::async_trait]
        impl WorkerService for Door {
            $(async fn $method(&self, request: Request<v1::$request>) -> Result<Response<v1::$response>, Status> {
                match self.pass(Call::$name(request.into_inner())).await? {
                    Reply::$name(reply) => Ok(Response::new(reply)),
                    _ => Err(Status::internal("the reply to another call")),
                }
            })*
        }
    };
}

calls! {
    register: Register(RegisterRequest) -> RegisterResponse,
    leave: Leave(LeaveRequest) -> LeaveResponse,
    claim: Claim(ClaimRequest) -> ClaimResponse,
    renew: Renew(RenewRequest) -> RenewResponse,
    report_metrics: ReportMetrics(ReportMetricsRequest) -> ReportMetricsResponse,
    complete: Complete(CompleteRequest) -> CompleteResponse,
    fail: Fail(FailRequest) -> FailResponse,
    release: Release(ReleaseRequest) -> ReleaseResponse,
    commit_checkpoint: CommitCheckpoint(CommitCheckpointRequest) -> CommitCheckpointResponse,
    reject_checkpoint: RejectCheckpoint(RejectCheckpointRequest) -> RejectCheckpointResponse,
    add_artifact: AddArtifact(AddArtifactRequest) -> AddArtifactResponse,
}

impl Call {
    /// The attempt that has to hold its run for this call; none for other calls. A picture is brought by the run's latest
    /// attempt, which may have ended.
    pub(crate) fn attempt(&self) -> Option<v1::Attempt> {
        match self {
            Call::Register(_) | Call::Leave(_) | Call::Claim(_) | Call::Renew(_) | Call::AddArtifact(_) => {
                None
            }
            Call::ReportMetrics(request) => request.attempt,
            Call::Complete(request) => request.attempt,
            Call::Fail(request) => request.attempt,
            Call::Release(request) => request.attempt,
            Call::CommitCheckpoint(request) => request.attempt,
            Call::RejectCheckpoint(request) => request.attempt,
        }
    }
}
