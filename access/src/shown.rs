//! What a server shows of itself, which may become another thing while it serves.

use std::sync::{Arc, PoisonError, RwLock};

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::authority::{AuthorityError, Identity};
use crate::pin::Pin;

/// The identity that new connections are shown. Clones share it. `Debug` does not show the key.
#[derive(Debug, Clone)]
pub struct Shown(Arc<RwLock<Current>>);

#[derive(Debug)]
struct Current {
    pin: Pin,
    is_given: bool,
    key: Arc<CertifiedKey>,
}

impl Shown {
    /// This one.
    ///
    /// # Errors
    /// [`AuthorityError`]: the key is none, or not the certificate's.
    pub fn new(identity: &Identity) -> Result<Shown, AuthorityError> {
        Ok(Shown(Arc::new(RwLock::new(current(identity)?))))
    }

    /// Shows this one to connections from now on.
    ///
    /// # Errors
    /// [`AuthorityError`], and the one before is shown.
    pub fn show(&self, identity: &Identity) -> Result<(), AuthorityError> {
        let current = current(identity)?;
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = current;
        Ok(())
    }

    /// What clients know the server by.
    #[must_use]
    pub fn pin(&self) -> Pin {
        self.0.read().unwrap_or_else(PoisonError::into_inner).pin
    }

    /// Whether it was made elsewhere, and not by the authority of a database.
    #[must_use]
    pub fn is_given(&self) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).is_given
    }

    /// How a server shows this, to clients that speak HTTP/2.
    ///
    /// # Errors
    /// [`AuthorityError`]: encryption cannot be set up.
    pub fn server(&self) -> Result<Arc<ServerConfig>, AuthorityError> {
        let mut server = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(self.clone()));
        server.alpn_protocols = vec![b"h2".to_vec()];
        Ok(Arc::new(server))
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner).key))
    }
}

fn current(identity: &Identity) -> Result<Current, AuthorityError> {
    let &Identity { pin, is_given, .. } = identity;
    Ok(Current { pin, is_given, key: Arc::new(identity.certified()?) })
}
