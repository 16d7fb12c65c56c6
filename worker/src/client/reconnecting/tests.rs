//! A client before a coordinator that answers as it is told, over pipes in memory and in virtual time.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::pending;

use acai_access::{AccessFile, Current};
use acai_proto::v1::{Attempt, Checkpoint, ClaimRequest};
use http_body::Frame;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::io::{DuplexStream, duplex};
use tokio::time::{advance, sleep};
use tonic::codegen::Bytes;
use tonic::codegen::http::{HeaderValue, Response, Uri};
use tower::service_fn;

use super::*;
use crate::client::{CallError, Client, Network, TransferError};

const PIPE_BYTES: usize = 1 << 16;

/// How a call is answered.
#[derive(Debug, Clone, Copy)]
enum Says {
    /// As a coordinator answers that serves the call: with a message that says nothing.
    Served,
    /// The same, after so long.
    Late(Duration),
    /// As a coordinator refuses: with this code, and nothing else.
    Code(Code),
    /// As a coordinator of release 0.1.0 refuses, which signs nothing.
    Unsigned(Code),
    /// As a proxy or a web server answers.
    Http(StatusCode),
    /// Not at all.
    Nothing,
    /// As a coordinator that sends a download, of which comes no more than the first byte.
    BreaksOff,
    /// The same, but as if the download ended there.
    EndsShort,
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

    fn client(&self, peer: Peer) -> Client {
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
        Client::new(&access, &network, &Current::of(&access), peer).unwrap()
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
            answering.answers.pop_front().unwrap_or(Says::Served)
        };
        match says {
            Says::Nothing => pending().await,
            Says::Http(status) => Response::builder().status(status).body(Body::empty()).unwrap(),
            Says::Code(code) => signed(Status::new(code, "").into_http()),
            Says::Unsigned(code) => Status::new(code, "").into_http(),
            Says::Served => signed(served(EMPTY, Some(Code::Ok))),
            Says::Late(time) => {
                sleep(time).await;
                signed(served(EMPTY, Some(Code::Ok)))
            }
            Says::BreaksOff => signed(served(FIRST_BYTE, None)),
            Says::EndsShort => signed(served(FIRST_BYTE, Some(Code::Ok))),
        }
    }
}

/// A message that says nothing, and one of a download that has one byte, as gRPC frames them: whether they are compressed, their
/// length, and what they hold.
const EMPTY: &[u8] = &[0, 0, 0, 0, 0];
const FIRST_BYTE: &[u8] = &[0, 0, 0, 0, 3, 0x0A, 1, b'w'];

/// An answer with this message, that ends with this code or breaks off.
fn served(message: &'static [u8], end: Option<Code>) -> Response<Body> {
    let end = match end {
        Some(code) => Ok(Frame::trailers(Status::new(code, "").into_http::<Body>().headers().clone())),
        None => Err(Status::internal("broken off")),
    };
    Response::new(Body::new(Sent([Ok(Frame::data(Bytes::from_static(message))), end].into())))
}

fn signed(mut response: Response<Body>) -> Response<Body> {
    response.headers_mut().insert(SIGNATURE, HeaderValue::from_static("1"));
    response
}

/// What is sent of an answer after its headers.
struct Sent(VecDeque<Result<Frame<Bytes>, Status>>);

impl http_body::Body for Sent {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        Poll::Ready(self.0.pop_front())
    }
}

