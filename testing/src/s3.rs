//! A server that speaks S3, in this process: on loopback, its bucket in a temporary folder, gone with its [`S3`].

use std::net::TcpListener as StdListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::thread;

use async_trait::async_trait;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{S3Result, s3_error};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Builder as RuntimeBuilder;
use tokio::sync::oneshot;

/// The bucket that there is.
pub const BUCKET: &str = "checkpoints";
/// The account that may use it …
const ACCOUNT: &str = "acai";
/// … and its secret.
pub const SECRET: &str = "secret";

/// A running server.
#[derive(Debug)]
pub struct S3 {
    folder: TempDir,
    endpoint: String,
    faults: Arc<Faults>,
    /// Ends the server when this is dropped.
    _running: oneshot::Sender<()>,
}

/// What the server does not do although it is asked to.
#[derive(Debug)]
pub struct Faults {
    /// How many more deletions it does; then it fails them.
    pub deletions: AtomicI64,
    /// Whether the account may not write.
    pub is_read_only: AtomicBool,
}

struct Access(Arc<Faults>);

#[async_trait]
impl S3Access for Access {
    async fn check(&self, asked: &mut S3AccessContext<'_>) -> S3Result<()> {
        let name = asked.s3_op().name();
        if asked.credentials().is_none()
            || (name.starts_with("Put") && self.0.is_read_only.load(Ordering::Relaxed))
        {
            return Err(s3_error!(AccessDenied));
        }
        if name.starts_with("Delete") && self.0.deletions.fetch_sub(1, Ordering::Relaxed) <= 0 {
            return Err(s3_error!(ServiceUnavailable));
        }
        Ok(())
    }
}

impl S3 {
    /// Starts one, with the bucket [`BUCKET`].
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn start() -> S3 {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let root = folder.path().join("server");
        std::fs::create_dir_all(root.join(BUCKET)).expect("a folder can be made");
        let mut service = S3ServiceBuilder::new(s3s_fs::FileSystem::new(root).expect("the folder is there"));
        service.set_auth(SimpleAuth::from_single(ACCOUNT, SECRET));
        let faults =
            Arc::new(Faults { deletions: AtomicI64::new(i64::MAX), is_read_only: AtomicBool::new(false) });
        service.set_access(Access(Arc::clone(&faults)));
        let service = service.build();
        let listener = StdListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("the port has an address");
        listener.set_nonblocking(true).expect("the port can be waited for");
        let (running, ended) = oneshot::channel();
        thread::spawn(move || serve(listener, &service, ended));
        S3 { folder, endpoint: format!("http://{address}"), faults, _running: running }
    }

    /// What a client's environment needs, with the account's secret.
    #[must_use]
    pub fn environment(&self) -> [(&'static str, &str); 5] {
        [
            ("AWS_ACCESS_KEY_ID", ACCOUNT),
            ("AWS_SECRET_ACCESS_KEY", SECRET),
            ("AWS_REGION", "eu-central-1"),
            ("AWS_ENDPOINT_URL", &self.endpoint),
            ("AWS_ALLOW_HTTP", "true"),
        ]
    }

    /// A folder that is there as long as the server, whose `server` holds the bucket.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What it does not do.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.faults
    }
}

fn serve(listener: StdListener, service: &S3Service, ended: oneshot::Receiver<()>) {
    let runtime = RuntimeBuilder::new_current_thread().enable_all().build().expect("a runtime can be made");
    runtime.block_on(async {
        let listener = TcpListener::from_std(listener).expect("the port can be waited for");
        let serving = async {
            while let Ok((stream, _)) = listener.accept().await {
                let service = service.clone();
                tokio::spawn(async move {
                    // A client that hangs up is none of the server's business.
                    let _ = Builder::new(TokioExecutor::new())
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        };
        tokio::select! {
            () = serving => {}
            _ = ended => {}
        }
    });
}
