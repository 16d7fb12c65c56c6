//! The server: services on a listener, until it is told to stop.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use acai_access::{AuthorityError, Shown};
use acai_proto::v1::access_service_server::AccessServiceServer;
use acai_proto::v1::archive_service_server::ArchiveServiceServer;
use acai_proto::v1::blob_service_server::BlobServiceServer;
use acai_proto::v1::control_service_server::ControlServiceServer;
use acai_proto::v1::fleet_service_server::FleetServiceServer;
use acai_proto::v1::sweep_service_server::SweepServiceServer;
use acai_proto::v1::worker_service_server::WorkerServiceServer;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic::transport::server::Router;

use crate::authority;
use crate::blobs::{Blobs, CHUNK_BYTES, staging};
use crate::clock::Clock;
use crate::connections::connections;
use crate::deadline::Deadline;
use crate::door::Door;
use crate::garbage::collect_garbage;
use crate::guard::{Guard, Guarded};
use crate::lease::{LeaseTerms, expire_leases};
use crate::listener::Listener;
use crate::metrics::{Health, Measured, Metrics, health, tell_health};
use crate::pages::{self, Served};
use crate::retention::forget_what_is_old;
use crate::service::{Access, Archives, BlobTransfers, Controls, Fleets, PATIENCE, Sweeps, Workers};
use crate::signature::Signed;
use crate::store::{Store, StoreError};
use crate::use_cases::{Transfers, UseCases, WorkerCalls};

/// A request may take this long; a transfer of a checkpoint may not stand still for longer than the
/// service says.
const REQUEST_DEADLINE: Duration = Duration::from_secs(10);
/// A sweep file (1 MiB) with its framing is the largest message that comes in.
const MESSAGE_BYTES: usize = 2 << 20;
/// The largest answer to a worker and to who changes what is queued …
const ANSWER_BYTES: usize = 4 << 20;
/// … and to who reads: a table of the largest sweep stays far below.
const TABLE_BYTES: usize = 64 << 20;
/// A chunk of a checkpoint with its framing.
const CHUNK_MESSAGE_BYTES: usize = CHUNK_BYTES + CHUNK_BYTES / 4;
/// Connections at a time; more wait.
const CONNECTIONS: usize = 4096;
/// One that has not begun to speak after this long is closed.
const GREETING: Duration = Duration::from_secs(5);
/// Requests at a time on one connection; more are refused, not queued.
const STREAMS: u32 = 64;
/// Headers of a request: ours are a few hundred bytes.
const HEADER_BYTES: u32 = 16 << 10;
/// Requests that a client takes back before they are looked at: a flood of them ends its connection.
const RESETS: usize = 64;
/// A connection takes no new requests after this long, so that those to several coordinators spread again after one was
/// away. Requests under way end when they end: a checkpoint on a slow line may take hours.
const CONNECTION_AGE: Duration = Duration::from_secs(3600);
/// Connections that hang are closed: pinged this often …
const KEEPALIVE: Duration = Duration::from_secs(20);
/// … and given this long to answer.
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);
/// Requests under way have this long to end at shutdown; then connections are dropped.
const DRAIN: Duration = Duration::from_secs(10);

/// Why the server ended by itself.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The certificate or its key cannot be used.
    #[error(transparent)]
    Certificate(#[from] AuthorityError),
    /// The listener failed.
    #[error("cannot serve: {0}")]
    Transport(#[from] tonic::transport::Error),
}

/// Serves `store` and `blobs` to people and workers on `listener` until `shutdown` resolves.
///
/// Runs that were being trained when the last coordinator ended get a fresh lease first: their
/// workers may still be at them. In the end the store is closed.
///
/// # Errors
/// [`ServeError`]; what was acknowledged is durable.
pub async fn serve(
    listener: impl Listener,
    store: Arc<dyn Store>,
    blobs: Arc<dyn Blobs>,
    terms: LeaseTerms,
    door: Door,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), ServeError> {
    serve_measured(listener, store, blobs, terms, door, Metrics::default(), shutdown).await
}

/// As [`serve`], and counts in `metrics` what happens.
///
/// # Errors
/// [`ServeError`]; what was acknowledged is durable.
pub async fn serve_measured(
    listener: impl Listener,
    store: Arc<dyn Store>,
    blobs: Arc<dyn Blobs>,
    terms: LeaseTerms,
    door: Door,
    metrics: Metrics,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), ServeError> {
    let base = Base { store, blobs, terms, metrics };
    serve_with(listener, base, door, Limits::default(), shutdown).await
}

/// What all services rest on.
#[derive(Clone)]
struct Base {
    store: Arc<dyn Store>,
    blobs: Arc<dyn Blobs>,
    terms: LeaseTerms,
    metrics: Metrics,
}

/// How long others may take.
#[derive(Debug, Clone, Copy)]
struct Limits {
    connection_age: Duration,
    /// For the next move in the transfer of a checkpoint.
    patience: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { connection_age: CONNECTION_AGE, patience: PATIENCE }
    }
}

