//! A cluster of one machine: coordinator and worker in this process.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use acai_access::AccessFile;
use acai_coordinator::clock::Clock;
use acai_coordinator::server::ServeError;
use acai_coordinator::store::Store as _;
use acai_coordinator::store::sqlite::SqliteStore;
use acai_coordinator::{LeaseTerms, serve};
use acai_datasets::DataError;
use acai_proto::v1::control_service_client::ControlServiceClient;
use acai_sweep::plan::Plan;
use acai_sweep::training::Dataset;
use acai_worker::{Summary, WorkerError};
use anyhow::{Context, anyhow, bail};
use tokio::task::{JoinError, JoinHandle};
use tokio::time::timeout;

use crate::access::{self, Published};
use crate::args::TrainingArguments;
use crate::blobs_place;
use crate::client::{Client, Control, client, connection, state};
use crate::commands::worker;
use crate::output::Output;
use crate::signals::Shutdown;

/// Says what is missing before anything is made: the trainer, or files of a dataset.
pub(super) fn can_train(plan: &Plan, training: &TrainingArguments) -> anyhow::Result<()> {
    acai_worker::locate(training.trainer.as_deref())?;
    let datasets: BTreeSet<Dataset> =
        plan.configurations().iter().map(|configuration| configuration.training_config().dataset).collect();
    for dataset in datasets {
        let missing = acai_datasets::missing_files(&dataset, Some(&training.data));
        match (&dataset, missing.first()) {
            (Dataset::Images(_), Some(_)) => {
                bail!(DataError::no_own_pictures(&dataset, Some(&training.data)))
            }
            // The error says what is missing, or wrong at which place.
            (Dataset::Curve(_) | Dataset::Text(_), _) => {
                acai_datasets::open_strings(&dataset, Some(&training.data))?;
            }
            _ => {}
        }
        if let [first, others @ ..] = missing.as_slice() {
            let others =
                if others.is_empty() { String::new() } else { format!(" and {} more files", others.len()) };
            bail!(
                "the dataset `{}` is not in the data folder; missing or empty: `{}`{others}\nhint: `acai data fetch {}` gets its files, or says from where; or name another folder with --data",
                dataset.name(),
                first.display(),
                dataset.name(),
            );
        }
    }
    Ok(())
}

/// How long the end of a coordinator is waited for that may have ended.
const MOMENT: Duration = Duration::from_millis(500);

type Coordinator = JoinHandle<Result<(), ServeError>>;

pub(super) struct Machine {
    pub(super) client: Client,
    /// Lets a browser on this machine in.
    pub(super) dashboard: String,
    access: AccessFile,
    _published: Option<Published>,
    coordinator: Coordinator,
    stop_coordinator: Shutdown,
    worker: Option<JoinHandle<Result<Summary, WorkerError>>>,
    stop_worker: Shutdown,
}

impl Machine {
    /// A coordinator on the database in the state folder `folder`, on a free port.
    pub(super) async fn start(folder: &Path, output: Output) -> anyhow::Result<Self> {
        let database = state::database(folder);
        let store = SqliteStore::open(&database, Clock::start()).await?;
        let default = folder.join("blobs");
        // What is beside the database is nobody else's, however it came there.
        let beside = store.blobs_place().await?.is_none_or(|place| Path::new(&place).is_relative());
        let (blobs, _) = blobs_place::open(&store, Some(&database), (None, &default), beside, output).await?;
        let (listener, access, door) = state::on_loopback().await?;
        let published = access::publish(&access, &database);
        let dashboard = format!("{}{}", access.url, acai_dashboard::invitation(&door.guard.invite()));
        let stop_coordinator = Shutdown::new();
        let stop = stop_coordinator.wait();
        let mut coordinator =
            tokio::spawn(serve(listener, Arc::new(store), blobs, LeaseTerms::default(), door, stop));
        let client = match connection(&access).await {
            Ok(connection) => client(connection),
            Err(error) => return Err(cause(&mut coordinator, error).await),
        };
        Ok(Machine {
            client,
            dashboard,
            access,
            _published: published,
            coordinator,
            stop_coordinator,
            worker: None,
            stop_worker: Shutdown::new(),
        })
    }

    /// Why something failed: `error`, unless the coordinator has ended by itself and is to blame.
    pub(super) async fn cause(&mut self, error: anyhow::Error) -> anyhow::Error {
        cause(&mut self.coordinator, error).await
    }

    /// Whether the coordinator goes on.
    pub(super) fn has_coordinator(&self) -> bool {
        !self.coordinator.is_finished()
    }

    /// To change what is queued.
    pub(super) async fn control(&self) -> anyhow::Result<Control> {
        Ok(ControlServiceClient::new(connection(&self.access).await?))
    }

    pub(super) fn start_worker(&mut self, state: &Path, training: &TrainingArguments) {
        let mut config = worker::config(self.access.clone(), state.to_owned(), training.clone());
        // Its only coordinator is the one on the database beside it, which is copied with it.
        config.adopt = true;
        self.worker = Some(tokio::spawn(acai_worker::run(config, self.stop_worker.wait())));
    }

    /// Resolves if the worker ends before it was told to, which it does only with an error.
    pub(super) async fn worker_ended(&mut self) -> anyhow::Result<()> {
        match self.worker.as_mut() {
            None => std::future::pending().await,
            Some(worker) => {
                let ended = worker.await;
                self.worker = None;
                explain(ended)?;
                Err(anyhow!("the worker ended before the sweep did; see the log"))
            }
        }
    }

    /// Lets trainers write checkpoints, gives their runs back, and waits for that.
    pub(super) async fn stop_worker(&mut self) -> anyhow::Result<()> {
        self.stop_worker.request();
        match self.worker.take() {
            None => Ok(()),
            Some(worker) => explain(worker.await),
        }
    }

    /// Ends what is left.
    pub(super) async fn stop(mut self) {
        if let Err(error) = self.stop_worker().await {
            tracing::error!(%error, "the worker ended");
        }
        drop(self.client);
        self.stop_coordinator.request();
        // One that has been waited for, and was to blame, has been spoken of.
        if !self.coordinator.is_finished()
            && let Err(error) = ended(self.coordinator.await)
        {
            tracing::error!("the coordinator ended: {error:#}");
        }
    }
}

/// `error`, or why the coordinator ended by itself. A caller may learn of its end a moment before it has ended.
async fn cause(coordinator: &mut Coordinator, error: anyhow::Error) -> anyhow::Error {
    match timeout(MOMENT, coordinator).await {
        Ok(end) => match ended(end) {
            Ok(()) => error,
            Err(cause) => cause.context("the coordinator that this command started has ended"),
        },
        Err(_) => error,
    }
}

fn ended(end: Result<Result<(), ServeError>, JoinError>) -> anyhow::Result<()> {
    Ok(end.context("it broke down")??)
}

fn explain(ended: Result<Result<Summary, WorkerError>, tokio::task::JoinError>) -> anyhow::Result<()> {
    let summary = ended.context("the worker broke down")?.context("the worker ended")?;
    tracing::info!(%summary, "the worker ended");
    Ok(())
}
