//! Connections as an access file says.

use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rustls::crypto::ring;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, ClientTlsConfig, Endpoint};
use tonic::{Request, Status};

use crate::file::AccessFile;
use crate::pin::Pin;
use crate::token::Token;
use crate::verifier::PinVerifier;

/// A server that has not shown who it is after this long is taken for one that does not answer.
const HANDSHAKE: Duration = Duration::from_secs(5);

/// A connection whose requests carry the token.
pub type Connection = InterceptedService<Channel, Bearer>;

/// What connections go by, which may become another thing while they last: the token that requests carry, and the authorities
/// that may vouch for the coordinator. Clones share it. `Debug` and logs do not show the token.
#[derive(Debug, Clone)]
pub struct Current(Arc<RwLock<Known>>);

#[derive(Debug)]
struct Known {
    token: Option<MetadataValue<Ascii>>,
    pins: Vec<Pin>,
}

impl Known {
    fn of(access: &AccessFile) -> Known {
        Known { token: header(access.token.as_ref()), pins: access.ca.clone() }
    }
}

/// What of an access file is another thing than before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Changed {
    /// The token.
    pub token: bool,
    /// The authorities.
    pub authorities: bool,
}

impl Current {
    /// What this file says.
    #[must_use]
    pub fn of(access: &AccessFile) -> Current {
        Current(Arc::new(RwLock::new(Known::of(access))))
    }

    /// Goes by what this file says from now on; answers what is another thing than before. Its address is not looked at.
    #[must_use]
    pub fn set(&self, access: &AccessFile) -> Changed {
        let known = Known::of(access);
        let mut current = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let changed =
            Changed { token: current.token != known.token, authorities: current.pins != known.pins };
        *current = known;
        changed
    }

    /// Whether this authority may vouch for the coordinator.
    pub(crate) fn knows(&self, pin: Pin) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).pins.contains(&pin)
    }

    fn token(&self) -> Option<MetadataValue<Ascii>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).token.clone()
    }
}

fn header(token: Option<&Token>) -> Option<MetadataValue<Ascii>> {
    // A token has no letter that a header could not carry.
    let mut value: MetadataValue<Ascii> = format!("Bearer {}", token?.reveal()).parse().ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Adds the token to requests.
#[derive(Debug, Clone)]
pub struct Bearer(Current);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(token) = self.0.token() {
            request.metadata_mut().insert("authorization", token);
        }
        Ok(request)
    }
}

/// Why no connection can be made as the access file says.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The URL is none.
    #[error("`{0}` is no coordinator's address; write it like `https://login1:7700`")]
    Address(String),
    /// Encrypted, but nothing says by whom.
    #[error(
        "`{0}` is encrypted, and nothing says by which certificate the coordinator is known\nhint: name an access file, which says that: --access FILE"
    )]
    NoAuthority(String),
    /// The token would be seen by others.
    #[error(
        "`{0}` is not encrypted: others on the network would see the token\nhint: the coordinator's own access file begins with https://"
    )]
    Exposed(String),
    /// TLS cannot be set up.
    #[error("cannot set up encryption: {0}")]
    Encryption(#[from] tonic::transport::Error),
}

/// What is to be connected to; settings of time are the caller's.
///
/// # Errors
/// [`ConnectError`].
pub fn endpoint(access: &AccessFile) -> Result<Endpoint, ConnectError> {
    endpoint_with(access, &Current::of(access))
}

/// As [`endpoint`], going by authorities that may become others.
///
/// # Errors
/// [`ConnectError`].
pub fn endpoint_with(access: &AccessFile, current: &Current) -> Result<Endpoint, ConnectError> {
    let no_address = || ConnectError::Address(access.url.clone());
    let endpoint = Endpoint::from_shared(access.url.clone()).map_err(|_| no_address())?;
    let host = endpoint.uri().host().ok_or_else(no_address)?.to_owned();
    match endpoint.uri().scheme_str() {
        Some("https") if access.ca.is_empty() => Err(ConnectError::NoAuthority(access.url.clone())),
        Some("https") => {
            let verifier = PinVerifier::new(current.clone(), Arc::new(ring::default_provider()));
            let tls = ClientTlsConfig::new().timeout(HANDSHAKE);
            Ok(endpoint.tls_config_with_verifier(tls, Arc::new(verifier))?)
        }
        Some("http") if access.token.is_some() && !is_loopback(&host) => {
            Err(ConnectError::Exposed(access.url.clone()))
        }
        Some("http") => Ok(endpoint),
        _ => Err(no_address()),
    }
}

/// The channel, with the token.
#[must_use]
pub fn connection(channel: Channel, token: Option<&Token>) -> Connection {
    let known = Known { token: header(token), pins: Vec::new() };
    connection_with(channel, &Current(Arc::new(RwLock::new(known))))
}

/// The channel, with a token that may become another one.
#[must_use]
pub fn connection_with(channel: Channel, current: &Current) -> Connection {
    InterceptedService::new(channel, Bearer(current.clone()))
}

/// Why a connection failed: the innermost cause, in its own words.
#[must_use]
pub fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    // As rustls calls whatever a verifier of certificates says.
    cause.to_string().trim_start_matches("unexpected error: ").to_owned()
}

/// Whether nobody but this machine hears what is said to the host.
fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
