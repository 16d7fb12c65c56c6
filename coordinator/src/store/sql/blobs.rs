//! Which files have the blobs' bytes, and which blobs are still needed.
//!
//! The name of a file is stored before the file is made, and is forgotten when nothing needs the file any more; no
//! other file has that name later. At first the name is in the table `uploads`, then in `blobs`.

use sqlx::Row as _;

use super::columns::unsigned;
use super::dialect::{Connection, Row, for_update};
use crate::store::{BlobFile, Result};

/// Notes that a file of this name is about to be made.
pub(super) async fn begin(tx: &mut Connection, file: &BlobFile, now_ms: i64) -> Result<()> {
    sqlx::query("insert into uploads (sha256, tag, begun_ms) values ($1, $2, $3)")
        .bind(&file.sha256)
        .bind(&file.tag)
        .bind(now_ms)
        .execute(tx)
        .await?;
    Ok(())
}

/// Forgets a file that was begun. False if it was forgotten before.
pub(super) async fn abandon(tx: &mut Connection, file: &BlobFile) -> Result<bool> {
    let forgotten = sqlx::query("delete from uploads where sha256 = $1 and tag = $2")
        .bind(&file.sha256)
        .bind(&file.tag)
        .execute(tx)
        .await?;
    Ok(forgotten.rows_affected() > 0)
}

/// Makes a file that was begun the file of its blob, unless the blob has a file other than `gone`. Answers which file
/// the blob has now; `None` if the file that was begun is forgotten.
pub(super) async fn add(
    tx: &mut Connection,
    file: &BlobFile,
    bytes: u64,
    gone: Option<&BlobFile>,
    now_ms: i64,
) -> Result<Option<BlobFile>> {
    if !abandon(tx, file).await? {
        return Ok(None);
    }
    let added = sqlx::query(
        "insert into blobs (sha256, tag, bytes, last_used_ms) values ($1, $2, $3, $4)
         on conflict (sha256) do update set last_used_ms = excluded.last_used_ms,
             tag = case when blobs.tag = $5 then excluded.tag else blobs.tag end
         returning sha256, tag, bytes",
    )
    .bind(&file.sha256)
    .bind(&file.tag)
    .bind(bytes.cast_signed())
    .bind(now_ms)
    .bind(gone.map(|gone| &gone.tag))
    .fetch_one(tx)
    .await?;
    Ok(Some(blob(&added)?.0))
}

/// The file of a blob, and its size.
pub(super) async fn find(reader: &mut Connection, sha256: &str) -> Result<Option<(BlobFile, u64)>> {
    let found = sqlx::query("select sha256, tag, bytes from blobs where sha256 = $1")
        .bind(sha256)
        .fetch_optional(&mut *reader)
        .await?;
    found.as_ref().map(blob).transpose()
}

/// As [`find`], and the blob counts as used now.
pub(super) async fn touch(tx: &mut Connection, sha256: &str, now_ms: i64) -> Result<Option<(BlobFile, u64)>> {
    let found =
        sqlx::query("update blobs set last_used_ms = $2 where sha256 = $1 returning sha256, tag, bytes")
            .bind(sha256)
            .bind(now_ms)
            .fetch_optional(tx)
            .await?;
    found.as_ref().map(blob).transpose()
}

/// Forgets a damaged file with all checkpoints in it, of whatever runs; false if the blob has another file by now. A
/// commit of the same blob at the same time either waits for the blob's row, or locks that row first, and its
/// checkpoint is forgotten here.
pub(super) async fn condemn(tx: &mut Connection, file: &BlobFile) -> Result<bool> {
    let locked =
        sqlx::query(concat!("select sha256 from blobs where sha256 = $1 and tag = $2", for_update!()))
            .bind(&file.sha256)
            .bind(&file.tag)
            .fetch_optional(&mut *tx)
            .await?;
    if locked.is_none() {
        return Ok(false);
    }
    sqlx::query("delete from checkpoints where sha256 = $1").bind(&file.sha256).execute(&mut *tx).await?;
    sqlx::query("delete from artifacts where sha256 = $1").bind(&file.sha256).execute(&mut *tx).await?;
    sqlx::query("delete from blobs where sha256 = $1").bind(&file.sha256).execute(tx).await?;
    Ok(true)
}

/// Forgets the blobs that no checkpoint and no artifact has needed since `unused_ms`, and the files that were begun before
/// `abandoned_ms`; answers the forgotten files. A rejected checkpoint needs its blob until the run is completed without
/// that checkpoint.
pub(super) async fn collect(tx: &mut Connection, unused_ms: i64, abandoned_ms: i64) -> Result<Vec<BlobFile>> {
    let abandoned = sqlx::query("delete from uploads where begun_ms < $1 returning sha256, tag")
        .bind(abandoned_ms)
        .fetch_all(&mut *tx)
        .await?;
    sqlx::query(
        "delete from checkpoints where state = 'rejected'
             and run_id in (select id from runs where state = 'completed')",
    )
    .execute(&mut *tx)
    .await?;
    let unused = sqlx::query(
        "delete from blobs where last_used_ms < $1 and not exists
             (select 1 from checkpoints c where c.sha256 = blobs.sha256)
             and not exists (select 1 from artifacts a where a.sha256 = blobs.sha256)
         returning sha256, tag",
    )
    .bind(unused_ms)
    .fetch_all(tx)
    .await?;
    abandoned.iter().chain(&unused).map(file).collect()
}

/// Where the blobs are kept, if that is known.
pub(super) async fn place(reader: &mut Connection) -> Result<Option<String>> {
    Ok(sqlx::query_scalar("select blobs from identity").fetch_one(reader).await?)
}

/// Remembers where the blobs are kept.
pub(super) async fn set_place(tx: &mut Connection, place: &str) -> Result<()> {
    sqlx::query("update identity set blobs = $1").bind(place).execute(tx).await?;
    Ok(())
}

/// Every file whose name is stored.
pub(super) async fn files(reader: &mut Connection) -> Result<Vec<BlobFile>> {
    let rows = sqlx::query("select sha256, tag from blobs union select sha256, tag from uploads")
        .fetch_all(&mut *reader)
        .await?;
    rows.iter().map(file).collect()
}

fn file(row: &Row) -> Result<BlobFile> {
    Ok(BlobFile { sha256: row.try_get("sha256")?, tag: row.try_get("tag")? })
}

fn blob(row: &Row) -> Result<(BlobFile, u64)> {
    Ok((file(row)?, unsigned(row, "bytes")?))
}
