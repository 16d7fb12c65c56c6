//! A client before a coordinator that answers as it is told, over pipes in memory and in virtual time.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::pending;

use acai_access::{AccessFile, Current};
use acai_proto::v1::{Attempt, Checkpoint, ClaimRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::io::{DuplexStream, duplex};
use tokio::time::advance;
use tonic::codegen::Bytes;
use tonic::codegen::http::{HeaderValue, Response, Uri};
use tower::service_fn;

use super::*;
use crate::client::{CallError, Client, Network, TransferError};

const PIPE_BYTES: usize = 1 << 16;

/// How a call is answered.
#[derive(Debug, Clone, Copy)]
enum Says {
    /// As a coordinator answers: with this code, and nothing else.
    Code(Code),
    /// As a proxy or a web server answers.
    Http(StatusCode),
    /// Not at all.
    Nothing,
    /// As a coordinator begins, and no further.
    BreaksOff,
}

/// What answers.
#[derive(Debug, Clone, Default)]
struct Coordinator(Arc<Mutex<Answering>>);

#[derive(Debug, Default)]
struct Answering {
    /// The next answers; afterwards all calls are served.
    answers: VecDeque<Says>,
    /// Connections so far.
    connections: usize,
    /// To which connection each call came, from 1.
    calls: Vec<usize>,
}

impl Coordinator {
    fn says(answers: &[Says]) -> Coordinator {
        let answers = answers.iter().copied().collect();
        Coordinator(Arc::new(Mutex::new(Answering { answers, ..Answering::default() })))
    }

    fn connections(&self) -> Vec<usize> {
        self.0.lock().unwrap().calls.clone()
    }

    fn client(&self) -> Client {
        let coordinator = self.clone();
        let network = Network::new(move |endpoint| {
            let coordinator = coordinator.clone();
            endpoint.connect_with_connector_lazy(service_fn(move |_: Uri| {
                let (near, far) = duplex(PIPE_BYTES);
                coordinator.clone().accept(far);
                async move { Ok::<_, Infallible>(TokioIo::new(near)) }
            }))
        });
        let access = AccessFile::open("http://coordinator:7700");
        Client::new(&access, &network, &Current::of(&access), Peer::default()).unwrap()
    }

    fn accept(self, pipe: DuplexStream) {
        let connection = {
            let mut answering = self.0.lock().unwrap();
            answering.connections += 1;
            answering.connections
        };
        let service = service_fn(move |_| {
            let coordinator = self.clone();
            async move { Ok::<_, Infallible>(coordinator.answer(connection).await) }
        });
        tokio::spawn(async move {
            let server = Builder::new(TokioExecutor::new());
            server.serve_connection(TokioIo::new(pipe), TowerToHyperService::new(service)).await
        });
    }

    async fn answer(&self, connection: usize) -> Response<Body> {
        let says = {
            let mut answering = self.0.lock().unwrap();
            answering.calls.push(connection);
            answering.answers.pop_front().unwrap_or(Says::Code(Code::Ok))
        };
        match says {
            Says::Nothing => pending().await,
            Says::Http(status) => Response::builder().status(status).body(Body::empty()).unwrap(),
            Says::Code(code) => signed(Status::new(code, "").into_http()),
            Says::BreaksOff => signed(Response::new(Body::new(BreaksOff))),
        }
    }
}

fn signed(mut response: Response<Body>) -> Response<Body> {
    response.headers_mut().insert(SIGNATURE, HeaderValue::from_static("1"));
    response
}

/// An answer that breaks off before its first byte.
struct BreaksOff;

impl http_body::Body for BreaksOff {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Status>>> {
        Poll::Ready(Some(Err(Status::internal("broken off"))))
    }
}

/// Makes a call, and another one when the connection is old enough to be left; tells whether that went over another connection.
async fn leaves_after(says: Says) -> bool {
    let coordinator = Coordinator::says(&[Says::Code(Code::FailedPrecondition), says]);
    let client = coordinator.client();
    client.claim(ClaimRequest::default()).await.unwrap_err();
    advance(LEAST_AGE).await;
    let _ = client.claim(ClaimRequest::default()).await;
    let _ = client.claim(ClaimRequest::default()).await;
    match coordinator.connections()[..] {
        [1, 1, last] => last == 2,
        ref other => panic!("calls came to these connections: {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_served_or_refused_leaves_its_connection_as_it_is() {
    let refusals = [
        Code::Ok,
        Code::FailedPrecondition,
        Code::InvalidArgument,
        Code::NotFound,
        Code::DataLoss,
        Code::PermissionDenied,
        Code::Unauthenticated,
        Code::OutOfRange,
        Code::Unimplemented,
        Code::ResourceExhausted,
        Code::Aborted,
    ];
    for code in refusals {
        assert!(!leaves_after(Says::Code(code)).await, "{code:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_call_that_cannot_be_served_the_next_one_goes_over_a_new_connection() {
    let failures =
        [Code::Unavailable, Code::DeadlineExceeded, Code::Cancelled, Code::Internal, Code::Unknown];
    for code in failures {
        assert!(leaves_after(Says::Code(code)).await, "{code:?}");
    }
    for status in
        [StatusCode::OK, StatusCode::BAD_GATEWAY, StatusCode::SERVICE_UNAVAILABLE, StatusCode::NOT_FOUND]
    {
        assert!(leaves_after(Says::Http(status)).await, "a proxy's {status}");
    }
    assert!(leaves_after(Says::Nothing).await, "no answer before the call's deadline");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_nobody_can_serve_opens_one_connection_in_two_seconds() {
    let coordinator = Coordinator::says(&[Says::Code(Code::Unavailable); 100]);
    let client = coordinator.client();
    for _ in 0..100 {
        let error = client.claim(ClaimRequest::default()).await.unwrap_err();
        assert!(matches!(error, CallError::Unavailable(_)), "{error}");
        advance(Duration::from_millis(100)).await;
    }
    let last = coordinator.connections().last().copied().unwrap();
    assert!((4..=6).contains(&last), "{last} connections in ten seconds");
}

#[tokio::test(start_paused = true)]
async fn a_call_under_way_is_answered_on_the_connection_that_others_have_left() {
    let coordinator = Coordinator::says(&[Says::Nothing, Says::Code(Code::Unavailable)]);
    let client = coordinator.client();
    let first = {
        let client = client.clone();
        tokio::spawn(async move { client.claim(ClaimRequest::default()).await })
    };
    advance(LEAST_AGE).await;
    client.claim(ClaimRequest::default()).await.unwrap_err();
    client.claim(ClaimRequest::default()).await.unwrap_err();
    assert_eq!(coordinator.connections(), [1, 1, 2]);
    assert!(!first.is_finished(), "the call was broken off when the connection was left");
    // It ends by its own deadline.
    assert!(matches!(first.await.unwrap(), Err(CallError::Unavailable(_))));
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_nobody_answers_is_tried_again_over_a_new_connection() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("checkpoint");
    std::fs::write(&file, "weights").unwrap();
    let coordinator = Coordinator::says(&[Says::Nothing, Says::Code(Code::FailedPrecondition)]);
    let upload = coordinator.client().blobs().upload(Attempt::default(), 1, &file).await;
    assert!(matches!(upload, Err(TransferError::Rejected(_))), "{upload:?}");
    assert_eq!(coordinator.connections(), [1, 2]);
}

#[tokio::test(start_paused = true)]
async fn a_download_that_breaks_off_goes_on_over_a_new_connection() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = Checkpoint { step: 1, sha256: "0".repeat(64), bytes: 7 };
    let refused = Says::Code(Code::NotFound);
    let coordinator = Coordinator::says(&[refused, Says::BreaksOff, refused]);
    let client = coordinator.client();
    for name in ["first", "second"] {
        let downloaded = client.blobs().download(&checkpoint, &folder.path().join(name)).await;
        assert!(matches!(downloaded, Err(TransferError::Rejected(_))), "{downloaded:?}");
        advance(LEAST_AGE).await;
    }
    assert_eq!(coordinator.connections(), [1, 1, 2]);
}
