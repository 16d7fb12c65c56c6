//! What is known of a request that is served.

use acai_access::Scope;
use tonic::Request;

use super::open_requests::Place;
use crate::store::{Allowance, Submitter, TokenRecord};

/// A request that is served.
#[derive(Debug, Default)]
pub(crate) struct Admitted {
    /// Counts the request in where a token may have only so many open.
    pub(crate) place: Option<Place>,
    /// Whose what is submitted becomes; nobody's where nobody needs a token.
    pub(crate) submitter: Option<Submitter>,
}

impl Admitted {
    /// By the bearer of this token. Administrators have as much as they like: they say how much others have.
    pub(super) fn by(token: TokenRecord, place: Option<Place>, allowance: Allowance) -> Admitted {
        let TokenRecord { id, name, scope, .. } = token;
        let allowance = match scope {
            Scope::Submit => Some(allowance),
            Scope::Admin => Some(Allowance::UNLIMITED),
            Scope::Read | Scope::Worker => None,
        };
        let submitter = allowance.map(|allowance| Submitter { token: id, name, allowance });
        Admitted { place, submitter }
    }
}

/// Whose becomes what this request submits.
pub(crate) fn submitter<T>(request: &Request<T>) -> Option<Submitter> {
    request.extensions().get().cloned()
}
