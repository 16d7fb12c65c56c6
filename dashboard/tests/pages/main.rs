//! The pages over real connections, of a real store.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod content;
mod golden;
mod guards;
mod live;
mod outages;

use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};

use acai_access::{Scope, Token};
use acai_coordinator::blobs::directory::Directory;
use acai_coordinator::clock::Clock;
use acai_coordinator::store::postgres::PostgresStore;
use acai_coordinator::store::sqlite::SqliteStore;
use acai_coordinator::store::{ImportedRun, NewToken, Store};
use acai_coordinator::use_cases::UseCases;
use acai_coordinator::{Door, Guard, LeaseTerms, serve};
use acai_dashboard::{Hosts, pages};
use acai_sweep::file::SweepFile;
use acai_sweep::run::RunState;
use acai_testing::postgres::Postgres;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A coordinator with pages.
pub(crate) struct Coordinator {
    pub(crate) address: SocketAddr,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) guard: Guard,
    stop: Option<oneshot::Sender<()>>,
    server: JoinHandle<()>,
    _folder: TempDir,
}

impl Drop for Coordinator {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Coordinator {
    /// For everybody.
    pub(crate) async fn open() -> Coordinator {
        Coordinator::with(|_| Guard::open()).await
    }

    /// For the bearers of tokens.
    pub(crate) async fn guarded() -> Coordinator {
        Coordinator::with(|store| Guard::stored(Arc::clone(store))).await
    }

    async fn with(guard: impl FnOnce(&Arc<dyn Store>) -> Guard) -> Coordinator {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("acai.db"), Clock::start()).await.unwrap();
        Coordinator::on(Arc::new(store), folder, guard).await
    }

    /// For everybody, on a server that all tests of this program share; `None` where there is none.
    pub(crate) async fn on_postgres() -> Option<Coordinator> {
        static SERVER: LazyLock<Option<Postgres>> = LazyLock::new(Postgres::start);
        let database = SERVER.as_ref()?.create_database().unwrap();
        let store = PostgresStore::open(&database, None).await.unwrap();
        Some(Coordinator::on(Arc::new(store), tempfile::tempdir().unwrap(), |_| Guard::open()).await)
    }

    /// On a store, with files in a folder.
    pub(crate) async fn on(
        store: Arc<dyn Store>,
        folder: TempDir,
        guard: impl FnOnce(&Arc<dyn Store>) -> Guard,
    ) -> Coordinator {
        let blobs = Arc::new(Directory::open(&folder.path().join("blobs")).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, guard) = (listener.local_addr().unwrap(), guard(&store));
        let mut door = Door::new(guard.clone(), None);
        door.pages = Some(pages(Hosts::and(["public.example".to_owned()])));
        let (stop, stopped) = oneshot::channel();
        let (served, stopped) = (Arc::clone(&store), async { stopped.await.unwrap_or_default() });
        let server = tokio::spawn(async move {
            serve(listener, served, blobs, LeaseTerms::default(), door, stopped).await.unwrap();
        });
        Coordinator { address, store, guard, stop: Some(stop), server, _folder: folder }
    }

    /// Asks the server to end; answers when it has.
    pub(crate) async fn stop(mut self) {
        self.stop.take().unwrap().send(()).unwrap();
        (&mut self.server).await.unwrap();
    }

    pub(crate) fn use_cases(&self) -> UseCases {
        UseCases::new(Arc::clone(&self.store), LeaseTerms::default())
    }

    /// A token of this scope that the store knows.
    pub(crate) async fn token(&self, scope: Scope) -> String {
        let token = Token::new(scope);
        let (id, digest) = (token.id().to_owned(), token.digest());
        let name = format!("a test's {scope}");
        self.store.token_add(NewToken { id, name, scope, digest, valid_ms: None }).await.unwrap();
        token.reveal()
    }

    /// A page, asked for as a browser on this machine does.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(path, &[("host", &self.address.to_string())]).await
    }

    pub(crate) async fn ask(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send("GET", path, headers, "").await
    }

    /// A request of HTTP/1.1 with just these headers.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let mut request = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\n");
        for (name, value) in headers {
            request += &format!("{name}: {value}\r\n");
        }
        if !body.is_empty() {
            request += &format!("content-length: {}\r\n", body.len());
        }
        let mut connection = TcpStream::connect(self.address).await.unwrap();
        connection.write_all(format!("{request}\r\n{body}").as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        connection.read_to_end(&mut answer).await.unwrap();
        Answer::of(&String::from_utf8_lossy(&answer))
    }
}

/// A test of each named behaviour on each kind of store.
macro_rules! on_each_store {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(
                #[tokio::test]
                async fn $name() {
                    super::$name(crate::Coordinator::open().await).await;
                }
            )*
        }
        mod postgres {
            $(
                #[tokio::test]
                async fn $name() {
                    if let Some(coordinator) = crate::Coordinator::on_postgres().await {
                        super::$name(coordinator).await;
                    }
                }
            )*
        }
    };
}
pub(crate) use on_each_store;

#[track_caller]
pub(crate) fn assert_has(page: &str, parts: &[&str]) {
    for part in parts {
        assert!(page.contains(part), "the page lacks {part:?}:\n{page}");
    }
}

/// What a server said.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Answer {
    fn of(text: &str) -> Answer {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        Answer { status, head: head.to_owned(), body: body.to_owned() }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
    }

    #[track_caller]
    pub(crate) fn page(self) -> String {
        assert_eq!(self.status, 200, "{self:#?}");
        self.body
    }
}

/// Two values of λ, two of γ, and three seeds on digits, of which one diverges and one waits.
pub(crate) const PLANE: &str = "version: 1
name: plane
description: A plane of <λ> & γ
metric: latent_accuracy
parameters: {model: acai, dataset: digits32, lambda: [0.5, 1.0], gamma: [0, 0.2], batch: 8, total_kimg: 4}
seeds: 3
";

/// Imports [`PLANE`] with a curve and scores for all runs but the last two: one diverged, one waits.
pub(crate) async fn import_plane(use_cases: &UseCases) {
    let file = SweepFile::parse("plane", PLANE.as_bytes()).unwrap();
    let runs: Vec<_> = file.plan.runs().collect();
    let last = runs.len() - 1;
    let outcome = |(place, run): (usize, acai_sweep::plan::PlannedRun<'_>)| {
        let score = 60.0 + place as f64 * 1.25;
        let curve = [(128, score / 2.0), (256, score - 5.0), (512, score)];
        let is_diverged = place == last - 1;
        ImportedRun {
            config_hash: run.configuration.config_hash(),
            seed: run.seed,
            state: if is_diverged { RunState::Diverged } else { RunState::Completed },
            step: 512,
            failures: 0,
            message: is_diverged.then(|| "loss_ae is NaN at step 400".to_owned()),
            curves: vec![
                ("eval/latent_accuracy".to_owned(), curve.to_vec()),
                ("eval/reconstruction_mse".to_owned(), vec![(512, 0.04 - place as f64 * 1e-4)]),
            ],
            artifacts: Vec::new(),
        }
    };
    let outcomes = runs.into_iter().enumerate().filter(|(place, _)| *place != last).map(outcome).collect();
    use_cases.import(PLANE.to_owned(), outcomes).await.unwrap();
}
