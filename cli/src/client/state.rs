//! A state folder, read without a coordinator or through the one that serves it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use acai_coordinator::LeaseTerms;
use acai_coordinator::server::serve_reading;
use acai_coordinator::store::sqlite::SqliteStore;
use anyhow::Context;
use tokio::net::TcpListener;

use crate::{address, blobs_place};

/// Where `acai run` keeps all its files unless it is told otherwise.
pub(crate) const DEFAULT: &str = ".acai";

/// The database in a state folder.
pub(crate) fn database(state: &Path) -> PathBuf {
    state.join("acai.db")
}

/// The URL at which a coordinator serves the database; none where nobody does.
pub(super) fn served_at(database: &Path) -> anyhow::Result<Option<String>> {
    // What is said beside a database that nobody serves is what a killed coordinator left.
    Ok(if SqliteStore::is_served(database)? { address::read(database) } else { None })
}

/// Serves the database to this process alone, to be read; answers at which URL. It ends with the process.
pub(super) async fn serve(database: &Path) -> anyhow::Result<String> {
    let store = Arc::new(SqliteStore::open_to_read(database).await?);
    let blobs = blobs_place::open_to_read(&*store, database).await?;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("cannot listen on 127.0.0.1")?;
    let url = format!("http://{}", listener.local_addr().context("cannot tell the address")?);
    tokio::spawn(serve_reading(listener, store, blobs, LeaseTerms::default()));
    Ok(url)
}
