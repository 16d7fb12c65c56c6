//! Blobs as objects of a bucket, `s3://BUCKET/PREFIX`.

use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use acai_access::root_cause;
use async_trait::async_trait;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::buffered::BufWriter;
use object_store::path::Path as Key;
use object_store::{GetOptions, GetRange, ObjectStore, ObjectStoreExt, RetryConfig};
use tokio::io::AsyncWriteExt;
use tokio_stream::{Stream, StreamExt};
use tonic::codegen::Bytes;

use super::staging::make_private;
use super::{BlobError, Blobs, CHUNK_BYTES, Chunks, Name, OpenError, Result};
use crate::store::url::without_secrets;

/// A part of an upload; larger blobs are sent in several.
const PART_BYTES: usize = 8 << 20;
/// Parts of one blob that are under way at a time.
const PARTS: usize = 2;

const SENDING: &str = "send a checkpoint to the bucket";

/// Blobs in a bucket that speaks S3.
#[derive(Debug)]
pub struct Bucket {
    bucket: Arc<AmazonS3>,
    prefix: Key,
    staging: PathBuf,
}

impl Bucket {
    /// Finds the bucket of a URL with the settings named `AWS_…` among `variables`, and looks
    /// whether it may be read. Uploads come together in `local`.
    ///
    /// # Errors
    /// [`OpenError`]: it cannot be reached or read, or `local` cannot be made.
    pub async fn open(
        url: &str,
        local: &Path,
        variables: Vec<(String, String)>,
    ) -> std::result::Result<Self, OpenError> {
        let failed = |cause: &dyn std::error::Error| OpenError::Failed {
            place: without_secrets(url),
            cause: to_its_root(cause),
        };
        let Some((bucket, prefix)) =
            url.strip_prefix("s3://").map(|at| at.split_once('/').unwrap_or((at, "")))
        else {
            return Err(OpenError::Place(without_secrets(url)));
        };
        // Credentials have no place in it, and would be printed with it.
        if bucket.is_empty() || bucket.contains('@') {
            return Err(OpenError::Place(without_secrets(url)));
        }
        let prefix = Key::parse(prefix.trim_end_matches('/')).map_err(|error| failed(&error))?;
        // One cryptography library in this program, where the default would bring a second one. If
        // somebody chose already, theirs is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = AmazonS3Builder::new();
        for (name, value) in variables {
            // `aws_…` in lower case is how they are called there; what it does not know is for others.
            if let Some(key) =
                name.starts_with("AWS_").then(|| name.to_ascii_lowercase().parse().ok()).flatten()
            {
                builder = builder.with_config(key, value);
            }
        }
        let bucket = builder
            .with_bucket_name(bucket)
            .with_retry(RetryConfig {
                max_retries: 3,
                retry_timeout: Duration::from_secs(20),
                ..RetryConfig::default()
            })
            .build()
            .map_err(|error| failed(&error))?;
        if let Some(listed) = bucket.list(Some(&prefix)).next().await {
            listed.map_err(|error| failed(&error))?;
        }
        let staging = local.join("staging");
        make_private(&staging).map_err(|error| failed(&error))?;
        Ok(Bucket { bucket: Arc::new(bucket), prefix, staging })
    }

    fn key(&self, name: &Name) -> Key {
        self.prefix.clone().join(name.digest().shard()).join(name.to_string())
    }

    fn owner_key(&self) -> Key {
        self.prefix.clone().join("owner")
    }
}

#[async_trait]
impl Blobs for Bucket {
    fn staging(&self) -> &Path {
        &self.staging
    }

    async fn put(&self, name: &Name, file: &Path) -> Result<()> {
        let read = BlobError::while_doing("read an upload");
        let mut reader = tokio::fs::File::open(file).await.map_err(read)?;
        let mut writer = BufWriter::with_capacity(self.bucket.clone(), self.key(name), PART_BYTES)
            .with_max_concurrency(PARTS);
        if let Err(error) = tokio::io::copy(&mut reader, &mut writer).await {
            // Parts of an object that is never completed cost money.
            if let Err(error) = writer.abort().await {
                tracing::warn!(%error, %name, "parts of an upload may be left in the bucket");
            }
            return Err(not_sent(error));
        }
        // One that fails here removes its parts by itself.
        writer.shutdown().await.map_err(not_sent)?;
        if let Err(error) = tokio::fs::remove_file(file).await {
            tracing::warn!(%error, %name, "a file stays in staging although the bucket has it");
        }
        Ok(())
    }

