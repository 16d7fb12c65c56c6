//! `grpc.health.v1`, for probes that speak gRPC; nobody needs a token for it.

use std::convert::Infallible;
use std::future::pending;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;
use tonic_health::ServingStatus;
use tonic_health::pb::health_server;
use tonic_health::server::{HealthReporter, HealthService};

use super::Metrics;
use crate::lease::LeaseTerms;

/// How often it is looked at least whether the coordinator does its work.
const EVERY: Duration = Duration::from_secs(1);
/// The name of the whole server.
const ALL: &str = "";

pub(crate) type Health = health_server::HealthServer<HealthService>;

/// Who says how the coordinator is, and the service that answers it.
pub(crate) fn health() -> (HealthReporter, Health) {
    let reporter = HealthReporter::new();
    let service = HealthService::from_health_reporter(reporter.clone());
    (reporter, health_server::HealthServer::new(service))
}

/// Says whether the store takes writes until `stop` becomes true; then, that the coordinator ends, to those who watch for the
/// last time. Until dropped.
pub(crate) async fn tell_health(
    reporter: HealthReporter,
    metrics: Metrics,
    terms: LeaseTerms,
    mut stop: watch::Receiver<bool>,
) -> Infallible {
    let mut writes = metrics.last_write.subscribe();
    while !*stop.borrow() {
        let status = match metrics.writes(terms.readiness()) {
            Ok(()) => ServingStatus::Serving,
            Err(_) => ServingStatus::NotServing,
        };
        reporter.set_service_status(ALL, status).await;
        tokio::select! {
            _ = stop.changed() => {}
            _ = writes.changed() => {}
            () = sleep(EVERY) => {}
        }
    }
    reporter.set_service_status(ALL, ServingStatus::NotServing).await;
    reporter.clone().clear_service_status(ALL).await;
    pending().await
}
