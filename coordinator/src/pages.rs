//! Pages for people beside gRPC, on one port.
//!
//! Browsers speak HTTP/1.1 here, and anybody's web page can have a browser send what it likes to this machine. So nothing
//! but what a browser cannot send, HTTP/2 with gRPC's content type, reaches the services.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode, Version};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use tokio::sync::watch;
use tonic::Status;
use tonic::codegen::Service as _;
use tonic::service::Routes;

use crate::guard::Guard;
use crate::use_cases::{Transfers, UseCases};

/// What pages are made of.
#[derive(Clone)]
pub struct Served {
    /// What people can ask.
    pub use_cases: UseCases,
    /// What runs have left.
    pub transfers: Transfers,
    /// Who may see it.
    pub guard: Guard,
    /// Becomes true when the server ends: what is still open then should end too.
    pub stop: watch::Receiver<bool>,
}

/// Makes the pages that a server shows beside gRPC. They decide themselves, by the guard, whom they serve.
pub type Pages = Arc<dyn Fn(Served) -> Router + Send + Sync>;

/// The services, and the pages at all other paths.
pub(crate) fn beside(services: Routes, pages: Option<Router>) -> Routes {
    let services = services.into_axum_router().reset_fallback().route_layer(from_fn(only_grpc));
    let others = move |request: Request| elsewhere(request, pages.clone());
    Routes::from(services.fallback(others))
}

/// Refuses what no client of gRPC sends, and a browser may be made to send by any web page.
async fn only_grpc(request: Request, next: Next) -> Response {
    if request.version() == Version::HTTP_2 && is_grpc(request.headers().get(CONTENT_TYPE)) {
        return next.run(request).await;
    }
    let words = "this path is for gRPC: HTTP/2 and the content type application/grpc\n";
    (StatusCode::UNSUPPORTED_MEDIA_TYPE, words).into_response()
}

/// Any other path: a page, or for a client of gRPC a call that this release does not know.
async fn elsewhere(request: Request, pages: Option<Router>) -> Result<Response, Infallible> {
    match pages {
        Some(mut pages) if !is_grpc(request.headers().get(CONTENT_TYPE)) => pages.call(request).await,
        _ => {
            let unknown =
                Status::unimplemented("this coordinator is of a release that does not know the call");
            Ok(unknown.into_http::<Body>())
        }
    }
}

fn is_grpc(content_type: Option<&HeaderValue>) -> bool {
    let kind = content_type.map(HeaderValue::as_bytes);
    let rest = kind.and_then(|kind| kind.strip_prefix(b"application/grpc"));
    rest.is_some_and(|rest| rest.first().is_none_or(|next| matches!(next, b'+' | b';')))
}
