//! Access files: all that a client needs to know of a coordinator, in one private file.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::pin::Pin;
use crate::token::Token;

/// Where a coordinator is, how it is known, and what proves to it what a client may do.
///
/// As TOML, in a file that its user alone can read:
///
/// ```toml
/// url = "https://login1:7700"
/// ca = ["sha256:…"]
/// token = "acai_worker_k3x9q2m4_…"
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessFile {
    /// `https://HOST:PORT`, or `http://` for a coordinator that does not encrypt.
    pub url: String,
    /// Certificate authorities, any of which may vouch for the coordinator; none where it does not encrypt.
    pub ca: Vec<Pin>,
    /// None where the coordinator asks for none.
    pub token: Option<Token>,
}

/// Why there is no access file.
#[derive(Debug, thiserror::Error)]
pub enum AccessFileError {
    /// It cannot be read.
    #[error("cannot read the access file `{}`: {cause}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// It cannot be written.
    #[error("cannot write the access file `{}`: {cause}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// It is none.
    #[error("`{}` is not an access file: {cause}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong, without the token.
        cause: String,
    },
}

/// The file as it is written. The token is a text, which error messages of the format never quote.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    url: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    ca: Vec<Pin>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

impl AccessFile {
    /// For a coordinator that neither encrypts nor asks for a token.
    #[must_use]
    pub fn open(url: &str) -> AccessFile {
        AccessFile { url: url.to_owned(), ca: Vec::new(), token: None }
    }

    /// Reads the file at `path`.
    ///
    /// # Errors
    /// [`AccessFileError`]: there is none, or it is no access file.
    pub fn read(path: &Path) -> Result<AccessFile, AccessFileError> {
        let failed = |cause| AccessFileError::Read { path: path.to_owned(), cause };
        let wrong = |cause| AccessFileError::Content { path: path.to_owned(), cause };
        let text = fs::read_to_string(path).map_err(failed)?;
        let Content { url, ca, token } = toml::from_str(&text).map_err(|error| {
            let before = error.span().map_or(0, |span| span.start.min(text.len()));
            let line = text.as_bytes()[..before].iter().filter(|byte| **byte == b'\n').count() + 1;
            wrong(format!("line {line}: {}", error.message()))
        })?;
        let token = token.map(|token| token.parse()).transpose();
        let token = token.map_err(|error| wrong(format!("token: {error}")))?;
        Ok(AccessFile { url, ca, token })
    }

    /// Whether others than the file's user, and the group that a mounted secret is for, can read it.
    #[must_use]
    pub fn is_open_to_others(path: &Path) -> bool {
        let Ok(metadata) = fs::metadata(path) else { return false };
        // A secret that is mounted belongs to root, and to the group of who may read it.
        let others = if metadata.uid() == 0 && metadata.gid() != 0 { 0o007 } else { 0o077 };
        metadata.mode() & others != 0
    }

    /// Writes the file, in place of what is there, so that its user alone can read it. A reader sees the old file or the
    /// new one.
    ///
    /// # Errors
    /// [`AccessFileError::Write`]; then the old file is still there.
    pub fn write(&self, path: &Path) -> Result<(), AccessFileError> {
        let failed = |cause| AccessFileError::Write { path: path.to_owned(), cause };
        let content = Content {
            url: self.url.clone(),
            ca: self.ca.clone(),
            token: self.token.as_ref().map(Token::reveal),
        };
        let text = toml::to_string(&content).map_err(|error| failed(io::Error::other(error)))?;
        // A name that nobody can have prepared, and no other process uses.
        let fresh = path.with_added_extension(format!("{:016x}", rand::random::<u64>()));
        let write = || {
            let mut file = File::options().create_new(true).write(true).mode(0o600).open(&fresh)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&fresh, path)
        };
        write().inspect_err(|_| drop(fs::remove_file(&fresh))).map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::Authority;
    use crate::scope::Scope;

    fn example() -> AccessFile {
        let pin = Authority::new().unwrap().identity().unwrap().pin;
        let token = Some(Token::new(Scope::Worker));
        AccessFile { url: "https://login1:7700".to_owned(), ca: vec![pin], token }
    }

    #[test]
    fn a_file_is_read_back_and_only_its_user_can_read_it_even_where_others_could_read_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("access.toml");
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        let access = example();
        access.write(&path).unwrap();
        assert_eq!(AccessFile::read(&path).unwrap(), access);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_is_wrong_is_refused_with_the_place_and_without_the_secret() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("access.toml");
        let good = {
            example().write(&path).unwrap();
            fs::read_to_string(&path).unwrap()
        };
        let secret = example().token.unwrap().reveal();
        let secret = secret.rsplit('_').next().unwrap();
        for (content, expected) in [
            (
                format!("{good}tokn = 1\n"),
                "line 4: unknown field `tokn`, expected one of `url`, `ca`, `token`",
            ),
            ("ca = []".to_owned(), "missing field `url`"),
            (good.replace("sha256:", "md5:"), "line 2: `md5:"),
            (format!("url = \"u\"\ntoken = \"acai_admin_{secret}\""), "token: this is not a token"),
            (format!("url = \"u\"\ntoken = {secret}"), "line 2"),
        ] {
            fs::write(&path, &content).unwrap();
            let error = AccessFile::read(&path).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
            assert!(!error.contains(secret), "{error}");
        }
        fs::remove_file(&path).unwrap();
        let error = AccessFile::read(&path).unwrap_err().to_string();
        assert!(error.contains("No such file"), "{error}");
    }
}
