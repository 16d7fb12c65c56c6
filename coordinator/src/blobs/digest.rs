//! The name of a blob.

use std::fmt;
use std::str::FromStr;

/// A SHA-256 as 64 lower-case hexadecimal digits: the only thing from outside that becomes a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(String);

/// Not 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a SHA-256 of 64 lower-case hexadecimal digits")]
pub struct NotADigest;

impl Digest {
    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first two digits: blobs are spread over 256 folders.
    pub(super) fn shard(&self) -> &str {
        &self.0[..2]
    }

    /// Of a finished hash.
    pub(crate) fn of(hash: &[u8]) -> Self {
        Digest(hash.iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

/// Whether this may be [`Digest::shard`] of some digest.
pub(super) fn is_shard(name: &str) -> bool {
    name.len() == 2 && are_digits(name)
}

fn are_digits(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

impl FromStr for Digest {
    type Err = NotADigest;

    fn from_str(text: &str) -> Result<Self, NotADigest> {
        if are_digits(text) && text.len() == 64 { Ok(Digest(text.to_owned())) } else { Err(NotADigest) }
    }
}

/// The name of one file of a blob. Each upload makes a file of a name that no other has had, so that what was decided of
/// one file, however late it is done, never touches another one with the same bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    digest: Digest,
    tag: String,
}

impl Name {
    /// One that no file has had.
    #[must_use]
    pub fn unused(digest: Digest) -> Self {
        Name { digest, tag: format!("{:032x}", rand::random::<u128>()) }
    }

    /// That of a known file; none if this cannot be a tag.
    #[must_use]
    pub fn known(digest: Digest, tag: &str) -> Option<Self> {
        let is_tag = are_digits(tag) && (tag.is_empty() || tag.len() == 32);
        is_tag.then(|| Name { digest, tag: tag.to_owned() })
    }

    /// Of the blob's bytes.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// What tells it from other files of the same bytes: 32 hexadecimal digits, or none at all in files of versions that
    /// had one name for a blob.
    #[must_use]
    pub fn tag(&self) -> &str {
        &self.tag
    }
}

impl FromStr for Name {
    type Err = NotADigest;

    fn from_str(text: &str) -> Result<Self, NotADigest> {
        let (digest, tag) = match text.split_once('-') {
            Some((digest, tag)) if !tag.is_empty() => (digest, tag),
            Some(_) => return Err(NotADigest),
            None => (text, ""),
        };
        Name::known(digest.parse()?, tag).ok_or(NotADigest)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.digest.as_str())?;
        if self.tag.is_empty() { Ok(()) } else { write!(out, "-{}", self.tag) }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}
