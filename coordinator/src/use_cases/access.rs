//! Who may do what.

use std::time::Duration;

use acai_access::{Scope, Token};

use super::{Result, UseCaseError, UseCases};
use crate::store::{NewToken, TokenRecord};

/// The longest time that a token may be valid for, a hundred years.
const LONGEST: Duration = Duration::from_secs(100 * 366 * 24 * 60 * 60);
/// Characters in a token's name, at the most.
const NAME: usize = 100;

impl UseCases {
    /// Makes a token that allows `scope`, for ever or for some time. Only this answer has its secret.
    ///
    /// # Errors
    /// A name that is empty or too long, a time that is too long.
    pub async fn create_token(&self, name: &str, scope: Scope, valid: Option<Duration>) -> Result<Token> {
        let length = name.trim().chars().count();
        if length == 0 || length > NAME || name.chars().any(char::is_control) {
            let problem = format!("says for whom the token is, in 1 to {NAME} characters of one line");
            return Err(UseCaseError::Question { part: "name", problem });
        }
        if valid.is_some_and(|valid| valid > LONGEST) {
            let problem =
                "is more than a hundred years: leave it out for a token that is valid until revoked";
            return Err(UseCaseError::Question { part: "valid_s", problem: problem.to_owned() });
        }
        let token = Token::new(scope);
        let valid_ms = valid.map(|valid| i64::try_from(valid.as_millis()).unwrap_or(i64::MAX));
        let (id, name) = (token.id().to_owned(), name.trim().to_owned());
        self.store.token_add(NewToken { id, name, scope, digest: token.digest(), valid_ms }).await?;
        tracing::info!(id = token.id(), %scope, "token created");
        Ok(token)
    }

    /// All tokens, the newest first.
    ///
    /// # Errors
    /// Of the store.
    pub async fn tokens(&self) -> Result<Vec<TokenRecord>> {
        Ok(self.store.token_list().await?)
    }

    /// Refuses a token from now on.
    ///
    /// # Errors
    /// [`UseCaseError::NoSuchToken`].
    pub async fn revoke_token(&self, id: &str) -> Result<()> {
        if !self.store.token_revoke(id).await? {
            return Err(UseCaseError::NoSuchToken { id: id.to_owned() });
        }
        tracing::info!(id, "token revoked");
        Ok(())
    }
}
