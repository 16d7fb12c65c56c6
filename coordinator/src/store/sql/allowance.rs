//! What the bearers of a token have, and whether that is more than they may.

use super::columns::unsigned;
use super::dialect::Connection;
use super::locks;
use crate::store::rules::{refuse_bytes, refuse_more};
use crate::store::{Limited, Result, Submitter};

/// What a token's bearers have, apart from bytes, which workers bring.
#[derive(Debug, Clone, Copy)]
pub(super) struct Holding {
    sweeps: u64,
    runs: u64,
}

/// What the submitter's token has now.
pub(super) async fn holding(reader: &mut Connection, who: &Submitter) -> Result<Holding> {
    let row = sqlx::query(
        "select (select count(*) from sweeps where submitter = $1) as sweeps,
                (select cast(coalesce(sum(t.runs), 0) as bigint) from sweeps s
                 join tallies t on t.sweep_id = s.id where s.submitter = $1) as runs",
    );
    let row = row.bind(&who.token).fetch_one(reader).await?;
    Ok(Holding { sweeps: unsigned(&row, "sweeps")?, runs: unsigned(&row, "runs")? })
}

/// Refuses what this transaction has stored if the submitter's token has too much by it. From here to the transaction's end no
/// other submission with the token is judged.
pub(super) async fn check(tx: &mut Connection, who: &Submitter, before: Holding) -> Result<()> {
    locks::token(tx, &who.token).await?;
    let now = holding(tx, who).await?;
    refuse_more(who, Limited::Sweeps, before.sweeps, now.sweeps)?;
    refuse_more(who, Limited::Runs, before.runs, now.runs)
}

/// Refuses if the submitter's sweeps have as many bytes as they may, or more than that with `added` of them.
pub(super) async fn check_bytes(reader: &mut Connection, who: &Submitter, added: u64) -> Result<()> {
    if who.allowance.bytes.is_none() {
        return Ok(());
    }
    let row = sqlx::query(
        "select cast(coalesce(sum(bytes), 0) as bigint) as bytes from
             (select c.bytes from sweeps s join runs r on r.sweep_id = s.id join checkpoints c on c.run_id = r.id
              where s.submitter = $1
              union all
              select a.bytes from sweeps s join runs r on r.sweep_id = s.id join artifacts a on a.run_id = r.id
              where s.submitter = $1) as files",
    );
    let has: u64 = unsigned(&row.bind(&who.token).fetch_one(reader).await?, "bytes")?;
    refuse_bytes(who, has, added)
}

/// Notes that the submitter uploads a blob for an import; refuses that if all that was announced since `since_ms` is too much.
pub(super) async fn announce(
    tx: &mut Connection,
    who: &Submitter,
    (sha256, bytes): (&str, u64),
    since_ms: i64,
    now_ms: i64,
) -> Result<()> {
    locks::token(tx, &who.token).await?;
    let forgotten = sqlx::query("delete from announced_uploads where token_id = $1 and announced_ms < $2");
    forgotten.bind(&who.token).bind(since_ms).execute(&mut *tx).await?;
    let before = announced(tx, &who.token).await?;
    sqlx::query(
        "insert into announced_uploads (token_id, sha256, bytes, announced_ms) values ($1, $2, $3, $4)
         on conflict (token_id, sha256) do update set bytes = excluded.bytes, announced_ms = excluded.announced_ms",
    )
    .bind(&who.token)
    .bind(sha256)
    .bind(bytes.cast_signed())
    .bind(now_ms)
    .execute(&mut *tx)
    .await?;
    refuse_more(who, Limited::Bytes, before, announced(tx, &who.token).await?)
}

/// These blobs are among a sweep's bytes from now on.
pub(super) async fn arrived(tx: &mut Connection, who: &Submitter, sha256: &str) -> Result<()> {
    let arrived = sqlx::query("delete from announced_uploads where token_id = $1 and sha256 = $2");
    arrived.bind(&who.token).bind(sha256).execute(tx).await?;
    Ok(())
}

async fn announced(tx: &mut Connection, token: &str) -> Result<u64> {
    let row = sqlx::query(
        "select cast(coalesce(sum(bytes), 0) as bigint) as bytes from announced_uploads where token_id = $1",
    );
    unsigned(&row.bind(token).fetch_one(tx).await?, "bytes")
}
