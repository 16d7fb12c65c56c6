//! Agents and coordinators of different releases: what either says reaches the other as somebody of that release would have
//! said it. Of the programs there is one release only, so it is the encoded messages that change on their way.

use std::future::ready;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready as ready_now};

use acai_proto::SIGNATURE;
use http_body::Frame;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use prost::Message;
use prost::bytes::Bytes;
use prost::encoding::{string, uint64};
use tokio::io::{DuplexStream, duplex};
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::http::{Request, Response, Uri};
use tonic::transport::{Channel, Endpoint};
use tower::{BoxError, ServiceExt, service_fn};

/// As much as is under way on the machine.
const UNDER_WAY: usize = 1 << 16;
/// A message begins with whether it is compressed, which ours are not, and its length.
const PREFIX: usize = 5;

/// Generated from the files of release 0.1.0.
#[allow(missing_docs, unreachable_pub, dead_code, clippy::all, reason = "generated code")]
mod first {
    tonic::include_proto!("acai.v1");
}

/// Of which release each takes the other one to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Release {
    /// Of its own.
    Same,
    /// Of the next one, whose messages have more fields and more values of enumerations.
    Next,
    /// Of 0.1.0, which knows fewer calls and fields, and does not sign its answers.
    First,
}

/// A channel like this one, to somebody of that release.
pub(crate) fn to(release: Release, channel: Channel, endpoint: &Endpoint) -> Channel {
    if release == Release::Same {
        return channel;
    }
    endpoint.connect_with_connector_lazy(service_fn(move |_: Uri| {
        let (near, far) = duplex(UNDER_WAY);
        tokio::spawn(interpret(release, far, channel.clone()));
        ready(Ok::<_, io::Error>(TokioIo::new(near)))
    }))
}

/// Passes on what comes on a connection, until that ends.
async fn interpret(release: Release, connection: DuplexStream, channel: Channel) {
    let service = service_fn(move |request| pass_on(release, request, channel.clone()));
    let server = Builder::new(TokioExecutor::new()).http2_only();
    let served = server.serve_connection(TokioIo::new(connection), TowerToHyperService::new(service)).await;
    if let Err(error) = served {
        tracing::debug!(target: "simulation", "a connection between releases ended: {error}");
    }
}

async fn pass_on<B>(
    release: Release,
    request: Request<B>,
    channel: Channel,
) -> Result<Response<Body>, BoxError>
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let path = request.uri().path().to_owned();
    let Some([ask, answer]) = release.translations(&path) else {
        return Ok(Status::unimplemented("the coordinator does not know the call").into_http());
    };
    let request = request.map(|body| Body::new(Translated::new(Body::new(body), ask)));
    let mut response = channel.oneshot(request).await?;
    if release == Release::First {
        response.headers_mut().remove(SIGNATURE);
    }
    Ok(response.map(|body| Body::new(Translated::new(body, answer))))
}

type Translation = fn(&[u8]) -> Vec<u8>;

impl Release {
    /// What becomes of the questions and the answers of a call; none if the release does not know the call.
    fn translations(self, path: &str) -> Option<[Translation; 2]> {
        match self {
            Release::Same => Some([<[u8]>::to_vec, <[u8]>::to_vec]),
            Release::Next => Some(match path.rsplit('/').next() {
                Some("Register") => [with_version::<3>, with_version::<4>],
                Some("Fail") => [with_more_fields, with_unknown_state],
                _ => [with_more_fields, with_more_fields],
            }),
            Release::First => FIRST.iter().find(|(of, _)| *of == path).map(|(_, translations)| *translations),
        }
    }
}

/// The calls between agents and coordinators of release 0.1.0.
const FIRST: [(&str, [Translation; 2]); 12] = [
    (
        "/acai.v1.WorkerService/Register",
        [as_first::<first::RegisterRequest>, as_first::<first::RegisterResponse>],
    ),
    ("/acai.v1.WorkerService/Claim", [as_first::<first::ClaimRequest>, as_first::<first::ClaimResponse>]),
    ("/acai.v1.WorkerService/Renew", [as_first::<first::RenewRequest>, as_first::<first::RenewResponse>]),
    (
        "/acai.v1.WorkerService/ReportMetrics",
        [as_first::<first::ReportMetricsRequest>, as_first::<first::ReportMetricsResponse>],
    ),
    (
        "/acai.v1.WorkerService/Complete",
        [as_first::<first::CompleteRequest>, as_first::<first::CompleteResponse>],
    ),
    ("/acai.v1.WorkerService/Fail", [as_first::<first::FailRequest>, as_first::<first::FailResponse>]),
    (
        "/acai.v1.WorkerService/Release",
        [as_first::<first::ReleaseRequest>, as_first::<first::ReleaseResponse>],
    ),
    (
        "/acai.v1.WorkerService/CommitCheckpoint",
        [as_first::<first::CommitCheckpointRequest>, as_first::<first::CommitCheckpointResponse>],
    ),
    (
        "/acai.v1.WorkerService/RejectCheckpoint",
        [as_first::<first::RejectCheckpointRequest>, as_first::<first::RejectCheckpointResponse>],
    ),
    ("/acai.v1.BlobService/Stat", [as_first::<first::StatRequest>, as_first::<first::StatResponse>]),
    ("/acai.v1.BlobService/Upload", [as_first::<first::UploadRequest>, as_first::<first::UploadResponse>]),
    (
        "/acai.v1.BlobService/Download",
        [as_first::<first::DownloadRequest>, as_first::<first::DownloadResponse>],
    ),
];

