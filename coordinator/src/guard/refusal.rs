//! Why a request is not served.

use acai_access::Token;
use tonic::Status;

/// What to do about a token that is no longer valid.
const NEW: &str = "`acai access create` makes a new one, with an admin's access file";

/// Why a request is not served.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// In a word, where the token is to blame.
    pub(crate) reason: Option<&'static str>,
    /// What the client is told.
    pub(crate) status: Status,
}

impl From<Status> for Refusal {
    /// The token is not to blame.
    fn from(status: Status) -> Refusal {
        Refusal { reason: None, status }
    }
}

impl Refusal {
    fn unauthenticated(reason: &'static str, message: impl Into<String>) -> Refusal {
        Refusal { reason: Some(reason), status: Status::unauthenticated(message) }
    }

    pub(super) fn missing() -> Refusal {
        Refusal::unauthenticated(
            "missing",
            "this coordinator asks for a token\nhint: name an access file that has one: --access FILE; who runs the coordinator makes it with `acai access create`",
        )
    }

    pub(super) fn damaged() -> Refusal {
        Refusal::unauthenticated("damaged", "the token is damaged\nhint: copy the access file as a whole")
    }

    pub(super) fn unknown(token: &Token) -> Refusal {
        let id = token.id();
        Refusal::unauthenticated(
            "unknown",
            format!(
                "this coordinator does not know the token {id}\nhint: the access file is another coordinator's, or the database was restored from a backup that is older than the token"
            ),
        )
    }

    pub(super) fn revoked(id: &str, name: &str) -> Refusal {
        Refusal::unauthenticated("revoked", format!("the token {id} ({name}) was revoked\nhint: {NEW}"))
    }

    pub(super) fn expired(id: &str, name: &str) -> Refusal {
        Refusal::unauthenticated("expired", format!("the token {id} ({name}) has expired\nhint: {NEW}"))
    }

    /// The token is valid, and not for this.
    pub(super) fn scope(message: String) -> Refusal {
        Refusal { reason: Some("scope"), status: Status::permission_denied(message) }
    }
}
