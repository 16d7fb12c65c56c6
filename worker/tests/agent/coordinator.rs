//! A coordinator that keeps the protocol's rules in memory, and breaks the network on request.

use std::collections::{HashMap, HashSet, VecDeque};
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use acai_proto::v1::blob_service_server::{BlobService, BlobServiceServer};
use acai_proto::v1::worker_service_server::{WorkerService, WorkerServiceServer};
use acai_proto::v1::*;
use tokio::sync::watch;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::body::Body;
use tonic::codegen::{BoxFuture, Context, Poll, Service, http};
use tonic::server::NamedService;
use tonic::{Request, Response, Status, transport::Server};

/// What happens to one call.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    /// Nothing goes wrong.
    None,
    /// The call does not arrive.
    Unavailable,
    /// The call takes effect, but its answer does not arrive.
    LostReply,
    /// Only this many of the call's points are taken, or of the bytes that it asks for sent.
    Partial(usize),
    /// The blob cannot be read, or kept, until somebody repairs the place where blobs are kept.
    Broken,
    /// The call never ends.
    Hung,
    /// What the database has of the call's run cannot be read.
    Damaged,
    /// The call makes no sense to a coordinator of another version.
    Refused,
    /// The disk is full.
    NoRoom,
    /// The worker's token is not taken.
    Denied,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum End {
    Completed {
        step: u64,
        last_seq: u64,
    },
    Failed {
        kind: FailureKind,
        message: String,
    },
    Released,
    /// Given back: the machine cannot train it.
    MachineFault(String),
    /// Given back: the trainer of its group broke down.
    GroupFault(String),
}

impl End {
    /// Whether the run is queued again, and charged with nothing.
    fn is_blameless(&self) -> bool {
        matches!(self, Self::Released | Self::MachineFault(_) | Self::GroupFault(_))
    }
}

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) queue: VecDeque<Group>,
    /// What claims for the places of groups are granted.
    pub(crate) joining: VecDeque<Group>,
    /// The group sizes of the claims for groups that came.
    pub(crate) group_sizes: Vec<u32>,
    /// The claims for places that came, whether or not they were answered.
    pub(crate) vacancies: Vec<Vacancy>,
    pub(crate) database: String,
    /// Faults of the next calls, by method.
    pub(crate) faults: HashMap<&'static str, VecDeque<Fault>>,
    /// Methods that do not arrive at all.
    pub(crate) down: HashSet<&'static str>,
    /// Attempts that do not hold their run any more.
    pub(crate) fenced: HashSet<Attempt>,
    /// Attempts that are asked to checkpoint and be released.
    pub(crate) yielding: HashSet<Attempt>,
    /// Checkpoints that were committed, with the number of the last point before each.
    pub(crate) checkpoints: Vec<(Attempt, Checkpoint, u64)>,
    /// Artifacts that were added: name, step and bytes.
    pub(crate) artifacts: Vec<(Attempt, String, u64, Vec<u8>)>,
    /// Digests of checkpoints that were rejected.
    pub(crate) rejected: Vec<String>,
    /// What was uploaded, by digest.
    pub(crate) blobs: HashMap<String, Vec<u8>>,
    /// Digests of blobs that cannot be read.
    pub(crate) unreadable: HashSet<String>,
    pub(crate) points: HashMap<Attempt, Vec<Point>>,
    /// Every report that was sent, whether or not it arrived.
    pub(crate) reports: Vec<ReportMetricsRequest>,
    pub(crate) ends: Vec<(Attempt, End)>,
    pub(crate) renewals: usize,
    /// The term that the answers to claims and renewals tell, in milliseconds; 0 when they tell none.
    pub(crate) lease_ms: u32,
    /// What the worker said of its slots that rest: how many, and why.
    pub(crate) rests: Vec<(u32, String)>,
    /// Whether this coordinator is of release 0.1.0, which tells no version, signs nothing, and knows no faults of
    /// groups.
    pub(crate) first_release: bool,
    /// Whether released runs are granted again.
    pub(crate) requeues: bool,
    grants: HashMap<String, Vec<Group>>,
    granted: HashMap<Attempt, Assignment>,
}

#[derive(Debug, Clone)]
pub(crate) struct Coordinator {
    pub(crate) url: String,
    state: Arc<watch::Sender<State>>,
    lease: Duration,
    proxy: Proxy,
}

/// What stands before the services: it passes everything on, or, once it has been given an HTTP status, answers with
/// that.
#[derive(Debug, Clone, Default)]
pub(crate) struct Proxy(Arc<AtomicU16>);

impl Proxy {
    pub(crate) fn answer(&self, status: u16) {
        self.0.store(status, Ordering::Relaxed);
    }

    pub(crate) fn pass_on(&self) {
        self.answer(0);
    }
}

