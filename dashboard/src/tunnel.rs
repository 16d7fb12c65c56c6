//! The pages of a coordinator elsewhere, on a port of this machine: a browser need know neither its certificate nor a token.

use std::io;

use acai_access::Connection;
use acai_coordinator::Guard;
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{CONNECTION, COOKIE, HOST, TRANSFER_ENCODING, UPGRADE};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;
use tonic::codegen::Service as _;

use crate::entrance::{Entrance, Hosts};
use crate::problem::Problem;
use crate::routes::guarded;

/// Serves on `listener` the pages of the coordinator at the other end of `connection`, whose token goes with every request, to
/// whom `guard` lets in. For ever.
///
/// # Errors
/// The listener's.
pub async fn serve(listener: TcpListener, guard: Guard, connection: Connection) -> io::Result<()> {
    axum::serve(listener, pages(guard, connection)).await
}

fn pages(guard: Guard, connection: Connection) -> Router {
    let forward = move |request: Request| forward(request, connection.clone());
    guarded(Router::new().fallback(forward), Entrance { guard, hosts: Hosts::default(), tokens: None })
}

async fn forward(mut request: Request, mut connection: Connection) -> Response {
    let headers = request.headers_mut();
    // What is between the browser and this machine, and no business of the coordinator.
    for name in [HOST, COOKIE, CONNECTION, TRANSFER_ENCODING, UPGRADE] {
        headers.remove(name);
    }
    let path = request.uri().path_and_query().cloned();
    *request.uri_mut() = path.map_or_else(Uri::default, Uri::from);
    if let Err(error) = std::future::poll_fn(|context| connection.poll_ready(context)).await {
        return away(&error);
    }
    match connection.call(request.map(tonic::body::Body::new)).await {
        // An answer of gRPC, which knows no such call.
        Ok(response) if response.headers().contains_key("grpc-status") => {
            let words = "the coordinator is of an earlier release, which has no dashboard";
            Problem::new(StatusCode::BAD_GATEWAY, words).into_response()
        }
        Ok(response) => response.map(Body::new),
        Err(error) => away(&error),
    }
}

fn away(error: &dyn std::error::Error) -> Response {
    let cause = acai_access::root_cause(error);
    let words = format!("the coordinator does not answer ({cause})\nhint: reload the page when it is back");
    Problem::new(StatusCode::BAD_GATEWAY, words).into_response()
}
