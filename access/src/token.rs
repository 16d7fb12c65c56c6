//! Bearer tokens: random secrets that prove a scope.

use std::fmt;
use std::str::FromStr;

use rand::RngExt as _;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::scope::Scope;

/// Letters of an id: those that are not taken for one another.
const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";
/// Letters in an id.
const ID: usize = 8;
/// Bytes of a secret.
const SECRET: usize = 32;

/// A token: `acai_SCOPE_ID_SECRET`. The secret is 256 random bits, so that nobody can guess it and a plain digest is enough
/// to keep of it. `Debug` shows no secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    /// For people who see it: the coordinator decides by its own record of the id.
    scope: Scope,
    id: String,
    secret: [u8; SECRET],
}

impl Token {
    /// A new one.
    #[must_use]
    pub fn new(scope: Scope) -> Token {
        let mut random = rand::rng();
        let letter = |bits: u8| char::from(LETTERS[usize::from(bits) % LETTERS.len()]);
        let id = random.random::<[u8; ID]>().map(letter).iter().collect();
        Token { scope, id, secret: random.random() }
    }

    /// By which people and the coordinator name it. No secret.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What it is for, as it says itself: for people. A coordinator decides by its own record of the id.
    #[must_use]
    pub fn scope(&self) -> Scope {
        self.scope
    }

    /// The text that proves the scope: for access files and the header of a request, never for logs and arguments.
    #[must_use]
    pub fn reveal(&self) -> String {
        format!("acai_{}_{}_{}", self.scope, self.id, hexadecimal(&self.secret))
    }

    /// What a coordinator keeps of it.
    #[must_use]
    pub fn digest(&self) -> TokenDigest {
        TokenDigest(Sha256::digest(self.secret).into())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "acai_{}_{}_…", self.scope, self.id)
    }
}

/// The text is no token. It does not say which text, which may be a secret with a letter missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not a token, which looks like acai_SCOPE_ID_SECRET and is copied as a whole")]
pub struct NoToken;

impl FromStr for Token {
    type Err = NoToken;

    fn from_str(text: &str) -> Result<Token, NoToken> {
        let mut parts = text.split('_');
        let mut next = || parts.next().ok_or(NoToken);
        let ("acai", scope, id, secret) = (next()?, next()?, next()?, next()?) else { return Err(NoToken) };
        let is_id = id.len() == ID && id.bytes().all(|letter| LETTERS.contains(&letter));
        if !is_id || parts.next().is_some() {
            return Err(NoToken);
        }
        let scope = scope.parse().map_err(|_| NoToken)?;
        Ok(Token { scope, id: id.to_owned(), secret: bytes(secret).ok_or(NoToken)? })
    }
}

/// The SHA-256 of a token's secret. Comparing takes as long wherever two differ.
#[derive(Clone, Copy, Eq)]
pub struct TokenDigest([u8; 32]);

impl TokenDigest {
    /// The digest's bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<[u8; 32]> for TokenDigest {
    fn from(bytes: [u8; 32]) -> TokenDigest {
        TokenDigest(bytes)
    }
}

impl PartialEq for TokenDigest {
    fn eq(&self, other: &TokenDigest) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Debug for TokenDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hexadecimal(&self.0))
    }
}

/// Two lower-case digits a byte.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The 32 bytes of 64 lower-case hexadecimal digits.
pub(crate) fn bytes(hexadecimal: &str) -> Option<[u8; 32]> {
    let digits: &[u8; 64] = hexadecimal.as_bytes().try_into().ok()?;
    let value = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = value(pair[0])? << 4 | value(pair[1])?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_back_and_no_two_are_alike() {
        let token = Token::new(Scope::Worker);
        let read: Token = token.reveal().parse().unwrap();
        assert_eq!(read, token);
        assert_eq!(read.digest(), token.digest());
        assert_ne!(Token::new(Scope::Worker).reveal(), token.reveal());
    }

    #[test]
    fn what_is_printed_of_a_token_has_no_secret() {
        let token = Token::new(Scope::Admin);
        let secret = hexadecimal(&token.secret);
        assert!(token.reveal().contains(&secret));
        let printed = format!("{token:?}");
        assert!(printed.starts_with("acai_admin_") && !printed.contains(&secret[..8]), "{printed}");
    }

    #[test]
    fn a_text_with_a_letter_missing_changed_or_added_is_no_token() {
        let text = Token::new(Scope::Read).reveal();
        let longer = format!("{text}0");
        for wrong in
            ["", "acai", &text[1..], &text[..text.len() - 1], &longer, &text.replace("read", "reader")]
        {
            assert_eq!(wrong.parse::<Token>(), Err(NoToken), "{wrong}");
        }
        assert_eq!(text.to_uppercase().parse::<Token>(), Err(NoToken));
        assert_eq!("é".repeat(32).parse::<Token>(), Err(NoToken));
    }
}