/// A service behind the proxy.
#[derive(Debug, Clone)]
struct Behind<S>(Proxy, S);

impl<S: NamedService> NamedService for Behind<S> {
    const NAME: &'static str = S::NAME;
}

impl<S> Service<http::Request<Body>> for Behind<S>
where
    S: Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<http::Response<Body>, Infallible>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.1.poll_ready(context)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let status = self.0.0.load(Ordering::Relaxed);
        if status == 0 {
            return Box::pin(self.1.call(request));
        }
        let answer = http::Response::builder().status(status).body(Body::empty()).unwrap();
        Box::pin(std::future::ready(Ok(answer)))
    }
}

impl Coordinator {
    pub(crate) fn proxy(&self) -> &Proxy {
        &self.proxy
    }

    /// Serves on a free port, until the test ends.
    pub(crate) async fn start(lease: Duration, groups: impl IntoIterator<Item = Group>) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state =
            State { queue: groups.into_iter().collect(), database: "first".into(), ..State::default() };
        let coordinator =
            Self { url, state: Arc::new(watch::Sender::new(state)), lease, proxy: Proxy::default() };
        let service = WorkerServiceServer::new(coordinator.clone());
        let blobs = BlobServiceServer::new(coordinator.clone());
        let server = Server::builder()
            .add_service(Behind(coordinator.proxy.clone(), service))
            .add_service(Behind(coordinator.proxy.clone(), blobs));
        tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
        coordinator
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut State)) {
        self.state.send_modify(change);
    }

    pub(crate) fn read<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&self.state.borrow())
    }

    pub(crate) async fn until(&self, condition: impl Fn(&State) -> bool) {
        self.state.subscribe().wait_for(condition).await.unwrap();
    }

    /// Applies a call to the state, or not, and answers it, or not.
    fn serve<T>(
        &self,
        method: &'static str,
        apply: impl FnOnce(&mut State, Option<Fault>) -> Result<T, Status>,
    ) -> Result<Response<T>, Status> {
        let lost = || Status::unavailable("the network is down");
        let mut answer = Err(lost());
        self.state.send_modify(|state| {
            let fault = state.faults.get_mut(method).and_then(VecDeque::pop_front);
            if state.down.contains(method) || matches!(fault, Some(Fault::Unavailable)) {
                return;
            }
            if matches!(fault, Some(Fault::Damaged)) {
                answer = Err(Status::data_loss("`step` is -1"));
                return;
            }
            if matches!(fault, Some(Fault::Refused)) {
                answer = Err(Status::invalid_argument("`stripes` is missing"));
                return;
            }
            if matches!(fault, Some(Fault::Denied)) {
                answer = Err(Status::unauthenticated("the token was revoked"));
                return;
            }
            if matches!(fault, Some(Fault::NoRoom)) {
                answer = Err(Status::resource_exhausted("no room"));
                return;
            }
            let result = apply(state, fault);
            answer = if matches!(fault, Some(Fault::LostReply)) { Err(lost()) } else { result };
        });
        let signs = self.read(|state| !state.first_release);
        answer.map(Response::new).map_err(|mut status| {
            if signs {
                status.metadata_mut().insert(acai_proto::SIGNATURE, "0".parse().unwrap());
            }
            status
        })
    }

    fn end(&self, method: &'static str, attempt: Option<Attempt>, end: End) -> Result<(), Status> {
        let attempt = attempt.unwrap();
        self.serve(method, |state, _| {
            state.check(attempt)?;
            if let End::Completed { last_seq, .. } = &end {
                let held = state.points.entry(attempt).or_default().len() as u64;
                if held < *last_seq {
                    return Err(Status::out_of_range(format!("{held} of {last_seq} points are durable")));
                }
                assert_eq!(*last_seq, held);
            }
            if state.ends.contains(&(attempt, end.clone())) {
                return Ok(());
            }
            assert!(state.ends.iter().all(|(ended, _)| *ended != attempt), "{attempt:?} ends twice");
            if state.requeues && end.is_blameless() {
                let mut again = state.granted[&attempt].clone();
                again.attempt = Some(crate::setup::attempt(attempt.run, attempt.number + 1));
                again.earlier_attempts.push(EarlierAttempt {
                    number: attempt.number,
                    token: attempt.token,
                    acked_seq: state.points.get(&attempt).map_or(0, Vec::len) as u64,
                });
                state.queue.push_back(Group { runs: vec![again], ..Group::default() });
            }
            state.ends.push((attempt, end));
            Ok(())
        })
        .map(Response::into_inner)
    }
}

impl State {
    fn check(&self, attempt: Attempt) -> Result<(), Status> {
        assert!(self.granted.contains_key(&attempt), "{attempt:?} was never granted");
        if self.fenced.contains(&attempt) {
            return Err(Status::failed_precondition("the attempt no longer holds its run"));
        }
        Ok(())
    }
}

