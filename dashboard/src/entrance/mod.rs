//! Who comes in, and by which name: everything a browser sends is looked at here before a page is made.

mod cookie;
mod hosts;
mod login;

use std::net::IpAddr;
use std::sync::LazyLock;
use std::time::Duration;

use acai_coordinator::Guard;
use acai_coordinator::use_cases::UseCases;
use axum::extract::{Request, State};
use axum::http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tonic::Code;
use tonic::transport::server::TcpConnectInfo;

use crate::asked::Asked;
use crate::assets::page_style_source;
use crate::problem::Problem;

pub use hosts::Hosts;
pub(crate) use login::{PATH as LOGIN, get as ask_to_log_in, post as log_in};

/// The name in a URL's question by which an invitation is given.
pub(crate) const INVITATION: &str = "login";
/// A page is made in this time, or not at all.
const PATIENCE: Duration = Duration::from_secs(10);

/// Everything comes from the coordinator itself, in pages there is nothing but their style, and nobody may put a page into one
/// of his own.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let policy = format!(
        "default-src 'self'; style-src 'self' {}; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'",
        page_style_source()
    );
    HeaderValue::from_str(&policy).expect("base64 is ASCII")
});

/// What decides.
#[derive(Clone)]
pub(crate) struct Entrance {
    pub(crate) guard: Guard,
    pub(crate) hosts: Hosts,
    /// Makes a token for each browser that is invited; without it they share the guard's.
    pub(crate) tokens: Option<UseCases>,
}

/// Lets a request through to the pages, or answers why not.
pub(crate) async fn enter(State(entrance): State<Entrance>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    match entrance.check(&parts).await {
        Ok(()) => {
            let answer = tokio::time::timeout(PATIENCE, next.run(Request::from_parts(parts, body))).await;
            answer.unwrap_or_else(|_| Problem::late().into_response())
        }
        Err(refusal) => *refusal,
    }
}

/// Adds what every answer says to browsers.
pub(crate) async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, POLICY.clone());
    let always = [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    for (name, value) in always {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("private, no-cache"));
    response
}

impl Entrance {
    async fn check(&self, request: &Parts) -> Result<(), Box<Response>> {
        let refused = |problem: Problem| Err(Box::new(problem.into_response()));
        let (path, headers, guard) = (request.uri.path(), &request.headers, &self.guard);
        if !matches!(request.method, Method::GET | Method::HEAD) && path != LOGIN {
            return refused(Problem::new(StatusCode::METHOD_NOT_ALLOWED, "pages are only read"));
        }
        // No web page can have a browser send a token of its choice, so only others need to be asked for the name.
        if let Some(token) = bearer(headers) {
            return match guard.admit_reader(Some(token), address(request)).await {
                Ok(()) => Ok(()),
                Err(refusal) => refused(status(&refusal)),
            };
        }
        let host = self.hosts.named(request).map_err(|problem| Box::new(problem.into_response()))?;
        if guard.is_open() || is_public(path) {
            return Ok(());
        }
        let asked = Asked::of(&request.uri);
        if let Some(code) = asked.question.get(INVITATION) {
            return Err(Box::new(login::by_invitation(self, request, &host, &asked, code).await));
        }
        let token = cookie::read(headers, &host);
        match guard.admit_reader(token, address(request)).await {
            Ok(()) => Ok(()),
            Err(refusal) if refusal.code() == Code::Unauthenticated => {
                Err(Box::new(login::page(&asked, token.map(|_| refusal.message()))))
            }
            Err(refusal) => refused(status(&refusal)),
        }
    }
}

/// What has no secrets, and the page that asks for a token needs.
fn is_public(path: &str) -> bool {
    path == LOGIN || path == "/favicon.svg" || path.starts_with("/assets/")
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}

/// The other side's address.
fn address(request: &Parts) -> Option<IpAddr> {
    request.extensions.get::<TcpConnectInfo>()?.remote_addr().map(|address| address.ip())
}

fn status(refusal: &tonic::Status) -> Problem {
    let status = match refusal.code() {
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::PermissionDenied => StatusCode::FORBIDDEN,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    Problem::new(status, refusal.message())
}
