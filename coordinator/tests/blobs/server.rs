//! A coordinator on a free port, with an attempt that holds its run, and what is asked of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use acai_coordinator::blobs::Blobs;
use acai_coordinator::clock::Clock;
use acai_coordinator::store::sqlite::SqliteStore;
use acai_coordinator::store::{AttemptRef, Checkpoint, Claim, NewRun, NewSweep, Registration, Store};
use acai_coordinator::{Door, LeaseTerms, blobs, serve};
use acai_proto::v1::blob_service_client::BlobServiceClient;
use acai_proto::v1::worker_service_client::WorkerServiceClient;
use acai_proto::v1::{Attempt, DownloadRequest, StatRequest, StatResponse, UploadHeader, UploadRequest};
use acai_sweep::configuration::Configuration;
use acai_sweep::scalar::Scalar;
use acai_sweep::schedule::Offer;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;
use tonic::transport::Channel;

pub(crate) const PIECE: usize = 100_000;

pub(crate) struct Coordinator {
    folder: TempDir,
    url: String,
    pub(crate) client: BlobServiceClient<Channel>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) blobs: Arc<dyn Blobs>,
    /// Holds its run.
    pub(crate) attempt: AttemptRef,
}

impl Coordinator {
    /// With blobs in a folder of its own.
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("blobs");
        let blobs = blobs::open(root.to_str().unwrap(), &root).await.unwrap();
        Self::start_on(folder, blobs).await
    }

    pub(crate) async fn start_on(folder: TempDir, blobs: Arc<dyn Blobs>) -> Self {
        let store: Arc<dyn Store> =
            Arc::new(SqliteStore::open(&folder.path().join("acai.db"), Clock::start()).await.unwrap());
        let attempt = one_running(&*store).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(serve(
            listener,
            store.clone(),
            blobs.clone(),
            LeaseTerms::default(),
            Door::open(),
            std::future::pending(),
        ));
        let client = BlobServiceClient::connect(url.clone()).await.unwrap();
        Coordinator { folder, url, client, store, blobs, attempt }
    }

    /// A connection of its own.
    pub(crate) async fn connect(&self) -> BlobServiceClient<Channel> {
        BlobServiceClient::connect(self.url.clone()).await.unwrap()
    }

    pub(crate) async fn workers(&self) -> WorkerServiceClient<Channel> {
        WorkerServiceClient::connect(self.url.clone()).await.unwrap()
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("blobs")
    }

    /// The file of a blob that is whole.
    pub(crate) async fn path(&self, sha256: &str) -> PathBuf {
        let (file, _) = self.store.blob_find(sha256).await.unwrap().unwrap();
        self.root().join(&sha256[..2]).join(format!("{sha256}-{}", file.tag))
    }

    /// The files of whole blobs, in the order of their names.
    pub(crate) fn wholes(&self) -> Vec<PathBuf> {
        let mut files = files(&self.root());
        // Those in the root itself say whose the place is.
        files.retain(|file| file.parent() != Some(&self.root()));
        files.sort();
        files
    }

    /// Makes the blob what the run resumes from.
    pub(crate) async fn commit(&self, step: u64, blob: &[u8]) {
        let checkpoint = Checkpoint { step, sha256: sha256(blob), bytes: blob.len() as u64 };
        self.store.checkpoint_commit(self.attempt, checkpoint, 0).await.unwrap();
    }

    pub(crate) fn header(&self, blob: &[u8], offset: usize) -> UploadHeader {
        UploadHeader {
            attempt: Some(Attempt {
                run: self.attempt.run.into(),
                number: self.attempt.number,
                token: self.attempt.token,
            }),
            sha256: sha256(blob),
            size: blob.len() as u64,
            offset: offset as u64,
            artifact: false,
        }
    }

    pub(crate) async fn stat(&self, blob: &[u8]) -> StatResponse {
        self.client.clone().stat(StatRequest { sha256: sha256(blob) }).await.unwrap().into_inner()
    }

    /// Sends `data` in pieces.
    pub(crate) async fn upload(&self, header: UploadHeader, data: &[u8]) -> Result<(), Status> {
        let messages = pieces(header, data);
        self.client.clone().upload(tokio_stream::iter(messages)).await.map(|_| ())
    }

    /// Begins an upload on a connection of its own, and goes on when it is told.
    pub(crate) async fn begin_upload(&self, header: UploadHeader) -> Begun {
        let client = Client::new();
        let (messages, receiver) = mpsc::channel(1);
        messages.send(UploadRequest { header: Some(header), data: Vec::new() }).await.unwrap();
        let url = self.url.clone();
        let answer = client.runtime().spawn(async move {
            let mut client = BlobServiceClient::connect(url).await.unwrap();
            client.upload(ReceiverStream::new(receiver)).await.map(|_| ())
        });
        Begun { messages, answer, client }
    }

    pub(crate) async fn download(&self, blob: &[u8], offset: usize) -> Result<Vec<u8>, Status> {
        let request = DownloadRequest { sha256: sha256(blob), offset: offset as u64 };
        let mut chunks = self.client.clone().download(request).await?.into_inner();
        let mut bytes = Vec::new();
        while let Some(chunk) = chunks.message().await? {
            assert!(chunk.data.len() <= 1 << 20, "{} bytes", chunk.data.len());
            bytes.extend(chunk.data);
        }
        Ok(bytes)
    }

    /// Waits until the coordinator has seen that an upload's connection is gone.
    pub(crate) async fn nobody_uploads(&self, blob: &[u8]) {
        let deadline = Instant::now() + Duration::from_secs(10);
        let staged = std::fs::File::open(self.root().join("staging").join(sha256(blob))).unwrap();
        while staged.try_lock().is_err() {
            assert!(Instant::now() < deadline, "somebody has it still");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until this many bytes of the blob are there.
    pub(crate) async fn staged(&self, blob: &[u8], bytes: usize) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while self.stat(blob).await.bytes != bytes as u64 {
            assert!(Instant::now() < deadline, "{:?}, not {bytes}", self.stat(blob).await);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// An upload under way.
pub(crate) struct Begun {
    messages: mpsc::Sender<UploadRequest>,
    answer: JoinHandle<Result<(), Status>>,
    client: Client,
}

impl Begun {
    pub(crate) async fn send(&self, data: &[u8]) {
        self.messages.send(UploadRequest { header: None, data: data.to_vec() }).await.unwrap();
    }

    pub(crate) async fn end(self) -> Result<(), Status> {
        drop(self.messages);
        self.answer.await.unwrap()
    }

    /// As if the client's machine lost power: nothing ends in order, the connection is gone.
    pub(crate) fn hang_up(self) {
        drop(self.client);
    }
}

/// Threads of a client that end, with all its connections, when they are told to.
struct Client(Option<Runtime>);

impl Client {
    fn new() -> Self {
        Client(Some(Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()))
    }

    fn runtime(&self) -> &Runtime {
        self.0.as_ref().unwrap()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.0.take().unwrap().shutdown_background();
    }
}

pub(crate) fn pieces(header: UploadHeader, data: &[u8]) -> Vec<UploadRequest> {
    let first = UploadRequest { header: Some(header), data: Vec::new() };
    let pieces = data.chunks(PIECE).map(|piece| UploadRequest { header: None, data: piece.to_vec() });
    std::iter::once(first).chain(pieces).collect()
}

/// Bytes without a pattern that a mistake in offsets could hide in.
pub(crate) fn blob(bytes: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    (0..bytes).map(|_| next()).collect()
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Every file below a folder, as paths from there.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

/// A worker `w` holds the one run of a sweep.
async fn one_running(store: &dyn Store) -> AttemptRef {
    let configuration =
        Configuration::new([("model", Scalar::from("acai")), ("dataset", Scalar::from("lines32"))]).unwrap();
    let run = NewRun { total_steps: 100, ..NewRun::new(&configuration, 0) };
    let sweep = NewSweep { max_restarts: 1, max_lost_workers: 3, ..NewSweep::new("s", vec![run]) };
    store.sweep_submit(sweep).await.unwrap();
    let worker = Registration {
        id: "w".to_owned(),
        name: "w".to_owned(),
        version: "0".to_owned(),
        hardware: "{}".to_owned(),
        slots: 1,
        datasets: vec!["lines32".to_owned()],
    };
    store.worker_register(worker).await.unwrap();
    let claim = Claim {
        worker: "w".to_owned(),
        id: "c".to_owned(),
        number: 1,
        offer: Offer { groups: 1, group_size: 1 },
        joins: None,
    };
    store.run_claim(claim, i64::MAX / 2).await.unwrap()[0].attempt
}