#[tonic::async_trait]
impl WorkerService for Coordinator {
    async fn register(&self, _: Request<RegisterRequest>) -> Result<Response<RegisterResponse>, Status> {
        let lease_ms = self.lease.as_millis() as u32;
        self.serve("register", |state, _| {
            let version = if state.first_release { String::new() } else { "9.8.7".to_owned() };
            Ok(RegisterResponse {
                lease_ms,
                renew_ms: lease_ms / 3,
                database: state.database.clone(),
                version,
            })
        })
    }

    async fn leave(&self, _: Request<LeaveRequest>) -> Result<Response<LeaveResponse>, Status> {
        Ok(Response::new(LeaveResponse {}))
    }

    async fn claim(&self, request: Request<ClaimRequest>) -> Result<Response<ClaimResponse>, Status> {
        let request = request.into_inner();
        let rest = request.rest.clone();
        let is_for_places = request.vacancy.is_some();
        self.change(|state| match &request.vacancy {
            Some(vacancy) => state.vacancies.push(vacancy.clone()),
            None => state.group_sizes.push(request.group_size),
        });
        self.serve(if is_for_places { "join" } else { "claim" }, |state, _| {
            state.rests.extend(rest.map(|rest| (rest.slots, rest.reason)));
            if !state.grants.contains_key(&request.claim_id) {
                let count = state.queue.len().min(request.groups as usize);
                let groups: Vec<Group> = match is_for_places {
                    true => state.joining.pop_front().into_iter().collect(),
                    false => state.queue.drain(..count).collect(),
                };
                for run in groups.iter().flat_map(|group| &group.runs) {
                    state.granted.insert(run.attempt.unwrap(), run.clone());
                }
                state.grants.insert(request.claim_id.clone(), groups);
            }
            Ok(ClaimResponse {
                groups: state.grants[&request.claim_id].clone(),
                retry_after_ms: 50,
                lease_ms: state.lease_ms,
                renew_ms: state.lease_ms / 3,
            })
        })
    }

    async fn renew(&self, request: Request<RenewRequest>) -> Result<Response<RenewResponse>, Status> {
        let RenewRequest { attempts, rest, .. } = request.into_inner();
        self.serve("renew", |state, _| {
            state.renewals += 1;
            state.rests.extend(rest.map(|rest| (rest.slots, rest.reason)));
            let among =
                |set: &HashSet<Attempt>| attempts.iter().filter(|a| set.contains(a)).copied().collect();
            Ok(RenewResponse {
                fenced: among(&state.fenced),
                r#yield: among(&state.yielding),
                lease_ms: state.lease_ms,
                renew_ms: state.lease_ms / 3,
            })
        })
    }

    async fn report_metrics(
        &self,
        request: Request<ReportMetricsRequest>,
    ) -> Result<Response<ReportMetricsResponse>, Status> {
        let request = request.into_inner();
        self.change(|state| state.reports.push(request.clone()));
        let attempt = request.attempt.unwrap();
        self.serve("report", |state, fault| {
            state.check(attempt)?;
            let points = state.points.entry(attempt).or_default();
            let known = points.len() as u64 + 1 - request.first_seq.min(points.len() as u64 + 1);
            let take = if let Some(Fault::Partial(count)) = fault { count } else { usize::MAX };
            if request.first_seq <= points.len() as u64 + 1 {
                points.extend(request.points.into_iter().skip(known as usize).take(take));
            }
            Ok(ReportMetricsResponse { acked_seq: points.len() as u64 })
        })
    }

    async fn complete(
        &self,
        request: Request<CompleteRequest>,
    ) -> Result<Response<CompleteResponse>, Status> {
        let CompleteRequest { attempt, step, last_seq, checkpoint_step } = request.into_inner();
        let forgotten = self.read(|state| {
            let steps = state.checkpoints.iter().map(|(_, checkpoint, _)| checkpoint.step);
            checkpoint_step > steps.max().unwrap_or(0)
        });
        if forgotten && !self.read(|state| state.down.contains("complete")) {
            let refused: Result<Response<()>, Status> =
                self.serve("complete", |_, _| Err(Status::out_of_range("no checkpoint of that step")));
            refused?;
        }
        self.end("complete", attempt, End::Completed { step, last_seq })?;
        Ok(Response::new(CompleteResponse {}))
    }

    async fn fail(&self, request: Request<FailRequest>) -> Result<Response<FailResponse>, Status> {
        let request = request.into_inner();
        let attempt = request.attempt.unwrap();
        let held = self.read(|state| state.points.get(&attempt).map_or(0, Vec::len)) as u64;
        if held < request.last_seq {
            let reason = format!("{held} of {} points are durable", request.last_seq);
            let refused: Result<Response<()>, Status> =
                self.serve("fail", |_, _| Err(Status::out_of_range(reason)));
            refused?;
        }
        let (kind, message) = (request.kind(), request.message);
        self.end("fail", request.attempt, End::Failed { kind, message })?;
        Ok(Response::new(FailResponse { state: RunState::Queued.into() }))
    }

