//! Who may call what: every request is looked at before a service is.
//!
//! [`scopes`] is the table of what each method needs, [`Guard`] decides by the request's token, by what [`stored`] knows of
//! tokens; [`guarded`] stands before a service, [`failures`] slows down who guesses. Browsers are let in by [`invitations`],
//! and have tokens that only read.

mod admitted;
mod failures;
mod guarded;
mod invitations;
mod open_requests;
mod refusal;
mod scopes;
mod stored;

use std::net::IpAddr;
use std::sync::Arc;

use acai_access::{Scope, Token, TokenDigest};
use tonic::{Code, Status};

use crate::store::{Allowance, Store};
use failures::Failures;
use invitations::Invitations;
use stored::Stored;

pub(crate) use admitted::{Admitted, submitter};
pub(crate) use guarded::Guarded;
use refusal::Refusal;

/// Decides by its token whether a request is served. Clones share what they know.
#[derive(Clone)]
pub struct Guard {
    rule: Arc<Rule>,
    invitations: Arc<Invitations>,
}

/// Whoever may call this may see the pages, which show the same.
const READING: &str = "/acai.v1.SweepService/ListSweeps";

enum Rule {
    /// Everybody may do everything.
    Open,
    /// The bearer of one token may do everything, that of the other may read.
    One { everything: TokenDigest, reading: Token },
    /// The tokens in a store decide.
    Stored(Stored, Failures),
}

impl Guard {
    /// Everybody may do everything.
    #[must_use]
    pub fn open() -> Guard {
        Guard::by(Rule::Open)
    }

    /// The bearer of this token may do everything, and nobody else anything but who is invited to read.
    #[must_use]
    pub fn one(token: &Token) -> Guard {
        Guard::by(Rule::One { everything: token.digest(), reading: Token::new(Scope::Read) })
    }

    /// The tokens in the store decide.
    #[must_use]
    pub fn stored(store: Arc<dyn Store>) -> Guard {
        Guard::limited(store, Allowance::default())
    }

    /// The tokens in the store decide, and the bearers of one that submits may have only so much.
    #[must_use]
    pub fn limited(store: Arc<dyn Store>, allowance: Allowance) -> Guard {
        Guard::by(Rule::Stored(Stored::new(store, allowance), Failures::default()))
    }

    fn by(rule: Rule) -> Guard {
        Guard { rule: Arc::new(rule), invitations: Arc::default() }
    }

    /// Whether everybody may do everything.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(*self.rule, Rule::Open)
    }

    /// A code that lets a browser in, once and within an hour.
    #[must_use]
    pub fn invite(&self) -> String {
        self.invitations.make()
    }

    /// Whether this code lets a browser in; from now on it does not.
    #[must_use]
    pub fn take_invitation(&self, code: &str) -> bool {
        self.invitations.take(code)
    }

    /// The token that browsers share which were let in; none where each has one of its own in the store.
    #[must_use]
    pub fn shared_token(&self) -> Option<&Token> {
        match &*self.rule {
            Rule::One { reading, .. } => Some(reading),
            Rule::Open | Rule::Stored(..) => None,
        }
    }

    /// Whether the bearer of this token may see what there is.
    ///
    /// # Errors
    /// As a call that lists sweeps.
    pub async fn admit_reader(&self, token: Option<&str>, from: Option<IpAddr>) -> Result<(), Status> {
        let header = token.map(|token| format!("Bearer {token}"));
        let admitted = self.admit(READING, header.as_deref().map(str::as_bytes), from).await;
        admitted.map(drop).map_err(|refusal| refusal.status)
    }

    /// Whether the method at `path` may be called with this `authorization` header, and by whom.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` without a valid token, `PERMISSION_DENIED` where it allows less, `UNIMPLEMENTED` where there is no such
    /// method, `UNAVAILABLE` where the store cannot say what the token is for, `RESOURCE_EXHAUSTED` where it has too many requests open.
    pub(crate) async fn admit(
        &self,
        path: &str,
        header: Option<&[u8]>,
        from: Option<IpAddr>,
    ) -> Result<Admitted, Refusal> {
        match &*self.rule {
            Rule::Open => Ok(Admitted::default()),
            Rule::One { everything, reading } => {
                let token = token(header)?;
                let may_read = || scopes::needed(path).is_some_and(|needed| needed.contains(&Scope::Read));
                match token.digest() {
                    digest if digest == *everything => Ok(Admitted::default()),
                    digest if digest != reading.digest() => Err(Refusal::unknown(&token)),
                    _ if may_read() => Ok(Admitted::default()),
                    _ => Err(Refusal::scope("a browser's token only reads".to_owned())),
                }
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
        if let Rule::Stored(stored, _) = &*self.rule {
            stored.forget(id);
        }
    }
}

fn token(header: Option<&[u8]>) -> Result<Token, Refusal> {
    let header = header.ok_or_else(Refusal::missing)?;
    let text = std::str::from_utf8(header).ok().and_then(|header| header.strip_prefix("Bearer "));
    text.and_then(|text| text.parse().ok()).ok_or_else(Refusal::damaged)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_is_invited_by_the_bearer_of_the_one_token_may_read_and_nothing_else() {
        let (own, stranger) = (Token::new(Scope::Admin), Token::new(Scope::Admin));
        let guard = Guard::one(&own);
        let browsers = guard.shared_token().unwrap().reveal();
        assert!(guard.admit_reader(Some(&browsers), None).await.is_ok());
        assert!(guard.admit_reader(Some(&own.reveal()), None).await.is_ok());
        for refused in [None, Some(stranger.reveal()), Some("no token".to_owned())] {
            let refusal = guard.admit_reader(refused.as_deref(), None).await.unwrap_err();
            assert_eq!(refusal.code(), Code::Unauthenticated, "{refusal}");
        }
        let header = format!("Bearer {browsers}");
        let cancel = guard.admit("/acai.v1.ControlService/CancelRuns", Some(header.as_bytes()), None).await;
        assert_eq!(cancel.unwrap_err().status.code(), Code::PermissionDenied);
    }
}
