//! What a store knows of tokens, remembered for a moment.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use acai_access::Token;
use tonic::Status;

use super::admitted::Admitted;
use super::open_requests::OpenRequests;
use super::refusal::Refusal;
use super::{scopes, token};
use crate::store::{Allowance, Store, StoreError, TokenRecord};

/// What is known of a token is looked up again after this long, while requests are still judged by it …
const FRESH: Duration = Duration::from_secs(2);
/// … and after this long they wait for that, so that other coordinators soon hear of a revocation.
const KNOWN_FOR: Duration = Duration::from_secs(5);
/// A token's use is noted no more often than this.
const NOTED_EVERY_MS: i64 = 3_600_000;
/// Tokens that are remembered; beyond that, all are looked up again.
const REMEMBERED: usize = 4096;

/// The tokens in a store. Clones share what they remember.
#[derive(Clone)]
pub(super) struct Stored {
    store: Arc<dyn Store>,
    remembered: Arc<Mutex<Remembered>>,
    open: OpenRequests,
    /// What the bearers of one token that submits may have.
    allowance: Allowance,
}

#[derive(Default)]
struct Remembered {
    tokens: HashMap<String, Known>,
    /// Times that a token was forgotten. What was looked up before such a time is not remembered after it.
    forgotten: u64,
}

/// What the store had of a token at some time.
#[derive(Clone)]
struct Known {
    at: Instant,
    /// The same time by the store's clock.
    at_ms: i64,
    record: TokenRecord,
    /// Somebody looks it up again already.
    is_looked_up: bool,
}

impl Stored {
    pub(super) fn new(store: Arc<dyn Store>, allowance: Allowance) -> Stored {
        Stored { store, remembered: Arc::default(), open: OpenRequests::default(), allowance }
    }

    /// Whether the bearer may call the method at `path`, and has not too many requests open.
    pub(super) async fn admit(&self, path: &str, header: Option<&[u8]>) -> Result<Admitted, Refusal> {
        let token = token(header)?;
        let known =
            self.known(token.id()).await.map_err(undecided)?.ok_or_else(|| Refusal::unknown(&token))?;
        valid(&known, &token)?;
        let TokenRecord { id, name, scope, .. } = &known.record;
        let Some(needed) = scopes::needed(path) else {
            return Err(Status::unimplemented(
                "this coordinator is of a release that does not know the call",
            )
            .into());
        };
        if needed.iter().any(|needed| scope.allows(*needed)) {
            let place = self.open.enter(id, *scope)?;
            return Ok(Admitted::by(known.record, place, self.allowance));
        }
        let needed = needed.iter().map(|needed| format!("`{needed}`")).collect::<Vec<_>>().join(" or ");
        Err(Refusal::scope(format!(
            "the token {id} ({name}) is for `{scope}`, and this needs {needed}\nhint: name another access file: --access FILE"
        )))
    }

    /// Forgets what is known of a token.
    pub(super) fn forget(&self, id: &str) {
        let mut remembered = self.remembered();
        remembered.tokens.remove(id);
        remembered.forgotten += 1;
    }

    /// What the store has of the token, or had a moment ago.
    async fn known(&self, id: &str) -> Result<Option<Known>, StoreError> {
        let Some((known, is_due)) = self.recall(id) else { return self.look_up(id).await };
        if is_due {
            // Who holds a run must not wait behind those who read tables.
            let (stored, id) = (self.clone(), id.to_owned());
            tokio::spawn(async move {
                if let Err(error) = stored.look_up(&id).await {
                    tracing::warn!(%error, id, "cannot look up a token");
                }
            });
        }
        Ok(Some(known))
    }

    /// What is remembered of the token and not too old, and whether the caller is to look it up again: one caller at a time.
    fn recall(&self, id: &str) -> Option<(Known, bool)> {
        let mut remembered = self.remembered();
        let known = remembered.tokens.get_mut(id).filter(|known| known.at.elapsed() < KNOWN_FOR)?;
        let is_due = known.at.elapsed() >= FRESH && !known.is_looked_up;
        known.is_looked_up |= is_due;
        Some((known.clone(), is_due))
    }

    async fn look_up(&self, id: &str) -> Result<Option<Known>, StoreError> {
        let (at, forgotten) = (Instant::now(), self.remembered().forgotten);
        let (Some(record), at_ms) = (self.store.token_find(id).await?, self.store.now_ms().await?) else {
            return Ok(None);
        };
        if record.used_ms.is_none_or(|used_ms| at_ms - used_ms >= NOTED_EVERY_MS) {
            let (store, id) = (Arc::clone(&self.store), id.to_owned());
            tokio::spawn(async move {
                if let Err(error) = store.token_used(&id).await {
                    tracing::debug!(%error, id, "cannot note that a token is in use");
                }
            });
        }
        let found = Known { at, at_ms, record, is_looked_up: false };
        let mut remembered = self.remembered();
        if remembered.tokens.len() >= REMEMBERED {
            remembered.tokens.clear();
        }
        if remembered.forgotten == forgotten {
            remembered.tokens.insert(id.to_owned(), found.clone());
        }
        Ok(Some(found))
    }

    fn remembered(&self) -> MutexGuard<'_, Remembered> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the token is the one that is known, and still valid.
fn valid(Known { at, at_ms, record, .. }: &Known, token: &Token) -> Result<(), Refusal> {
    if record.digest != token.digest() {
        return Err(Refusal::unknown(token));
    }
    let TokenRecord { id, name, expires_ms, revoked_ms, .. } = record;
    if revoked_ms.is_some() {
        return Err(Refusal::revoked(id, name));
    }
    let now_ms = at_ms.saturating_add(i64::try_from(at.elapsed().as_millis()).unwrap_or(i64::MAX));
    if expires_ms.is_some_and(|expires_ms| expires_ms <= now_ms) {
        return Err(Refusal::expired(id, name));
    }
    Ok(())
}

/// The store's fault is no answer to a request: whoever asked may ask again.
#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err takes")]
fn undecided(error: StoreError) -> Status {
    tracing::warn!(%error, "cannot look up a token");
    Status::unavailable(format!("the coordinator cannot look up the token: {error}"))
}
