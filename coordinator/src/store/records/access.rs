//! Tokens.

use acai_access::{Scope, TokenDigest};

/// A token as the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRecord {
    /// A part of the token, by which it is named.
    pub id: String,
    /// For whom, in people's words.
    pub name: String,
    /// What it allows.
    pub scope: Scope,
    /// Of its secret.
    pub digest: TokenDigest,
    /// Unix milliseconds.
    pub created_ms: i64,
    /// From when on it is refused, Unix milliseconds.
    pub expires_ms: Option<i64>,
    /// Since when it is refused, Unix milliseconds.
    pub revoked_ms: Option<i64>,
    /// About when it was last used, Unix milliseconds.
    pub used_ms: Option<i64>,
}

/// A token to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewToken {
    /// A part of the token, by which it is named.
    pub id: String,
    /// For whom, in people's words.
    pub name: String,
    /// What it allows.
    pub scope: Scope,
    /// Of its secret.
    pub digest: TokenDigest,
    /// How long it is valid, milliseconds; none: for ever.
    pub valid_ms: Option<i64>,
}
