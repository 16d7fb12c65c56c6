//! What a program tells of itself, over plain HTTP on an address of its own: `/metrics` in the text format of Prometheus,
//! `/livez` and `/readyz` for whoever places and restarts it.
//!
//! Nobody is asked for a token there, and nothing there is a secret: numbers, the names of calls, a version. Still the
//! address belongs on the loopback interface or on a network of administrators.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus_client::encoding::prometheus_text;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio::time::timeout;

/// How long a program may take to look at itself before it is told of without that.
const PATIENCE: Duration = Duration::from_secs(5);

/// A program that tells of itself.
pub trait Observed: Send + Sync + 'static {
    /// Brings up to date what is not counted as it happens. Whatever cannot be looked up is left out until it can be.
    fn refresh(&self) -> impl Future<Output = ()> + Send;

    /// Whether the program does its work now.
    ///
    /// # Errors
    /// Why it does not, for people.
    fn ready(&self) -> Result<(), String>;
}

/// A registry that has `acai_build_info`, with this version.
#[must_use]
pub fn registry(version: &'static str) -> Registry {
    let mut registry = Registry::default();
    registry.register("acai_build", "The version of the program", Info::new([("version", version)]));
    registry
}

/// All that is registered, as Prometheus reads it.
#[must_use]
pub fn text(registry: &Registry) -> String {
    let mut text = String::new();
    // Writing into a string does not fail.
    let _ = prometheus_text::encode(&mut text, registry);
    text
}

struct Program<T> {
    registry: Registry,
    observed: T,
}

/// Answers on `listener` until it is dropped.
///
/// # Errors
/// The listener's.
pub async fn serve(listener: TcpListener, registry: Registry, observed: impl Observed) -> io::Result<()> {
    let pages = Router::new()
        .route("/metrics", get(metrics))
        .route("/livez", get(|| async { "lives\n" }))
        .route("/readyz", get(ready))
        .with_state(Arc::new(Program { registry, observed }));
    axum::serve(listener, pages).await
}

async fn metrics<T: Observed>(State(program): State<Arc<Program<T>>>) -> Response {
    if timeout(PATIENCE, program.observed.refresh()).await.is_err() {
        tracing::debug!("metrics are told without what could not be looked up in {PATIENCE:?}");
    }
    ([(CONTENT_TYPE, prometheus_text::CONTENT_TYPE)], text(&program.registry)).into_response()
}

async fn ready<T: Observed>(State(program): State<Arc<Program<T>>>) -> Response {
    match program.observed.ready() {
        Ok(()) => "ready\n".into_response(),
        Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")).into_response(),
    }
}
