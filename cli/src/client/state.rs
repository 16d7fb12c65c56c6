//! A state folder, read without a coordinator or through the one that serves it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use acai_access::{AccessFile, Scope, Token};
use acai_coordinator::server::serve_reading;
use acai_coordinator::store::sqlite::SqliteStore;
use acai_coordinator::{Door, Guard, LeaseTerms};
use acai_dashboard::Hosts;
use anyhow::Context;
use tokio::net::TcpListener;

use crate::{access, blobs_place};

/// Where `acai run` keeps all its files unless it is told otherwise.
pub(crate) const DEFAULT: &str = ".acai";

/// The database in a state folder.
pub(crate) fn database(state: &Path) -> PathBuf {
    state.join("acai.db")
}

/// How to reach the coordinator that serves the database; none where nobody does.
pub(super) fn served(database: &Path) -> anyhow::Result<Option<AccessFile>> {
    // What is said beside a database that nobody serves is what a killed coordinator left.
    if SqliteStore::is_served(database)? { Ok(access::serving(database)?) } else { Ok(None) }
}

/// Serves the database to this process alone, to be read; answers how it is reached. It ends with the process.
pub(super) async fn serve(database: &Path) -> anyhow::Result<AccessFile> {
    let store = Arc::new(SqliteStore::open_to_read(database).await?);
    let blobs = blobs_place::open_to_read(&*store, database).await?;
    let (listener, access, door) = on_loopback().await?;
    tokio::spawn(serve_reading(listener, store, blobs, LeaseTerms::default(), door));
    Ok(access)
}

/// A port of this machine for whoever has a token that is made here. What passes over the loopback interface is heard by
/// nobody else, so it is not encrypted.
pub(crate) async fn on_loopback() -> anyhow::Result<(TcpListener, AccessFile, Door)> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("cannot listen on 127.0.0.1")?;
    let url = format!("http://{}", listener.local_addr().context("cannot tell the address")?);
    let token = Token::new(Scope::Admin);
    let mut door = Door::new(Guard::one(&token), None);
    door.pages = Some(acai_dashboard::pages(Hosts::default()));
    Ok((listener, AccessFile { url, ca: Vec::new(), token: Some(token) }, door))
}
