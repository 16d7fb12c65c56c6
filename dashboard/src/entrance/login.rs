//! How a browser comes to a token: by an invitation, or by somebody who types one in.

use std::time::Duration;

use acai_access::{Scope, Token};
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{HeaderName, LOCATION, ORIGIN, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use maud::html;

use super::{Entrance, address, cookie};
use crate::asked::{Asked, link};
use crate::frame::{Frame, document};
use crate::problem::Problem;

/// Where a token that somebody has typed in is sent.
pub(crate) const PATH: &str = "/login";
/// The longest form that is read: a token has a hundred letters.
const FORM_BYTES: usize = 4096;
/// A browser that was invited stays signed in for this long.
const VALID: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// As people see it in `acai access ls`.
const NAME: &str = "dashboard in a browser";

/// Takes an invitation: the browser gets a token that reads, and is sent to where the invitation leads.
pub(super) async fn by_invitation(
    entrance: &Entrance,
    request: &Parts,
    host: &Authority,
    asked: &Asked,
    code: &str,
) -> Response {
    if !entrance.guard.take_invitation(code) {
        return page(asked, Some("this link was used already, or is more than an hour old"));
    }
    let token = match (entrance.guard.shared_token(), &entrance.tokens) {
        (Some(token), _) => Ok(token.clone()),
        (None, Some(tokens)) => {
            tokens.create_token(NAME, Scope::Read, Some(VALID)).await.map_err(Problem::from)
        }
        (None, None) => Err(Problem::new(StatusCode::NOT_FOUND, "nobody needs to sign in here")),
    };
    match token {
        Ok(token) => {
            let question = asked.question.with(super::INVITATION, "");
            signed_in(
                &token,
                host,
                is_encrypted(request),
                &link(&format!("./{}", last(&asked.path)), &question),
            )
        }
        Err(problem) => problem.into_response(),
    }
}

/// The last part of a path: what leads to it from its own folder.
fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

/// Sends a browser on with a token.
fn signed_in(token: &Token, host: &Authority, is_encrypted: bool, to: &str) -> Response {
    let Some(cookie) = cookie::keep(&token.reveal(), host, is_encrypted, VALID.as_secs()) else {
        return Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "no cookie can be made").into_response();
    };
    let mut response = (StatusCode::SEE_OTHER, [(LOCATION, to.to_owned())]).into_response();
    response.headers_mut().insert(SET_COOKIE, cookie);
    response
}

/// Browsers speak HTTP/2 only over TLS, and say so.
fn is_encrypted(request: &Parts) -> bool {
    request.uri.scheme_str() == Some("https")
}

/// The page that asks for a token.
pub(crate) async fn get(asked: Asked) -> Response {
    page(&asked, None)
}

/// Asks for a token.
pub(super) fn page(asked: &Asked, why: Option<&str>) -> Response {
    let body = html! {
        section.problem {
            h1 { "Sign in" }
            @if let Some(why) = why { p.warning { (why.lines().next().unwrap_or_default()) } }
            p {
                "On your own machine, " code { "acai dashboard" }
                " opens these pages with your access file, and signs you in."
            }
            form.stacked method="post" action=(PATH.trim_start_matches('/')) {
                label { "Or a token of scope " code { "read" } ", from an access file: "
                    input type="password" name="token" autocomplete="off" required; }
                button { "Sign in" }
            }
            p.hint { "Signed in already, and came here by a link? " a href=(link(&asked.path, &asked.question)) { "Go on" } }
        }
    };
    (StatusCode::UNAUTHORIZED, document(&Frame::titled(asked, "Sign in"), &body)).into_response()
}

/// Takes a token that somebody has typed in, on this very page.
pub(crate) async fn post(State(entrance): State<Entrance>, request: Request<Body>) -> Response {
    let (request, body) = request.into_parts();
    let asked = Asked::of(&request.uri);
    let host = match entrance.hosts.named(&request) {
        Ok(host) => host,
        Err(problem) => return problem.into_response(),
    };
    if !is_same_origin(&request.headers, &host) {
        let words = "another site's page cannot sign anybody in here";
        return Problem::new(StatusCode::FORBIDDEN, words).into_response();
    }
    let (from, is_encrypted) = (address(&request), is_encrypted(&request));
    let Ok(form) = to_bytes(body, FORM_BYTES).await else {
        return Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "that is no token").into_response();
    };
    let typed = form_urlencoded::parse(&form).find(|(name, _)| name == "token");
    let typed = typed.map(|(_, value)| value.trim().to_owned()).unwrap_or_default();
    let Ok(token) = typed.parse::<Token>() else {
        return page(&asked, Some("that is no token, which looks like acai_read_…"));
    };
    match entrance.guard.admit_reader(Some(&typed), from).await {
        Ok(()) => signed_in(&token, &host, is_encrypted, "./"),
        Err(refusal) => page(&asked, Some(refusal.message())),
    }
}

/// Whether a form was sent by a page of this very server, as far as the browser says.
fn is_same_origin(headers: &HeaderMap, host: &Authority) -> bool {
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let site = text(HeaderName::from_static("sec-fetch-site"));
    let origin = text(ORIGIN);
    let is_own =
        |origin: &str| origin.split_once("://").is_some_and(|(_, authority)| authority == host.as_str());
    site.is_none_or(|site| site == "same-origin")
        && origin.is_none_or(is_own)
        && (site.is_some() || origin.is_some())
}
