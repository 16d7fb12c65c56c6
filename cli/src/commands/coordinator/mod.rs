//! `acai coordinator`

mod allowance;
mod another;
mod door;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use acai_coordinator::metrics::Observation;
use acai_coordinator::store::sqlite::SqliteStore;
use acai_coordinator::{LeaseTerms, Metrics, serve_measured, store};
use anyhow::{Context, anyhow, bail};
use tokio::net::TcpListener;

use crate::args::{Authentication, CoordinatorArguments};
use crate::blobs_place;
use crate::failure::Failure;
use crate::log;
use crate::observing;
use crate::output::Output;
use crate::signals::Shutdown;

pub(super) async fn coordinator(arguments: &CoordinatorArguments, output: Output) -> Result<(), Failure> {
    Ok(run(arguments, output).await?)
}

async fn run(arguments: &CoordinatorArguments, output: Output) -> anyhow::Result<()> {
    let is_open = arguments.auth == Authentication::None;
    if is_open && !arguments.listen.ip().is_loopback() && !arguments.insecure {
        bail!(
            "--auth none on {} would let everybody on the network submit sweeps and read results\nhint: leave it out, and clients need an access file; or add --insecure if the network is trusted",
            arguments.listen
        );
    }
    if is_open && allowance::is_asked_for(arguments) {
        bail!(
            "--auth none knows nobody, so nobody's sweeps, runs and bytes are limited\nhint: leave out --token-sweeps, --token-runs and --token-gigabytes, or --auth none"
        );
    }
    let listener = TcpListener::bind(arguments.listen).await.map_err(|error| {
        anyhow!("cannot listen on {}: {error}\nhint: choose another --listen HOST:PORT", arguments.listen)
    })?;
    let store = store::open(&arguments.db).await?;
    if arguments.db.is_postgres() && arguments.blobs.is_none() && store.blobs_place().await?.is_none() {
        bail!(
            "--blobs does not say where checkpoints are kept\nhint: one place for all coordinators of this Postgres: --blobs DIR or --blobs s3://BUCKET/PREFIX"
        );
    }
    let file = SqliteStore::path_of_url(&arguments.db).ok();
    // Of a try-out nothing is left: the folder goes with this process.
    let passing = if arguments.db.is_memory() { Some(tempfile::tempdir()?) } else { None };
    let beside = match &passing {
        Some(folder) => folder.path().join("blobs"),
        None => blobs_beside(file.as_deref()),
    };
    let asked = (arguments.blobs.as_deref(), beside.as_path());
    let (blobs, place) =
        blobs_place::open(&*store, file.as_deref(), asked, arguments.take_blobs, output).await?;
    log::to_stderr(arguments.observing.log_format);
    let shutdown = Shutdown::on_signal(|| tracing::info!("stopping"))?;
    let address = listener.local_addr().context("cannot tell the address")?;
    let lease_ms = u32::try_from(arguments.lease.as_millis()).unwrap_or(u32::MAX);
    let terms = LeaseTerms { lease_ms, renew_ms: lease_ms / 3 };
    let opened = door::open(arguments, &store, terms, file.as_deref(), address).await?;
    output.note(&format!(
        "coordinator: {}, checkpoints in {place}, on {}, Ctrl-C stops it",
        arguments.db, opened.url
    ));
    if arguments.db.is_memory() {
        output.note("nothing is left of it when it stops: what it stores is in its memory alone");
    }
    opened.lines.iter().for_each(|line| output.note(line));
    let metrics = Metrics::default();
    if let Some(at) = arguments.observing.metrics {
        let mut registry = observing::registry();
        metrics.register(&mut registry);
        let observation = Observation::new(metrics.clone(), Arc::clone(&store), terms);
        observing::tell(at, registry, observation).await?;
    }
    Ok(serve_measured(listener, store, blobs, terms, opened.door, metrics, shutdown.wait()).await?)
}

/// Where checkpoints go beside a database that is a file; for others, where those to a bucket come together.
fn blobs_beside(file: Option<&Path>) -> PathBuf {
    file.map_or_else(|| PathBuf::from("acai-blobs"), |file| file.with_added_extension("blobs"))
}
