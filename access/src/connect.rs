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
use crate::token::Token;
use crate::verifier::PinVerifier;

/// A server that has not shown who it is after this long is taken for one that does not answer.
const HANDSHAKE: Duration = Duration::from_secs(5);

/// A connection whose requests carry the token.
pub type Connection = InterceptedService<Channel, Bearer>;

/// The token that requests carry, which may become another one while connections last. Clones share it. `Debug` and logs do not
/// show it.
#[derive(Debug, Clone)]
pub struct CurrentToken(Arc<RwLock<Option<MetadataValue<Ascii>>>>);

impl CurrentToken {
    /// This one, or none.
    #[must_use]
    pub fn new(token: Option<&Token>) -> CurrentToken {
        CurrentToken(Arc::new(RwLock::new(header(token))))
    }

    /// Has requests carry this one from now on; answers whether that is another one.
    #[must_use]
    pub fn set(&self, token: Option<&Token>) -> bool {
        let header = header(token);
        let mut current = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let is_other = *current != header;
        *current = header;
        is_other
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
pub struct Bearer(CurrentToken);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(token) = &*self.0.0.read().unwrap_or_else(PoisonError::into_inner) {
            request.metadata_mut().insert("authorization", token.clone());
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
    let no_address = || ConnectError::Address(access.url.clone());
    let endpoint = Endpoint::from_shared(access.url.clone()).map_err(|_| no_address())?;
    let host = endpoint.uri().host().ok_or_else(no_address)?.to_owned();
    match endpoint.uri().scheme_str() {
        Some("https") if access.ca.is_empty() => Err(ConnectError::NoAuthority(access.url.clone())),
        Some("https") => {
            let verifier = PinVerifier::new(access.ca.clone(), Arc::new(ring::default_provider()));
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
    connection_with(channel, &CurrentToken::new(token))
}

/// The channel, with a token that may become another one.
#[must_use]
pub fn connection_with(channel: Channel, token: &CurrentToken) -> Connection {
    InterceptedService::new(channel, Bearer(token.clone()))
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
