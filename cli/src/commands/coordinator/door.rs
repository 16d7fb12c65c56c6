//! How clients come in: certificates, tokens, and the access files by which the user's own commands find the coordinator.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use acai_access::{AccessFile, Authority, Identity, Pin, Scope, Token};
use acai_coordinator::store::{Store, TokenRecord};
use acai_coordinator::use_cases::UseCases;
use acai_coordinator::{Door, Guard, LeaseTerms};
use acai_dashboard::Hosts;
use anyhow::{Context, bail};

use super::{allowance, another};
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
    pub(super) lines: Vec<String>,
    /// What tells commands on this machine where a coordinator is that asks for nothing.
    _published: Option<Published>,
}

/// Opens the door as the arguments say; `file` is the database's, if it is one.
pub(super) async fn open(
    arguments: &CoordinatorArguments,
    store: &Arc<dyn Store>,
    terms: LeaseTerms,
    file: Option<&Path>,
    address: SocketAddr,
) -> anyhow::Result<Opened> {
    if arguments.auth == Authentication::None {
        let url = format!("http://{address}");
        let _published = file.and_then(|file| access::publish(&AccessFile::open(&url), file));
        let mut door = Door::open();
        door.pages = Some(acai_dashboard::pages(hosts(arguments)));
        let lines = vec![format!("dashboard: {url}/")];
        return Ok(Opened { door, url, lines, _published });
    }
    if let Some(error) = file.and_then(|file| access::forget_killed(file).err()) {
        tracing::warn!("commands may look for this coordinator where another one was: {error}");
    }
    let (identity, ca) = identity(arguments, &**store).await?;
    let url = arguments.url.clone().unwrap_or_else(|| url(address));
    let own = AccessFile { url: url.clone(), ca, token: None };
    let files = Files {
        asked: arguments.access_file.as_deref(),
        database: file,
        users: access::default_path(),
        listens: address,
    };
    let mut lines = files.hand_out(&UseCases::new(Arc::clone(store), terms), own).await?;
    let guard = Guard::limited(Arc::clone(store), allowance::of(arguments));
    let mut door = Door::new(guard, Some(identity));
    door.pages = Some(acai_dashboard::pages(hosts(arguments)));
    lines.push(dashboard(&door.guard, address));
    Ok(Opened { door, url, lines, _published: None })
}

/// The names by which browsers may call the coordinator, besides its addresses.
fn hosts(arguments: &CoordinatorArguments) -> Hosts {
    let of_url = arguments.url.as_deref().and_then(|url| url.split_once("://")).map(|(_, rest)| rest);
    let of_url = of_url.and_then(|rest| rest.split(['/', ':']).next()).map(str::to_owned);
    Hosts::and(arguments.public_host.iter().cloned().chain(of_url))
}

/// Where a browser on this machine finds the dashboard: unencrypted, since what stays on the machine needs no certificate that
/// a browser would not know.
fn dashboard(guard: &Guard, address: SocketAddr) -> String {
    let local = match address.ip() {
        ip if ip.is_loopback() => Some(address),
        ip if ip.is_unspecified() => Some(SocketAddr::from(([127, 0, 0, 1], address.port()))),
        _ => None,
    };
    match local {
        Some(local) => format!(
            "dashboard: http://{local}{} (once, within an hour; `acai dashboard` makes other links)",
            acai_dashboard::invitation(&guard.invite())
        ),
        None => "dashboard: `acai dashboard` opens it in a browser".to_owned(),
    }
}

/// What the coordinator shows of itself, and by what clients know it: what it was given, or else a new certificate of its
/// database's authority. While that is exchanged, clients know the next one too.
async fn identity(
    arguments: &CoordinatorArguments,
    store: &dyn Store,
) -> anyhow::Result<(Identity, Vec<Pin>)> {
    let (Some(certificate), Some(key)) = (&arguments.tls_cert, &arguments.tls_key) else {
        let identity = store.authority(Authority::new()?).await?.identity()?;
        let known = store.authority_list().await?;
        return Ok((identity, known.iter().map(Authority::pin).collect::<Result<_, _>>()?));
    };
    let read =
        |path: &Path| fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()));
    let given = Identity::given(read(certificate)?, read(key)?);
    given
        .and_then(|given| given.certified().map(|_| (given.clone(), vec![given.pin])))
        .with_context(|| format!("cannot use `{}` with `{}`", certificate.display(), key.display()))
}

/// The address that others reach: this machine's name where the coordinator listens to all of its addresses.
fn url(address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        return format!("https://{host}:{}", address.port());
    }
    format!("https://{address}")
}