/// The message without what its type did not have in release 0.1.0.
fn as_first<M: Message + Default>(message: &[u8]) -> Vec<u8> {
    M::decode(message).map_or_else(|_| message.to_vec(), |known| known.encode_to_vec())
}

fn with_more_fields(message: &[u8]) -> Vec<u8> {
    let mut message = message.to_vec();
    uint64::encode(1900, &7, &mut message);
    string::encode(1901, &"of the next release".to_owned(), &mut message);
    message
}

/// With another version in this field: of a field that comes twice, the last one counts.
fn with_version<const FIELD: u32>(message: &[u8]) -> Vec<u8> {
    let mut message = with_more_fields(message);
    string::encode(FIELD, &"99.0.0".to_owned(), &mut message);
    message
}

fn with_unknown_state(message: &[u8]) -> Vec<u8> {
    let mut message = with_more_fields(message);
    uint64::encode(1, &99, &mut message);
    message
}

/// A body whose messages are others than those that come.
struct Translated {
    from: Body,
    /// The beginning of the next message, or more.
    pending: Vec<u8>,
    translation: Translation,
}

impl Translated {
    fn new(from: Body, translation: Translation) -> Translated {
        Translated { from, pending: Vec::new(), translation }
    }

    /// The next message that has come as a whole, as it goes on.
    fn next(&mut self) -> Option<Bytes> {
        let length: [u8; 4] = self.pending.get(1..PREFIX)?.try_into().ok()?;
        let end = PREFIX + u32::from_be_bytes(length) as usize;
        let message = (self.translation)(self.pending.get(PREFIX..end)?);
        let mut next = vec![0];
        next.extend_from_slice(&(message.len() as u32).to_be_bytes());
        next.extend_from_slice(&message);
        self.pending.drain(..end);
        Some(next.into())
    }
}

impl http_body::Body for Translated {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        loop {
            if let Some(message) = self.next() {
                return Poll::Ready(Some(Ok(Frame::data(message))));
            }
            let came = ready_now!(Pin::new(&mut self.from).poll_frame(context));
            match came.map(|came| came.map(Frame::into_data)) {
                Some(Ok(Ok(data))) => self.pending.extend_from_slice(&data),
                Some(Ok(Err(trailers))) => return Poll::Ready(Some(Ok(trailers))),
                Some(Err(broken)) => return Poll::Ready(Some(Err(broken))),
                None => return Poll::Ready(None),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use acai_proto::v1::{Attempt, ClaimRequest, FailResponse, RegisterResponse, Rest};

    use super::*;

    fn translated(release: Release, path: &str, message: &impl Message) -> [Vec<u8>; 2] {
        release.translations(path).unwrap().map(|translation| translation(&message.encode_to_vec()))
    }

    #[test]
    fn what_release_0_1_0_did_not_know_does_not_reach_anybody() {
        let attempt = Attempt { run: 7, number: 2, token: 99 };
        let claim = ClaimRequest {
            worker_id: "w".into(),
            number: 3,
            rest: Some(Rest::default()),
            ..ClaimRequest::default()
        };
        let [asked, _] = translated(Release::First, "/acai.v1.WorkerService/Claim", &claim);
        assert_eq!(ClaimRequest::decode(&*asked).unwrap(), ClaimRequest { rest: None, ..claim });
        let release = acai_proto::v1::ReleaseRequest { attempt: Some(attempt), ..Default::default() };
        let [asked, _] = translated(Release::First, "/acai.v1.WorkerService/Release", &release);
        let token = acai_proto::v1::ReleaseRequest::decode(&*asked).unwrap().attempt.unwrap().token;
        assert_eq!(token, 0);
        assert!(Release::First.translations("/acai.v1.WorkerService/Leave").is_none());
    }

    #[test]
    fn what_the_next_release_says_has_what_this_one_does_not_know() {
        let registered =
            RegisterResponse { lease_ms: 5, version: "0.1.0".into(), ..RegisterResponse::default() };
        let [_, answered] = translated(Release::Next, "/acai.v1.WorkerService/Register", &registered);
        assert!(answered.len() > registered.encoded_len() + 20);
        let read = RegisterResponse::decode(&*answered).unwrap();
        assert_eq!((read.lease_ms, read.version.as_str()), (5, "99.0.0"));
        let failed = FailResponse { state: 1 };
        let [_, answered] = translated(Release::Next, "/acai.v1.WorkerService/Fail", &failed);
        assert_eq!(FailResponse::decode(&*answered).unwrap().state, 99);
    }
}