    async fn release(&self, request: Request<ReleaseRequest>) -> Result<Response<ReleaseResponse>, Status> {
        let ReleaseRequest { attempt, machine_fault, group_fault } = request.into_inner();
        let end = match (machine_fault.as_str(), group_fault.as_str()) {
            ("", "") => End::Released,
            (_, "") => End::MachineFault(machine_fault),
            _ => End::GroupFault(group_fault),
        };
        self.end("release", attempt, end)?;
        Ok(Response::new(ReleaseResponse {}))
    }

    async fn commit_checkpoint(
        &self,
        request: Request<CommitCheckpointRequest>,
    ) -> Result<Response<CommitCheckpointResponse>, Status> {
        let CommitCheckpointRequest { attempt, checkpoint, last_seq } = request.into_inner();
        let (attempt, checkpoint) = (attempt.unwrap(), checkpoint.unwrap());
        self.serve("commit", |state, _| {
            state.check(attempt)?;
            assert!(state.blobs.contains_key(&checkpoint.sha256), "committed before it is uploaded");
            let acked = state.points.get(&attempt).map_or(0, Vec::len) as u64;
            assert!(acked >= last_seq, "committed before {last_seq} points are acknowledged");
            state.checkpoints.push((attempt, checkpoint, last_seq));
            Ok(CommitCheckpointResponse {})
        })
    }

    async fn add_artifact(
        &self,
        request: Request<AddArtifactRequest>,
    ) -> Result<Response<AddArtifactResponse>, Status> {
        let AddArtifactRequest { attempt, name, step, sha256, bytes } = request.into_inner();
        self.serve("add_artifact", |state, _| {
            state.check(attempt.unwrap())?;
            let blob = state.blobs.get(&sha256).expect("an artifact is added after its upload").clone();
            assert_eq!(blob.len() as u64, bytes);
            state.artifacts.push((attempt.unwrap(), name, step, blob));
            Ok(AddArtifactResponse {})
        })
    }

    async fn reject_checkpoint(
        &self,
        request: Request<RejectCheckpointRequest>,
    ) -> Result<Response<RejectCheckpointResponse>, Status> {
        let request = request.into_inner();
        self.serve("reject", |state, _| {
            state.rejected.push(request.sha256);
            Ok(RejectCheckpointResponse {})
        })
    }
}

#[tonic::async_trait]
impl BlobService for Coordinator {
    async fn stat(&self, request: Request<StatRequest>) -> Result<Response<StatResponse>, Status> {
        let sha256 = request.into_inner().sha256;
        self.serve("stat", |state, _| {
            let blob = state.blobs.get(&sha256);
            Ok(StatResponse { complete: blob.is_some(), bytes: blob.map_or(0, Vec::len) as u64 })
        })
    }

    async fn upload(
        &self,
        request: Request<tonic::Streaming<UploadRequest>>,
    ) -> Result<Response<UploadResponse>, Status> {
        let mut messages = request.into_inner();
        let (mut header, mut bytes) = (None, Vec::new());
        while let Some(message) = messages.message().await? {
            header = header.or(message.header);
            bytes.extend(message.data);
        }
        let header = header.unwrap();
        if self.read(|state| {
            state.faults.get("upload").is_some_and(|faults| matches!(faults.front(), Some(Fault::Hung)))
        }) {
            return std::future::pending().await;
        }
        self.serve("upload", |state, fault| {
            if matches!(fault, Some(Fault::Broken)) {
                return Err(Status::data_loss("cannot keep a checkpoint: Permission denied"));
            }
            state.check(header.attempt.unwrap())?;
            assert_eq!((bytes.len() as u64, header.offset), (header.size, 0));
            state.blobs.insert(header.sha256, bytes);
            Ok(UploadResponse {})
        })
    }

    type DownloadStream = tokio_stream::Once<Result<DownloadResponse, Status>>;

    async fn download(
        &self,
        request: Request<DownloadRequest>,
    ) -> Result<Response<Self::DownloadStream>, Status> {
        let request = request.into_inner();
        self.serve("download", |state, fault| {
            if matches!(fault, Some(Fault::Broken)) || state.unreadable.contains(&request.sha256) {
                return Err(Status::data_loss("cannot read a checkpoint: Input/output error"));
            }
            let blob = state.blobs.get(&request.sha256).ok_or(Status::not_found("no such blob"))?;
            let mut data = blob[request.offset as usize..].to_vec();
            if let Some(Fault::Partial(bytes)) = fault {
                data.truncate(bytes);
            }
            Ok(tokio_stream::once(Ok(DownloadResponse { data })))
        })
    }
}
