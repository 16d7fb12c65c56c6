//! Who may call what: every request is looked at before a service is.
//!
//! [`scopes`] is the table of what each method needs, [`Guard`] decides by the request's token, [`guarded`] stands before a
//! service, [`failures`] slows down who guesses.

mod failures;
mod guarded;
mod scopes;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use acai_access::{Token, TokenDigest};
use tonic::Status;

use crate::store::{Store, TokenRecord};
use failures::Failures;

pub(crate) use guarded::Guarded;

/// What is known of a token is looked up again after this long, so that other coordinators soon hear of a revocation.
const KNOWN_FOR: Duration = Duration::from_secs(5);
/// A token's use is noted no more often than this.
const NOTED_EVERY_MS: i64 = 3_600_000;
/// Tokens that are remembered; beyond that, all are looked up again.
const REMEMBERED: usize = 4096;

/// Decides by its token whether a request is served. Clones share what they know.
#[derive(Clone)]
pub struct Guard(Arc<Rule>);

enum Rule {
    /// Everybody may do everything.
    Open,
    /// The bearer of one token may do everything.
    One(TokenDigest),
    /// The tokens in a store decide.
    Stored { store: Arc<dyn Store>, known: Mutex<HashMap<String, Known>>, failures: Failures },
}

/// What the store had of a token at some time.
#[derive(Clone)]
struct Known {
    at: Instant,
    record: TokenRecord,
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
        Guard(Arc::new(Rule::Stored { store, known: Mutex::default(), failures: Failures::default() }))
    }

    /// Whether the method at `path` may be called with this `authorization` header.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` without a valid token, `PERMISSION_DENIED` where it allows less, and what keeps the store from saying
    /// so.
    pub(crate) async fn admit(
        &self,
        path: &str,
        header: Option<&[u8]>,
        from: Option<IpAddr>,
    ) -> Result<(), Status> {
        let admitted = match &*self.0 {
            Rule::Open => return Ok(()),
            Rule::One(digest) => token(header)
                .and_then(|token| if token.digest() == *digest { Ok(()) } else { Err(unknown(&token)) }),
            Rule::Stored { .. } => self.admit_stored(path, header).await,
        };
        if let (Err(refusal), Rule::Stored { failures, .. }) = (&admitted, &*self.0)
            && refusal.code() == tonic::Code::Unauthenticated
        {
            failures.note(from, refusal.message()).await;
        }
        admitted
    }

    async fn admit_stored(&self, path: &str, header: Option<&[u8]>) -> Result<(), Status> {
        let token = token(header)?;
        let record = self.known(token.id()).await?.ok_or_else(|| unknown(&token))?;
        if record.digest != token.digest() {
            return Err(unknown(&token));
        }
        let TokenRecord { id, name, scope, expires_ms, revoked_ms, .. } = record;
        if revoked_ms.is_some() {
            return Err(Status::unauthenticated(format!("the token {id} ({name}) was revoked\nhint: {NEW}")));
        }
        if let Some(expires_ms) = expires_ms
            && expires_ms <= self.now_ms().await?
        {
            return Err(Status::unauthenticated(format!("the token {id} ({name}) has expired\nhint: {NEW}")));
        }
        let needed = scopes::needed(path);
        if needed.iter().any(|needed| scope.allows(*needed)) {
            return Ok(());
        }
        let needed = needed.iter().map(|needed| format!("`{needed}`")).collect::<Vec<_>>().join(" or ");
        Err(Status::permission_denied(format!(
            "the token {id} ({name}) is for `{scope}`, and this needs {needed}\nhint: name another access file: --access FILE"
        )))
    }

    /// What the store has of the token, or had a moment ago.
    async fn known(&self, id: &str) -> Result<Option<TokenRecord>, Status> {
        let Rule::Stored { store, known, .. } = &*self.0 else { return Ok(None) };
        let remembered = known.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned();
        if let Some(known) = remembered.filter(|known| known.at.elapsed() < KNOWN_FOR) {
            return Ok(Some(known.record));
        }
        let at = Instant::now();
        let Some(record) = store.token_find(id).await.map_err(crate::service::status)? else {
            return Ok(None);
        };
        let now_ms = self.now_ms().await?;
        if record.used_ms.is_none_or(|used_ms| now_ms - used_ms >= NOTED_EVERY_MS)
            && let Err(error) = store.token_used(id).await
        {
            tracing::debug!(%error, id, "cannot note that a token is in use");
        }
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(id.to_owned(), Known { at, record: record.clone() });
        Ok(Some(record))
    }

    async fn now_ms(&self) -> Result<i64, Status> {
        match &*self.0 {
            Rule::Stored { store, .. } => store.now_ms().await.map_err(crate::service::status),
            Rule::Open | Rule::One(_) => Ok(0),
        }
    }

    /// Forgets what is known of a token that was revoked here.
    pub(crate) fn forget(&self, id: &str) {
        if let Rule::Stored { known, .. } = &*self.0 {
            known.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
        }
    }
}

/// What to do about a token that is no longer valid.
const NEW: &str = "`acai access create` makes a new one, with an admin's access file";

fn token(header: Option<&[u8]>) -> Result<Token, Status> {
    let header = header.ok_or_else(|| {
        Status::unauthenticated(
            "this coordinator asks for a token\nhint: name an access file that has one: --access FILE; who runs the coordinator makes it with `acai access create`",
        )
    })?;
    let text = std::str::from_utf8(header).ok().and_then(|header| header.strip_prefix("Bearer "));
    text.and_then(|text| text.parse().ok())
        .ok_or_else(|| Status::unauthenticated("the token is damaged\nhint: copy the access file as a whole"))
}

fn unknown(token: &Token) -> Status {
    Status::unauthenticated(format!(
        "this coordinator does not know the token {}\nhint: the access file is another coordinator's, or the database was restored from a backup that is older than the token",
        token.id()
    ))
}
