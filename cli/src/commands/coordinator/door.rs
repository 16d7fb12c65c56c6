//! How clients come in: certificates, tokens, and the access files by which the user's own commands find the coordinator.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use acai_access::{AccessFile, Authority, Identity, Scope, Token};
use acai_coordinator::store::Store;
use acai_coordinator::use_cases::UseCases;
use acai_coordinator::{Door, Guard, LeaseTerms};
use anyhow::Context;

use crate::access::{self, Published};
use crate::args::{Authentication, CoordinatorArguments};

/// For whom the token is that a coordinator makes itself.
const NAME: &str = "who started the coordinator";

/// How clients come in.
pub(super) struct Opened {
    pub(super) door: Door,
    /// How they reach the coordinator.
    pub(super) url: String,
    /// What to say of access files.
    pub(super) line: Option<String>,
    /// What tells commands on this machine where an open coordinator is.
    _published: Option<Published>,
}

pub(super) async fn open(
    arguments: &CoordinatorArguments,
    store: &Arc<dyn Store>,
    terms: LeaseTerms,
    file: Option<&Path>,
    address: SocketAddr,
) -> anyhow::Result<Opened> {
    if arguments.auth == Authentication::None {
        let url = arguments.url.clone().unwrap_or_else(|| format!("http://{address}"));
        let open = AccessFile::open(&format!("http://{address}"));
        let _published = file.and_then(|file| access::publish(&open, file));
        return Ok(Opened { door: Door::open(), url, line: None, _published });
    }
    let identity = identity(arguments, &**store).await?;
    let url = arguments.url.clone().unwrap_or_else(|| url(address));
    let own = AccessFile { url: url.clone(), ca: vec![identity.pin], token: None };
    let use_cases = UseCases::new(Arc::clone(store), terms);
    let line = hand_out(&use_cases, own, arguments.access_file.as_deref(), file).await;
    // A coordinator whose disk is full serves all the same; clients that have an access file find it.
    let line = line.unwrap_or_else(|error| Some(format!("warning: there is no access file: {error:#}")));
    let door = Door { guard: Guard::stored(Arc::clone(store)), identity: Some(identity) };
    Ok(Opened { door, url, line, _published: None })
}

/// What the coordinator shows of itself: what it was given, or else a new certificate of its database's authority.
async fn identity(arguments: &CoordinatorArguments, store: &dyn Store) -> anyhow::Result<Identity> {
    if let (Some(certificate), Some(key)) = (&arguments.tls_cert, &arguments.tls_key) {
        let read = |path: &Path| {
            fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))
        };
        let given = Identity::given(read(certificate)?, read(key)?);
        return given.with_context(|| format!("cannot use `{}`", certificate.display()));
    }
    Ok(store.authority(Authority::new()?).await?.identity()?)
}

/// The address that others reach: this machine's name where the coordinator listens to all of its addresses.
fn url(address: SocketAddr) -> String {
    let port = address.port();
    if address.ip().is_unspecified() {
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        return format!("https://{host}:{port}");
    }
    format!("https://{address}")
}

/// Writes the access files of whoever started the coordinator; answers what to say of that. Of a Postgres, which has many
/// coordinators, only the first makes a token unless a file is asked for.
async fn hand_out(
    use_cases: &UseCases,
    own: AccessFile,
    asked: Option<&Path>,
    database: Option<&Path>,
) -> anyhow::Result<Option<String>> {
    let wanted = asked.map(Path::to_owned).or_else(|| database.map(access::beside));
    let users = access::default_path();
    let Some(path) = wanted.or_else(|| users.clone()) else { return Ok(None) };
    let token = match valid_token(use_cases, &path).await? {
        Some(token) => token,
        None if asked.is_none() && database.is_none() && !use_cases.tokens().await?.is_empty() => {
            return Ok(None);
        }
        None => use_cases.create_token(NAME, Scope::Admin, None).await?,
    };
    let access = AccessFile { token: Some(token), ..own };
    let mut written: Vec<PathBuf> = Vec::new();
    for path in [Some(path), users].into_iter().flatten() {
        let is_first = written.is_empty();
        if !written.contains(&path) && (is_first || is_free(&path, &access)) {
            access::write(&access, &path)?;
            written.push(path);
        }
    }
    let names: Vec<String> = written.iter().map(|path| path.display().to_string()).collect();
    Ok(Some(format!("access: {}; `acai access create` makes files for others", names.join(" and "))))
}

/// The admin's token in the file at `path`, if the coordinator still knows it.
async fn valid_token(use_cases: &UseCases, path: &Path) -> anyhow::Result<Option<Token>> {
    let Some(token) = access::read(path).ok().flatten().and_then(|access| access.token) else {
        return Ok(None);
    };
    let tokens = use_cases.tokens().await?;
    let is_valid = tokens.iter().any(|known| {
        known.digest == token.digest()
            && known.scope == Scope::Admin
            && known.revoked_ms.is_none()
            && known.expires_ms.is_none()
    });
    Ok(is_valid.then_some(token))
}

/// Whether the user's own file is not there, or is of this coordinator.
fn is_free(path: &Path, access: &AccessFile) -> bool {
    access::read(path).is_ok_and(|there| there.is_none_or(|there| there.ca == access.ca))
}
