//! The name of a checkpoint in the blob store.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::machine::disk::on_disk;

/// Bytes that are read at a time.
const BUFFER: usize = 1 << 20;

/// A file's SHA-256 as 64 hexadecimal digits, and its size in bytes.
pub(crate) async fn digest(path: &Path) -> io::Result<(String, u64)> {
    let path = path.to_owned();
    let hash = move || {
        let mut file = File::open(path)?;
        let (mut hasher, mut bytes, mut buffer) = (Sha256::new(), 0, vec![0; BUFFER]);
        loop {
            let length = file.read(&mut buffer)?;
            if length == 0 {
                let hex = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
                return Ok((hex, bytes));
            }
            hasher.update(&buffer[..length]);
            bytes += length as u64;
        }
    };
    on_disk(hash).await
}
