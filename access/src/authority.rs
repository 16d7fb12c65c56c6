//! The certificates of a coordinator.

use std::fmt;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose,
};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use crate::pin::Pin;

/// The name in a coordinator's certificate. Always the same, since clients know the authority: so a coordinator is found at
/// any address, also through a tunnel. Nobody else gets a certificate for it: `.internal` names are not given out.
pub const NAME: &str = "coordinator.acai.internal";

/// A certificate authority for one database's coordinators, PEM.
///
/// Whoever has the key can pretend to be one of them. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Authority {
    /// The certificate.
    pub certificate: String,
    /// The private key.
    pub key: String,
}

/// What a coordinator shows of itself: a chain of certificates from its own to one that clients know, and its key, PEM.
/// `Debug` does not show the key.
#[derive(Clone)]
pub struct Identity {
    /// The certificates, PEM.
    pub chain: String,
    /// The private key, PEM.
    pub key: String,
    /// Of the chain's last certificate: what clients know the coordinator by.
    pub pin: Pin,
    /// Whether it was made elsewhere, and not by the authority of a database.
    pub is_given: bool,
}

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// It cannot be made.
    #[error("cannot make a certificate: {0}")]
    Make(#[from] rcgen::Error),
    /// What was given is none.
    #[error("the certificate is not in PEM format: it begins with -----BEGIN CERTIFICATE-----")]
    NoCertificate,
    /// What was given as the key is none.
    #[error("the private key is not in PEM format: it begins with -----BEGIN PRIVATE KEY-----")]
    NoKey,
    /// The two do not fit together.
    #[error("the certificate and its key cannot be used: {0}")]
    Unusable(#[from] rustls::Error),
}

impl Authority {
    /// A new one, with a new key.
    ///
    /// # Errors
    /// [`AuthorityError::Make`].
    pub fn new() -> Result<Authority, AuthorityError> {
        let key = KeyPair::generate()?;
        let certificate = authority().self_signed(&key)?;
        Ok(Authority { certificate: certificate.pem(), key: key.serialize_pem() })
    }

    /// A new certificate of this authority, with a new key.
    ///
    /// # Errors
    /// [`AuthorityError`], also if this is no authority.
    pub fn identity(&self) -> Result<Identity, AuthorityError> {
        let issuer = Issuer::new(authority(), KeyPair::from_pem(&self.key)?);
        let key = KeyPair::generate()?;
        let mut parameters = CertificateParams::new([NAME.to_owned()])?;
        parameters.distinguished_name = named("acai coordinator");
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = parameters.signed_by(&key, &issuer)?;
        let identity = Identity::given(certificate.pem() + &self.certificate, key.serialize_pem())?;
        Ok(Identity { is_given: false, ..identity })
    }

    /// What clients know this authority's coordinators by.
    ///
    /// # Errors
    /// [`AuthorityError::NoCertificate`].
    pub fn pin(&self) -> Result<Pin, AuthorityError> {
        last_pin(&self.certificate)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("pin", &self.pin).finish_non_exhaustive()
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

impl Identity {
    /// One that was made elsewhere: a chain of certificates, the coordinator's own first, and its key, PEM.
    ///
    /// # Errors
    /// [`AuthorityError::NoCertificate`].
    pub fn given(chain: String, key: String) -> Result<Identity, AuthorityError> {
        let pin = last_pin(&chain)?;
        Ok(Identity { chain, key, pin, is_given: true })
    }

    /// The certificates with the key, as a server needs them.
    ///
    /// # Errors
    /// [`AuthorityError`]: the key is none, or not the certificate's.
    pub fn certified(&self) -> Result<CertifiedKey, AuthorityError> {
        let chain = CertificateDer::pem_slice_iter(self.chain.as_bytes()).collect::<Result<_, _>>();
        let chain = chain.map_err(|_| AuthorityError::NoCertificate)?;
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes()).map_err(|_| AuthorityError::NoKey)?;
        Ok(CertifiedKey::from_der(chain, key, &ring::default_provider())?)
    }
}

/// That of the last certificate in a text, PEM.
fn last_pin(certificates: &str) -> Result<Pin, AuthorityError> {
    let last = CertificateDer::pem_slice_iter(certificates.as_bytes()).last();
    last.and_then(Result::ok).map(|last| Pin::of(&last)).ok_or(AuthorityError::NoCertificate)
}

fn authority() -> CertificateParams {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = named("acai certificate authority");
    parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    parameters
}

fn named(name: &str) -> DistinguishedName {
    let mut names = DistinguishedName::new();
    names.push(DnType::CommonName, name);
    names
}