async fn serve_with(
    listener: impl Listener,
    base: Base,
    door: Door,
    limits: Limits,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), ServeError> {
    let (stopping, stop) = watch::channel(false);
    let Base { store, blobs, terms, metrics } = base.clone();
    let fresh_terms = store.lease_grant_fresh_terms(i64::from(terms.lease_ms)).await?;
    if fresh_terms > 0 {
        tracing::info!(runs = fresh_terms, "runs that were being trained have a fresh lease");
    }
    let (draining, drained) = tokio::sync::oneshot::channel();
    let (reporter, health) = health();
    let shown = door.shown()?;
    let tls = encryption(shown.as_ref())?;
    let services = services(&base, &door, shown.as_ref(), limits, stop.clone(), health);
    let server =
        services.serve_with_incoming_shutdown(connections(listener, tls, CONNECTIONS, GREETING), async {
            shutdown.await;
            // Watchers would stay for as long as they are let.
            stopping.send_replace(true);
            let _ = draining.send(());
        });
    // A connection that never closes must not keep the server: the drain has a deadline of its own.
    let deadline = async {
        if drained.await.is_err() {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(DRAIN).await;
    };
    let ended = tokio::select! {
        served = server => served.map_err(ServeError::from),
        error = store.broken() => Err(error.into()),
        () = deadline => Ok(()),
        () = expire_leases(store.clone(), terms, metrics.clone()) => Ok(()),
        never = tell_health(reporter, metrics, terms, stop) => match never {},
        never = authority::follow(store.clone(), shown) => match never {},
        () = forget_what_is_old(store.clone()) => Ok(()),
        () = collect_garbage(store.clone(), blobs.clone()) => Ok(()),
        () = staging::clear_abandoned(blobs.staging(), Clock::start()) => Ok(()),
    };
    store.close().await;
    ended
}

/// Answers those who read: the services on a store that takes no writes, with nothing that a coordinator does by itself.
/// Until it is dropped.
///
/// # Errors
/// [`ServeError`].
pub async fn serve_reading(
    listener: impl Listener,
    store: Arc<dyn Store>,
    blobs: Arc<dyn Blobs>,
    terms: LeaseTerms,
    door: Door,
) -> Result<(), ServeError> {
    let (_running, stop) = watch::channel(false);
    let base = Base { store, blobs, terms, metrics: Metrics::default() };
    let shown = door.shown()?;
    let services = services(&base, &door, shown.as_ref(), Limits::default(), stop, health().1);
    let connections = connections(listener, encryption(shown.as_ref())?, CONNECTIONS, GREETING);
    Ok(services.serve_with_incoming(connections).await?)
}

fn encryption(shown: Option<&Shown>) -> Result<Option<TlsAcceptor>, AuthorityError> {
    shown.map(|shown| Ok(TlsAcceptor::from(shown.server()?))).transpose()
}

/// All services, and the pages beside them, with their limits. `stop` becomes true when the server ends.
fn services(
    base: &Base,
    door: &Door,
    shown: Option<&Shown>,
    limits: Limits,
    stop: watch::Receiver<bool>,
    health: Health,
) -> Router {
    let (Base { store, blobs, terms, metrics }, guard) = (base, &door.guard);
    let use_cases = UseCases::new(Arc::clone(store), *terms);
    let sweeps = Sweeps { use_cases: use_cases.clone(), stop: stop.clone() };
    let sweeps = SweepServiceServer::new(sweeps)
        .max_decoding_message_size(MESSAGE_BYTES)
        .max_encoding_message_size(TABLE_BYTES);
    let calls = WorkerCalls::new(Arc::clone(store), Arc::clone(blobs), *terms, metrics.clone());
    let workers = WorkerServiceServer::new(Workers { calls })
        .max_decoding_message_size(MESSAGE_BYTES)
        .max_encoding_message_size(ANSWER_BYTES);
    let transfers = Transfers::new(Arc::clone(store), Arc::clone(blobs), metrics.clone());
    let served =
        Served { use_cases: use_cases.clone(), transfers: transfers.clone(), guard: guard.clone(), stop };
    let pages = door.pages.as_ref().map(|pages| pages(served));
    let archives = Archives { use_cases: use_cases.clone(), patience: limits.patience };
    let archives = ArchiveServiceServer::new(archives).max_decoding_message_size(MESSAGE_BYTES);
    let access = Access { use_cases: use_cases.clone(), guard: guard.clone(), shown: shown.cloned() };
    let access = AccessServiceServer::new(access)
        .max_decoding_message_size(MESSAGE_BYTES)
        .max_encoding_message_size(ANSWER_BYTES);
    let fleets = FleetServiceServer::new(Fleets { use_cases: use_cases.clone() })
        .max_decoding_message_size(MESSAGE_BYTES)
        .max_encoding_message_size(ANSWER_BYTES);
    let controls = ControlServiceServer::new(Controls { use_cases, transfers: transfers.clone() })
        .max_decoding_message_size(MESSAGE_BYTES)
        .max_encoding_message_size(ANSWER_BYTES);
    let transfers = BlobServiceServer::new(BlobTransfers { transfers, patience: limits.patience })
        .max_decoding_message_size(CHUNK_MESSAGE_BYTES)
        .max_encoding_message_size(CHUNK_MESSAGE_BYTES);
    let services = Routes::new(measured(metrics, health))
        .add_service(answering(base, guard, Deadline { service: sweeps, after: REQUEST_DEADLINE }))
        .add_service(answering(base, guard, Deadline { service: workers, after: REQUEST_DEADLINE }))
        .add_service(answering(base, guard, Deadline { service: controls, after: REQUEST_DEADLINE }))
        .add_service(answering(base, guard, Deadline { service: access, after: REQUEST_DEADLINE }))
        .add_service(answering(base, guard, Deadline { service: fleets, after: REQUEST_DEADLINE }))
        .add_service(answering(base, guard, transfers))
        .add_service(answering(base, guard, archives));
    Server::builder()
        .accept_http1(true)
        .max_concurrent_streams(STREAMS)
        .concurrency_limit_per_connection(STREAMS as usize)
        .load_shed(true)
        .http2_max_header_list_size(HEADER_BYTES)
        .http2_max_pending_accept_reset_streams(Some(RESETS))
        .max_connection_age(limits.connection_age)
        .http2_keepalive_interval(Some(KEEPALIVE))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
        .add_routes(pages::beside(services, pages))
}

/// A service for those whose token allows it, whose answers are signed and measured.
fn answering<S>(base: &Base, guard: &Guard, service: S) -> Measured<Signed<Guarded<S>>> {
    let guarded = Guarded { service, guard: guard.clone(), metrics: base.metrics.clone() };
    measured(&base.metrics, Signed(guarded))
}

fn measured<S>(metrics: &Metrics, service: S) -> Measured<S> {
    Measured { service, metrics: metrics.clone() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::time::Instant;

    use acai_proto::v1::blob_service_client::BlobServiceClient;
    use acai_proto::v1::sweep_service_client::SweepServiceClient;
    use acai_proto::v1::{DownloadRequest, DownloadResponse, WatchSweepRequest};
    use sha2::Digest as _;
    use tempfile::TempDir;
    use tokio::net::TcpListener;
    use tokio::sync::oneshot;
    use tokio::task::JoinHandle;
    use tonic::{Code, Status, Streaming};

    use super::*;
    use crate::blobs::directory::Directory;
    use crate::blobs::{Digest, Name};
    use crate::store::sqlite::SqliteStore;
    use crate::store::{BlobFile, NewSweep};

    #[tokio::test]
    async fn a_watcher_does_not_keep_a_coordinator_that_stops_and_is_told_to_go_on_elsewhere() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("acai.db"), Clock::start()).await.unwrap();
        store.sweep_submit(NewSweep::new("s", Vec::new())).await.unwrap();
        let blobs = Arc::new(Directory::open(&folder.path().join("blobs")).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel::<()>();
        let stopped = async { stopped.await.unwrap() };
        let server = tokio::spawn(serve(
            listener,
            Arc::new(store),
            blobs,
            LeaseTerms::default(),
            Door::open(),
            stopped,
        ));
        let mut client = SweepServiceClient::connect(url).await.unwrap();
        let request = WatchSweepRequest { sweep: "s".to_owned(), ..WatchSweepRequest::default() };
        let mut events = client.watch_sweep(request).await.unwrap().into_inner();

        let begun = Instant::now();
        stop.send(()).unwrap();
        let end = events.message().await.unwrap_err();
        assert_eq!(end.code(), tonic::Code::Unavailable, "{end}");
        drop(client);
        server.await.unwrap().unwrap();
        assert!(begun.elapsed() < DRAIN / 2, "it took {:?}", begun.elapsed());
    }

    /// A coordinator with a blob that is larger than what a connection holds on its way, and a download of it.
    struct Downloading {
        _folder: TempDir,
        server: JoinHandle<Result<(), ServeError>>,
        url: String,
        bytes: usize,
        chunks: Streaming<DownloadResponse>,
    }

    impl Downloading {
        async fn begin(limits: Limits) -> Self {
            let (folder, bytes) = (tempfile::tempdir().unwrap(), vec![7; 32 << 20]);
            let store = SqliteStore::open(&folder.path().join("acai.db"), Clock::start()).await.unwrap();
            let blobs = Directory::open(&folder.path().join("blobs")).unwrap();
            let name = Name::unused(Digest::of(&sha2::Sha256::digest(&bytes)));
            let staged = blobs.staging().join("whole");
            std::fs::write(&staged, &bytes).unwrap();
            store.blob_begin(BlobFile::from(&name)).await.unwrap();
            blobs.put(&name, &staged).await.unwrap();
            store.blob_add(BlobFile::from(&name), bytes.len() as u64, None).await.unwrap();
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}", listener.local_addr().unwrap());
            let (store, blobs) = (Arc::new(store), Arc::new(blobs));
            let forever = std::future::pending();
            let base = Base { store, blobs, terms: LeaseTerms::default(), metrics: Metrics::default() };
            let server = tokio::spawn(serve_with(listener, base, Door::open(), limits, forever));
            let mut client = BlobServiceClient::connect(url.clone()).await.unwrap();
            let request = DownloadRequest { sha256: name.digest().to_string(), offset: 0 };
            let chunks = client.download(request).await.unwrap().into_inner();
            Downloading { _folder: folder, server, url, bytes: bytes.len(), chunks }
        }

        /// Takes what comes, with a pause before each chunk; answers how much came.
        async fn take(&mut self, pause: Duration) -> Result<usize, Status> {
            let mut taken = 0;
            loop {
                tokio::time::sleep(pause).await;
                match self.chunks.message().await? {
                    None => return Ok(taken),
                    Some(chunk) => taken += chunk.data.len(),
                }
            }
        }
    }

    #[tokio::test]
    async fn a_download_whose_client_takes_nothing_for_too_long_ends_with_an_error() {
        let patience = Duration::from_millis(100);
        let mut stalled = Downloading::begin(Limits { patience, ..Limits::default() }).await;
        tokio::time::sleep(10 * patience).await;
        let ended = stalled.take(Duration::ZERO).await;
        assert!(
            matches!(&ended, Err(status) if status.code() == Code::Aborted),
            "{ended:?} of {} bytes look like the whole",
            stalled.bytes
        );
    }

    #[tokio::test]
    async fn a_download_goes_on_when_its_connection_is_due_to_be_renewed() {
        let connection_age = Duration::from_millis(100);
        let mut slow = Downloading::begin(Limits { connection_age, ..Limits::default() }).await;
        let taken = slow.take(Duration::from_millis(30)).await;
        assert_eq!(taken.unwrap(), slow.bytes);
        BlobServiceClient::connect(slow.url).await.unwrap();
        assert!(!slow.server.is_finished());
    }
}