    async fn size(&self, name: &Name) -> Result<Option<u64>> {
        match self.bucket.head(&self.key(name)).await {
            Ok(object) => Ok(Some(object.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failed("look for a checkpoint in the bucket")(error)),
        }
    }

    async fn read(&self, name: &Name, offset: u64) -> Result<Box<dyn Chunks>> {
        let options = GetOptions { range: Some(GetRange::Offset(offset)), ..GetOptions::default() };
        let object = self.bucket.get_opts(&self.key(name), options).await.map_err(|error| match error {
            object_store::Error::NotFound { .. } => BlobError::Missing(name.digest().clone()),
            error => failed("read a checkpoint from the bucket")(error),
        })?;
        Ok(Box::new(Reader { bytes: object.into_stream(), rest: Vec::new() }))
    }

    async fn delete(&self, name: &Name) -> Result<()> {
        match self.bucket.delete(&self.key(name)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failed("delete a checkpoint from the bucket")(error)),
        }
    }

    async fn list(&self) -> Result<Vec<Name>> {
        let mut blobs = Vec::new();
        let mut objects = self.bucket.list(Some(&self.prefix));
        while let Some(object) = objects.next().await {
            let object = object.map_err(failed("list the checkpoints of the bucket"))?;
            let name = object.location.filename().and_then(|name| name.parse::<Name>().ok());
            // Whatever else somebody put there is none of ours.
            blobs.extend(name.filter(|name| self.key(name) == object.location));
        }
        Ok(blobs)
    }

    async fn identity(&self) -> Result<String> {
        Ok("a bucket".to_owned())
    }

    async fn owner(&self) -> Result<Option<Vec<u8>>> {
        let doing = "read whose bucket this is";
        match self.bucket.get(&self.owner_key()).await {
            Ok(object) => Ok(Some(object.bytes().await.map_err(failed(doing))?.into())),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failed(doing)(error)),
        }
    }

    async fn set_owner(&self, owner: Vec<u8>) -> Result<()> {
        let put = self.bucket.put(&self.owner_key(), owner.into()).await;
        put.map(drop).map_err(failed("write down whose bucket this is"))
    }
}

/// An object on its way, cut into chunks that are small enough.
struct Reader {
    bytes: Pin<Box<dyn Stream<Item = object_store::Result<Bytes>> + Send>>,
    rest: Vec<u8>,
}

#[async_trait]
impl Chunks for Reader {
    async fn next(&mut self) -> Result<Option<Vec<u8>>> {
        while self.rest.is_empty() {
            match self.bytes.next().await {
                None => return Ok(None),
                Some(bytes) => self.rest = bytes.map_err(failed("read a checkpoint from the bucket"))?.into(),
            }
        }
        let later = self.rest.split_off(self.rest.len().min(CHUNK_BYTES));
        Ok(Some(std::mem::replace(&mut self.rest, later)))
    }
}

/// What an error says, and its innermost cause, which the store's errors leave out at times.
fn to_its_root(error: &dyn std::error::Error) -> String {
    let (said, root) = (error.to_string(), root_cause(error));
    if said.contains(&root) { said } else { format!("{said}: {root}") }
}

fn failed(doing: &'static str) -> impl FnOnce(object_store::Error) -> BlobError {
    move |error| match is_refusal(&error) {
        true => BlobError::Broken { doing, cause: error.to_string() },
        false => BlobError::Failed { doing, cause: error.to_string() },
    }
}

/// As [`failed`], of a writer, which wraps what the bucket said.
#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err takes")]
fn not_sent(error: std::io::Error) -> BlobError {
    let said = error.get_ref().and_then(|cause| cause.downcast_ref::<object_store::Error>());
    match said.is_some_and(is_refusal) {
        true => BlobError::Broken { doing: SENDING, cause: error.to_string() },
        false => BlobError::Failed { doing: SENDING, cause: error.to_string() },
    }
}

/// Whether the bucket is gone, or the account may not use it: somebody has to do something about it.
fn is_refusal(error: &object_store::Error) -> bool {
    use object_store::Error::{NotFound, PermissionDenied, Unauthenticated};
    matches!(error, PermissionDenied { .. } | Unauthenticated { .. } | NotFound { .. })
}