/// Makes a call, and another one when the connection is old enough to be left; tells whether that went over another connection.
async fn leaves_after(says: Says, peer: Peer) -> bool {
    let coordinator = Coordinator::says(&[Says::Served, says]);
    let client = coordinator.client(peer);
    client.claim(ClaimRequest::default()).await.unwrap();
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
    assert!(!leaves_after(Says::Served, Peer::default()).await);
    let refusals = [
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
        assert!(!leaves_after(Says::Code(code), Peer::default()).await, "{code:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_call_that_cannot_be_served_the_next_one_goes_over_a_new_connection() {
    let failures =
        [Code::Unavailable, Code::DeadlineExceeded, Code::Cancelled, Code::Internal, Code::Unknown];
    for code in failures {
        assert!(leaves_after(Says::Code(code), Peer::default()).await, "{code:?}");
    }
    for status in
        [StatusCode::OK, StatusCode::BAD_GATEWAY, StatusCode::SERVICE_UNAVAILABLE, StatusCode::NOT_FOUND]
    {
        assert!(leaves_after(Says::Http(status), Peer::default()).await, "a proxy's {status}");
    }
    assert!(leaves_after(Says::Nothing, Peer::default()).await, "no answer before the call's deadline");
}

#[tokio::test(start_paused = true)]
async fn a_coordinator_of_release_0_1_0_that_signs_nothing_keeps_its_connection_unless_it_cannot_serve() {
    let first = || {
        let peer = Peer::default();
        peer.told_version("");
        peer
    };
    assert!(!leaves_after(Says::Unsigned(Code::FailedPrecondition), first()).await);
    assert!(leaves_after(Says::Unsigned(Code::Unavailable), first()).await);
    // What does not sign, and is no such coordinator, is something on the way.
    assert!(leaves_after(Says::Unsigned(Code::FailedPrecondition), Peer::default()).await);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_nobody_can_serve_opens_one_connection_in_two_seconds() {
    let coordinator = Coordinator::says(&[Says::Code(Code::Unavailable); 100]);
    let client = coordinator.client(Peer::default());
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
    let late = Says::Late(2 * LEAST_AGE);
    let coordinator = Coordinator::says(&[late, Says::Code(Code::Unavailable)]);
    let client = coordinator.client(Peer::default());
    let first = {
        let client = client.clone();
        tokio::spawn(async move { client.claim(ClaimRequest::default()).await })
    };
    sleep(LEAST_AGE).await;
    client.claim(ClaimRequest::default()).await.unwrap_err();
    client.claim(ClaimRequest::default()).await.unwrap();
    assert_eq!(coordinator.connections(), [1, 1, 2]);
    first.await.unwrap().unwrap();
}

/// Uploads a file to this coordinator; answers what becomes of that, and over which connection each call went.
async fn upload(says: &[Says]) -> (Result<Checkpoint, TransferError>, Vec<usize>) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("checkpoint");
    std::fs::write(&file, "weights").unwrap();
    let coordinator = Coordinator::says(says);
    let uploaded = coordinator.client(Peer::default()).blobs().upload(Attempt::default(), 1, &file).await;
    (uploaded, coordinator.connections())
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_nobody_answers_is_tried_again_over_a_new_connection() {
    // The question for what is there is not answered …
    let (uploaded, connections) = upload(&[Says::Nothing]).await;
    uploaded.unwrap();
    assert_eq!(connections, [1, 2, 2]);
    // … or the upload itself.
    let (uploaded, connections) = upload(&[Says::Served, Says::Nothing]).await;
    uploaded.unwrap();
    assert_eq!(connections, [1, 1, 2, 2]);
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_the_coordinator_is_to_get_the_rest_of_goes_on_over_the_same_connection() {
    let (uploaded, connections) = upload(&[Says::Served, Says::Code(Code::Aborted)]).await;
    uploaded.unwrap();
    assert_eq!(connections, [1; 4]);
}

#[tokio::test(start_paused = true)]
async fn uploads_that_stall_one_after_the_other_leave_their_connection_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("checkpoint");
    std::fs::write(&file, "weights").unwrap();
    let coordinator = Coordinator::says(&[Says::Nothing, Says::Nothing]);
    let client = coordinator.client(Peer::default());
    let upload = async |after| {
        sleep(after).await;
        client.blobs().upload(Attempt::default(), 1, &file).await.unwrap()
    };
    tokio::join!(upload(Duration::ZERO), upload(2 * LEAST_AGE));
    assert_eq!(coordinator.connections(), [1, 1, 2, 2, 2, 2]);
}

#[tokio::test(start_paused = true)]
async fn a_download_that_breaks_off_or_ends_early_goes_on_over_a_new_connection() {
    for says in [Says::BreaksOff, Says::EndsShort] {
        let folder = tempfile::tempdir().unwrap();
        let checkpoint = Checkpoint { step: 1, sha256: "0".repeat(64), bytes: 2 };
        let refused = Says::Code(Code::NotFound);
        let coordinator = Coordinator::says(&[refused, says, refused]);
        let client = coordinator.client(Peer::default());
        for name in ["first", "second"] {
            let downloaded = client.blobs().download(&checkpoint, &folder.path().join(name)).await;
            assert!(matches!(downloaded, Err(TransferError::Rejected(_))), "{downloaded:?}");
            advance(LEAST_AGE).await;
        }
        assert_eq!(coordinator.connections(), [1, 1, 2], "{says:?}");
    }
}
