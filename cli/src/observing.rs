//! Metrics and health of a service, at an address of their own.

use std::net::SocketAddr;

use acai_telemetry::Observed;
use anyhow::anyhow;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;

/// A registry that has this program's version.
pub(crate) fn registry() -> Registry {
    acai_telemetry::registry(env!("CARGO_PKG_VERSION"))
}

/// Tells of a program at this address from now on, as long as the process lives.
pub(crate) async fn tell(at: SocketAddr, registry: Registry, observed: impl Observed) -> anyhow::Result<()> {
    let listener = TcpListener::bind(at).await.map_err(|error| {
        anyhow!("cannot listen on {at}: {error}\nhint: choose another --metrics HOST:PORT")
    })?;
    tracing::info!("metrics are at http://{}/metrics", listener.local_addr()?);
    tokio::spawn(async move {
        if let Err(error) = acai_telemetry::serve(listener, registry, observed).await {
            tracing::error!("metrics are told no more: {error}");
        }
    });
    Ok(())
}
