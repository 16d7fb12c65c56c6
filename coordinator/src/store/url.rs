//! URLs of databases, which may hold a password.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

/// Where a database is, as somebody wrote it: `sqlite:FILE`, `postgres://USER:PASSWORD@HOST/DATABASE`, or something
/// that is neither.
///
/// Shown without what may be a password, also in debug output.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    /// All of it, to connect with.
    #[must_use]
    pub fn with_password(&self) -> &str {
        &self.0
    }

    /// Whether it names a Postgres.
    #[must_use]
    pub fn is_postgres(&self) -> bool {
        self.0.starts_with("postgres:") || self.0.starts_with("postgresql:")
    }

    /// Whether it names no database: what is stored stays in the process.
    #[must_use]
    pub fn is_memory(&self) -> bool {
        self.0 == "memory:"
    }
}

impl From<&str> for DatabaseUrl {
    fn from(url: &str) -> Self {
        DatabaseUrl(url.to_owned())
    }
}

/// Takes every text: what is wrong with a URL is said when the database is opened, and without the password.
impl FromStr for DatabaseUrl {
    type Err = Infallible;

    fn from_str(url: &str) -> Result<Self, Infallible> {
        Ok(url.into())
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.starts_with("sqlite:") {
            true => f.write_str(&self.0),
            false => f.write_str(&without_secrets(&self.0)),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

/// A URL without what may be a secret: what stands between the user and `@`, and every parameter. In a URL with
/// mistakes the secret may stand elsewhere; if it is not clear where, only the beginning of the URL is shown.
pub(crate) fn without_secrets(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").map_or(("", url), |(scheme, rest)| (scheme, rest));
    let separator = if scheme.is_empty() { "" } else { "://" };
    let shown = match rest.rsplit_once('@') {
        // This may be a parameter with an @, or a password with a question mark. So nothing is shown.
        Some((before, _)) if before.contains(['?', '#', '=']) => "…".to_owned(),
        Some((before, host)) => {
            let user = before.split([':', '/', '&']).next().unwrap_or_default();
            let hidden = if user.len() < before.len() { ":…" } else { "" };
            format!("{user}{hidden}@{}", without_parameters(host))
        }
        None if scheme.is_empty() => without_parameters(rest).to_owned(),
        None => without_a_word_for_a_port(without_parameters(rest)),
    };
    format!("{scheme}{separator}{shown}")
}

/// A host with what follows its colon, if that is a port; else it may be a password whose `@` and host were forgotten.
fn without_a_word_for_a_port(host: &str) -> String {
    match host.split_once(':') {
        Some((name, after)) if !after.split('/').next().is_some_and(is_port) => format!("{name}:…"),
        _ => host.to_owned(),
    }
}

fn is_port(text: &str) -> bool {
    text.parse::<u16>().is_ok()
}

/// What stands before `?`, `#`, or a word that begins a password in other notations.
fn without_parameters(host: &str) -> &str {
    let end = host.find(['?', '#', '&', ' ']).unwrap_or(host.len());
    let word = host.to_ascii_lowercase().find("pass").unwrap_or(host.len());
    &host[..end.min(word)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_shown_a_password() {
        for (url, shown) in [
            ("postgres://me:se@cr:et@host:5/db", "postgres://me:…@host:5/db"),
            ("postgres://me@host/db?sslmode=require", "postgres://me@host/db"),
            ("postgres://me:secret/db", "postgres://me:…"),
            ("postgres://host:5432/db", "postgres://host:5432/db"),
            ("postgres://host/db?user=me&password=secret", "postgres://host/db"),
            ("postgres://host/db?password=sec@ret", "postgres://…"),
            ("postgres://me:se?cret@host/db", "postgres://…"),
            ("postgress://me:secret@host/db", "postgress://me:…@host/db"),
            ("postgres:me:secret@host/db", "postgres:…@host/db"),
            ("me:sec/ret@host/db", "me:…@host/db"),
            ("host=h user=me password=secret", "host=h"),
            ("password=secret host=h", ""),
            ("sqlite:a@b?c.db", "sqlite:a@b?c.db"),
        ] {
            let url = DatabaseUrl::from(url);
            assert_eq!(url.to_string(), shown);
            assert_eq!(format!("{url:?}"), format!("DatabaseUrl({shown})"));
        }
    }
}
