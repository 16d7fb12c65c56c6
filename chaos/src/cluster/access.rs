//! How the parts of a cluster know each other: over TLS and by tokens, as the programs do unless they are told otherwise; or not
//! at all.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use acai_access::{AccessFile, Authority, Scope, Token, connection, endpoint};
use acai_proto::v1::CreateTokenRequest;
use acai_proto::v1::access_service_client::AccessServiceClient;
use anyhow::{Context, anyhow};
use tokio::time::{sleep, timeout};

/// A coordinator that serves nobody after this long does not start.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(100);

/// What everybody needs to be let in.
#[derive(Debug)]
pub(super) struct Access {
    /// The coordinators as people who submit reach them.
    pub(super) submitters: Vec<AccessFile>,
    /// Each worker's token; none without encryption.
    pub(super) workers: Vec<Option<Token>>,
    /// Vouches for the proxies; none without encryption.
    pub(super) proxies: Option<Authority>,
}

/// Where a coordinator writes its access file.
pub(super) fn file_of_coordinator(session: &Path, number: usize) -> PathBuf {
    session.join(format!("coordinator-{number}.access"))
}

/// The access file of a worker, by which it knows its proxy.
fn file_of_worker(session: &Path, number: usize) -> PathBuf {
    session.join(format!("worker-{number}.access"))
}

impl Access {
    /// For everybody, without encryption.
    pub(super) fn open(urls: impl Iterator<Item = String>, workers: usize) -> Access {
        let submitters = urls.map(|url| AccessFile::open(&url)).collect();
        Access { submitters, workers: vec![None; workers], proxies: None }
    }

    /// Made by coordinators that have been started in a session's folder: a token for all who submit, and one for each worker.
    ///
    /// # Errors
    /// If a coordinator does not serve in time.
    pub(super) async fn made(session: &Path, coordinators: usize, workers: usize) -> anyhow::Result<Access> {
        let made = async {
            let mut admins = Vec::new();
            for number in 0..coordinators {
                admins.push(written(&file_of_coordinator(session, number)).await);
            }
            let first = admins.first().context("a cluster has a coordinator")?;
            let submitter = token(first, Scope::Submit).await;
            let mut of_workers = Vec::new();
            for _ in 0..workers {
                of_workers.push(Some(token(first, Scope::Worker).await));
            }
            let submitters =
                admins.into_iter().map(|admin| AccessFile { token: Some(submitter.clone()), ..admin });
            anyhow::Ok(Access {
                submitters: submitters.collect(),
                workers: of_workers,
                proxies: Some(Authority::new()?),
            })
        };
        timeout(PATIENCE, made).await.context("the coordinators do not serve")?
    }

    /// How a worker is told of its proxy: by an access file, or by an address.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(super) fn to_door(&self, session: &Path, worker: usize, door: SocketAddr) -> anyhow::Result<String> {
        let Some(authority) = &self.proxies else { return Ok(format!("http://{door}")) };
        let (url, ca) = (format!("https://{door}"), vec![authority.pin()?]);
        let path = file_of_worker(session, worker);
        AccessFile { url, ca, token: self.workers[worker].clone() }.write(&path)?;
        path.into_os_string().into_string().map_err(|_| anyhow!("the session's path is not UTF-8"))
    }
}

/// The access file at `path`, once there is one.
async fn written(path: &Path) -> AccessFile {
    loop {
        match AccessFile::read(path) {
            Ok(access) => return access,
            Err(_) => sleep(PAUSE).await,
        }
    }
}

/// A new token, once the coordinator makes one.
async fn token(admin: &AccessFile, scope: Scope) -> Token {
    let request =
        CreateTokenRequest { name: format!("chaos, to {scope}"), scope: scope.to_string(), valid_s: 0 };
    loop {
        let asked = async {
            let channel = endpoint(admin)?.connect().await?;
            let mut client = AccessServiceClient::new(connection(channel, admin.token.as_ref()));
            anyhow::Ok(client.create_token(request.clone()).await?.into_inner().token.parse()?)
        };
        match asked.await {
            Ok(token) => return token,
            Err(_) => sleep(PAUSE).await,
        }
    }
}
