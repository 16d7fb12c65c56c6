//! What is shown instead of a page.

use acai_coordinator::blobs::BlobError;
use acai_coordinator::store::StoreError;
use acai_coordinator::use_cases::UseCaseError;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use maud::html;

use crate::asked::Asked;
use crate::frame::{Frame, document};

/// Why there is no page.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    status: StatusCode,
    /// What is wrong, and in further lines what to do about it.
    message: String,
}

/// Result of what makes a page.
pub(crate) type Result<T> = std::result::Result<T, Problem>;

impl Problem {
    pub(crate) fn not_found(message: impl Into<String>) -> Problem {
        Problem { status: StatusCode::NOT_FOUND, message: message.into() }
    }

    /// A part of the question makes no sense.
    pub(crate) fn question(part: &str, problem: impl std::fmt::Display) -> Problem {
        Problem { status: StatusCode::BAD_REQUEST, message: format!("`{part}` {problem}") }
    }

    pub(crate) fn late() -> Problem {
        let message = "the database does not answer in time\nhint: reload the page in a moment; the coordinator's log may say more";
        Problem { status: StatusCode::GATEWAY_TIMEOUT, message: message.to_owned() }
    }

    /// A fault of these pages.
    pub(crate) fn broken(cause: &str) -> Problem {
        tracing::error!("a page broke down: {cause}");
        Problem {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            message: format!("a fault of the dashboard: {cause}"),
        }
    }

    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Problem {
        Problem { status, message: message.into() }
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    fn heading(&self) -> &'static str {
        match self.status {
            StatusCode::NOT_FOUND => "Not found",
            StatusCode::BAD_REQUEST => "That makes no sense",
            StatusCode::UNAUTHORIZED => "Sign in",
            _ => "That did not work",
        }
    }
}

impl From<UseCaseError> for Problem {
    fn from(error: UseCaseError) -> Problem {
        let status = match &error {
            UseCaseError::NoSuchSweep { .. }
            | UseCaseError::NoSuchRun { .. }
            | UseCaseError::NoSuchWorker { .. } => StatusCode::NOT_FOUND,
            UseCaseError::Question { .. } => StatusCode::BAD_REQUEST,
            UseCaseError::Blob(BlobError::Missing(_)) => StatusCode::NOT_FOUND,
            UseCaseError::Store(_) => {
                tracing::warn!(%error, "a page cannot be shown");
                StatusCode::SERVICE_UNAVAILABLE
            }
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Problem { status, message: error.to_string() }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Problem {
        UseCaseError::from(error).into()
    }
}

impl IntoResponse for Problem {
    /// Without a body: [`shown`] makes the page, which has to know where it is.
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Shows problems as pages.
pub(crate) async fn shown(request: Request, next: Next) -> Response {
    let asked = Asked::of(request.uri());
    let mut response = next.run(request).await;
    let Some(problem) = response.extensions_mut().remove::<Problem>() else { return response };
    let (what, hints): (Vec<&str>, Vec<&str>) =
        problem.message.lines().partition(|line| !line.trim_start().starts_with("hint:"));
    let body = html! {
        section.problem {
            h1 { (problem.heading()) }
            @match what.as_slice() {
                [line] => p { (line) },
                // A mistake is shown below what it is in.
                lines => pre { (lines.join("\n")) },
            }
            @for hint in hints { p.hint { (hint.trim_start().trim_start_matches("hint: ")) } }
            p { a href="./" { "All sweeps" } }
        }
    };
    (problem.status, document(&Frame::titled(&asked, problem.heading()), &body)).into_response()
}

/// The page for paths that lead nowhere.
pub(crate) async fn nowhere(asked: Asked) -> Problem {
    Problem::not_found(format!(
        "there is no page `{}`\nhint: every page is reached from the list of sweeps",
        asked.path
    ))
}
