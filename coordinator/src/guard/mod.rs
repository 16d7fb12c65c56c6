//! Who may call what: every request is looked at before a service is.
//!
//! [`scopes`] is the table of what each method needs, [`Guard`] decides by the request's token, by what [`stored`] knows of
//! tokens; [`guarded`] stands before a service, [`failures`] slows down who guesses.

mod failures;
mod guarded;
mod refusal;
mod scopes;
mod stored;

use std::net::IpAddr;
use std::sync::Arc;

use acai_access::{Token, TokenDigest};
use tonic::Code;

use crate::store::Store;
use failures::Failures;
use stored::Stored;

pub(crate) use guarded::Guarded;
use refusal::Refusal;

/// Decides by its token whether a request is served. Clones share what they know.
#[derive(Clone)]
pub struct Guard(Arc<Rule>);

enum Rule {
    /// Everybody may do everything.
    Open,
    /// The bearer of one token may do everything.
    One(TokenDigest),
    /// The tokens in a store decide.
    Stored(Stored, Failures),
}

impl Guard {
    /// Everybody may do everything.
    #[must_use]
    pub fn open() -> Guard {
        Guard(Arc::new(Rule::Open))
    }

    /// The bearer of this token may do everything, and nobody else anything.
    #[must_use]
    pub fn one(token: &Token) -> Guard {
        Guard(Arc::new(Rule::One(token.digest())))
    }

    /// The tokens in the store decide.
    #[must_use]
    pub fn stored(store: Arc<dyn Store>) -> Guard {
        Guard(Arc::new(Rule::Stored(Stored::new(store), Failures::default())))
    }

    /// Whether the method at `path` may be called with this `authorization` header.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` without a valid token, `PERMISSION_DENIED` where it allows less, `UNIMPLEMENTED` where there is no such
    /// method, `UNAVAILABLE` where the store cannot say what the token is for.
    pub(crate) async fn admit(
        &self,
        path: &str,
        header: Option<&[u8]>,
        from: Option<IpAddr>,
    ) -> Result<(), Refusal> {
        match &*self.0 {
            Rule::Open => Ok(()),
            Rule::One(digest) => {
                let token = token(header)?;
                if token.digest() == *digest { Ok(()) } else { Err(Refusal::unknown(&token)) }
            }
            Rule::Stored(stored, failures) => {
                let admitted = stored.admit(path, header).await;
                if let Err(refusal) = &admitted
                    && refusal.status.code() == Code::Unauthenticated
                {
                    failures.note(from, refusal.status.message()).await;
                }
                admitted
            }
        }
    }

    /// Forgets what is known of a token that was revoked here.
    pub(crate) fn forget(&self, id: &str) {
        if let Rule::Stored(stored, _) = &*self.0 {
            stored.forget(id);
        }
    }
}

fn token(header: Option<&[u8]>) -> Result<Token, Refusal> {
    let header = header.ok_or_else(Refusal::missing)?;
    let text = std::str::from_utf8(header).ok().and_then(|header| header.strip_prefix("Bearer "));
    text.and_then(|text| text.parse().ok()).ok_or_else(Refusal::damaged)
}