/// Where access files of whoever started the coordinator may be.
struct Files<'a> {
    /// As the command line says.
    asked: Option<&'a Path>,
    database: Option<&'a Path>,
    /// The user's own, which may be another coordinator's.
    users: Option<PathBuf>,
    /// Where this coordinator listens.
    listens: SocketAddr,
}

impl Files<'_> {
    /// Writes the files that are missing or no longer true; answers what to say of them. Files of other coordinators stay
    /// as they are.
    async fn hand_out(mut self, use_cases: &UseCases, own: AccessFile) -> anyhow::Result<Vec<String>> {
        let known = use_cases.tokens().await?;
        self.users = self.users.filter(|path| is_free(path, &own, &known));
        let left = self.leave_to_another(&own.url).await;
        let mut lines = self.fill(use_cases, &known, own).await?;
        lines.extend(left);
        Ok(lines)
    }

    /// Leaves the user's own file as it is where another coordinator answers at its address: this one's database may be a
    /// copy, which is only tried out, and the user's commands are about the other one's. Answers what to say of that.
    async fn leave_to_another(&mut self, url: &str) -> Option<String> {
        let users = self.users.as_deref().filter(|users| self.asked != Some(*users))?;
        let there = access::read(users).ok()??.url;
        if there == url || !another::answers(&there, self.listens).await {
            return None;
        }
        let own = self.asked.map(Path::to_owned).or_else(|| self.database.map(access::beside));
        let own = own.map_or_else(|| "FILE".to_owned(), |path| path.display().to_string());
        let note = format!(
            "access: `{}` stays as it is, since a coordinator answers at `{there}`, where it leads\nhint: commands reach this one with --access {own}",
            users.display()
        );
        self.users = None;
        Some(note)
    }

    /// Writes the files that are left. Of a Postgres, which has many coordinators, only the first makes a token unless a
    /// file is asked for.
    async fn fill(
        self,
        use_cases: &UseCases,
        known: &[TokenRecord],
        own: AccessFile,
    ) -> anyhow::Result<Vec<String>> {
        let users = self.users;
        let first = match (self.asked, self.database) {
            (Some(asked), _) if !is_free(asked, &own, known) => {
                bail!(
                    "`{}` is not this coordinator's access file, and is not replaced\nhint: name another one",
                    asked.display()
                );
            }
            (Some(asked), _) => Some(asked.to_owned()),
            (None, Some(database)) => Some(access::beside(database)),
            (None, None) => users.clone(),
        };
        let files: Vec<PathBuf> = first.into_iter().chain(users).collect();
        let token = files.iter().find_map(|path| valid_token(path, known));
        let token = match token {
            Some(token) => token,
            None if self.asked.is_none() && self.database.is_none() && !known.is_empty() => {
                return Ok(Vec::new());
            }
            None if files.is_empty() => {
                return Ok(vec!["access: nobody has a token yet\nhint: start the coordinator once with --access-file FILE".to_owned()]);
            }
            None => match use_cases.create_token(NAME, Scope::Admin, None).await {
                Ok(token) => token,
                // A coordinator whose disk is full serves all the same; clients that have an access file find it.
                Err(error) => return Ok(vec![format!("warning: no access file is written: {error}")]),
            },
        };
        Ok(write(&AccessFile { token: Some(token), ..own }, files))
    }
}

/// Writes the access file to all of these places; answers what to say of that.
fn write(access: &AccessFile, mut files: Vec<PathBuf>) -> Vec<String> {
    files.dedup();
    let mut lines = Vec::new();
    let mut written = Vec::new();
    for path in files {
        match access::write(access, &path) {
            Ok(()) => written.push(path.display().to_string()),
            Err(error) => lines.push(format!("warning: {error:#}")),
        }
    }
    if !written.is_empty() {
        let written = written.join(" and ");
        lines.insert(0, format!("access: {written}; `acai access create` makes files for others"));
    }
    lines
}

/// Whether there is no file, or one of this coordinator: with its authority, or with a token of its database.
fn is_free(path: &Path, own: &AccessFile, known: &[TokenRecord]) -> bool {
    match access::read(path) {
        Ok(None) => true,
        Ok(Some(there)) => {
            there.ca.iter().any(|pin| own.ca.contains(pin)) || valid_token(path, known).is_some()
        }
        Err(_) => false,
    }
}

/// The admin's token in the file at `path`, if the coordinator still takes it.
fn valid_token(path: &Path, known: &[TokenRecord]) -> Option<Token> {
    let token = access::read(path).ok()??.token?;
    let is_valid = |known: &TokenRecord| {
        known.digest == token.digest()
            && known.scope == Scope::Admin
            && known.revoked_ms.is_none()
            && known.expires_ms.is_none()
    };
    known.iter().any(is_valid).then_some(token)
}
