//! Who may do what: tokens, and the certificate authority.

use acai_access::{Authority, TokenDigest};
use sqlx::Row as _;

use super::dialect::{Connection, Row};
use crate::store::rules::storable;
use crate::store::{NewToken, Result, StoreError, TokenRecord};

/// Adds a token. One that is added twice is there once.
pub(super) async fn add(tx: &mut Connection, token: &NewToken, now_ms: i64) -> Result<TokenRecord> {
    sqlx::query(
        "insert into tokens (id, name, scope, digest, created_ms, expires_ms) values ($1, $2, $3, $4, $5, $6)
         on conflict (id) do nothing",
    )
    .bind(&token.id)
    .bind(storable(&token.name))
    .bind(token.scope.name())
    .bind(token.digest.bytes().as_slice())
    .bind(now_ms)
    .bind(token.valid_ms.map(|valid| now_ms.saturating_add(valid)))
    .execute(&mut *tx)
    .await?;
    let stored = find(tx, &token.id).await?.filter(|stored| stored.digest == token.digest);
    stored.ok_or_else(|| StoreError::Conflict(format!("there is another token `{}`", token.id)))
}

/// The token of this id.
pub(super) async fn find(reader: &mut Connection, id: &str) -> Result<Option<TokenRecord>> {
    let row = sqlx::query("select * from tokens where id = $1").bind(id).fetch_optional(reader).await?;
    row.as_ref().map(record).transpose()
}

/// All tokens, the newest first.
pub(super) async fn list(reader: &mut Connection) -> Result<Vec<TokenRecord>> {
    let rows = sqlx::query("select * from tokens order by created_ms desc, id").fetch_all(reader).await?;
    rows.iter().map(record).collect()
}

/// Refuses the token from now on; false if there is none.
pub(super) async fn revoke(tx: &mut Connection, id: &str, now_ms: i64) -> Result<bool> {
    let known = sqlx::query("update tokens set revoked_ms = coalesce(revoked_ms, $2) where id = $1")
        .bind(id)
        .bind(now_ms)
        .execute(tx)
        .await?;
    Ok(known.rows_affected() > 0)
}

/// Notes that the token is in use.
pub(super) async fn used(tx: &mut Connection, id: &str, now_ms: i64) -> Result<()> {
    sqlx::query("update tokens set used_ms = $2 where id = $1").bind(id).bind(now_ms).execute(tx).await?;
    Ok(())
}

/// The certificate authority, if there is one.
pub(super) async fn known_authority(reader: &mut Connection) -> Result<Option<Authority>> {
    Ok(authorities(reader).await?.into_iter().next())
}

/// The certificate authority: this one, unless there is one already.
pub(super) async fn authority(tx: &mut Connection, fresh: &Authority) -> Result<Authority> {
    sqlx::query(
        "insert into authority (one, certificate, private_key) values (1, $1, $2) on conflict (one) do nothing",
    )
    .bind(&fresh.certificate)
    .bind(&fresh.key)
    .execute(&mut *tx)
    .await?;
    Ok(known_authority(tx).await?.unwrap_or_else(|| fresh.clone()))
}

/// The certificate authority and, while it is exchanged, the next one.
pub(super) async fn authorities(reader: &mut Connection) -> Result<Vec<Authority>> {
    let row = sqlx::query("select * from authority").fetch_optional(reader).await?;
    let Some(row) = row else { return Ok(Vec::new()) };
    let certificate: Option<String> = row.try_get("next_certificate")?;
    let key: Option<String> = row.try_get("next_private_key")?;
    let next = certificate.zip(key).map(|(certificate, key)| Authority { certificate, key });
    Ok(std::iter::once(read(&row)?).chain(next).collect())
}

/// The next certificate authority: this one, unless there is one already. False before there is an authority.
pub(super) async fn prepare_authority(tx: &mut Connection, fresh: &Authority) -> Result<bool> {
    let prepared = sqlx::query(
        "update authority set next_certificate = coalesce(next_certificate, $1),
                              next_private_key = coalesce(next_private_key, $2)",
    );
    let prepared = prepared.bind(&fresh.certificate).bind(&fresh.key).execute(tx).await?;
    Ok(prepared.rows_affected() > 0)
}

/// Puts the next certificate authority in the place of the present one; false if there is none.
pub(super) async fn exchange_authority(tx: &mut Connection) -> Result<bool> {
    let exchanged = sqlx::query(
        "update authority set certificate = next_certificate, private_key = next_private_key,
                              next_certificate = null, next_private_key = null
         where next_certificate is not null",
    );
    Ok(exchanged.execute(tx).await?.rows_affected() > 0)
}

fn read(row: &Row) -> Result<Authority> {
    Ok(Authority { certificate: row.try_get("certificate")?, key: row.try_get("private_key")? })
}

fn record(row: &Row) -> Result<TokenRecord> {
    let scope: String = row.try_get("scope")?;
    let digest: Vec<u8> = row.try_get("digest")?;
    let digest =
        <[u8; 32]>::try_from(digest).map_err(|_| StoreError::Corrupt("a token's digest".to_owned()))?;
    Ok(TokenRecord {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        scope: scope.parse().map_err(|_| StoreError::Corrupt("a token's scope".to_owned()))?,
        digest: TokenDigest::from(digest),
        created_ms: row.try_get("created_ms")?,
        expires_ms: row.try_get("expires_ms")?,
        revoked_ms: row.try_get("revoked_ms")?,
        used_ms: row.try_get("used_ms")?,
    })
}
