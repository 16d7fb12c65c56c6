//! Whether a server is the coordinator that a client knows.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use crate::authority::NAME;
use crate::connect::Current;
use crate::pin::Pin;

/// Takes a certificate that one of the known authorities has given to a coordinator, or to the host that was asked for. The
/// authority comes with the certificate: clients know only its digest.
#[derive(Debug)]
pub(crate) struct PinVerifier {
    known: Current,
    provider: Arc<CryptoProvider>,
}

impl PinVerifier {
    pub(crate) fn new(known: Current, provider: Arc<CryptoProvider>) -> PinVerifier {
        PinVerifier { known, provider }
    }

    fn algorithms(&self) -> WebPkiSupportedAlgorithms {
        self.provider.signature_verification_algorithms
    }
}

impl ServerCertVerifier for PinVerifier {
    fn verify_server_cert(
        &self,
        own: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        host: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let last = others.last().unwrap_or(own);
        let found = Pin::of(last);
        if !self.known.knows(found) {
            let problem = format!("its certificate authority is {found}, not the one in the access file");
            return Err(Error::General(problem));
        }
        let mut roots = RootCertStore::empty();
        roots.add(last.clone().into_owned())?;
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&self.provider))
                .build()
                .map_err(|error| Error::General(error.to_string()))?;
        let fixed = ServerName::try_from(NAME).map_err(|error| Error::General(error.to_string()))?;
        verifier
            .verify_server_cert(own, others, &fixed, ocsp, now)
            .or_else(|_| verifier.verify_server_cert(own, others, host, ocsp, now))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms().supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use rustls::crypto::ring;
    use rustls::pki_types::pem::PemObject as _;

    use super::*;
    use crate::authority::Authority;
    use crate::file::AccessFile;

    fn chain(authority: &Authority) -> Vec<CertificateDer<'static>> {
        let identity = authority.identity().unwrap();
        CertificateDer::pem_slice_iter(identity.chain.as_bytes()).map(Result::unwrap).collect()
    }

    #[test]
    fn only_a_certificate_that_the_known_authority_has_signed_is_taken_whatever_comes_with_it() {
        let (known, foreign) = (Authority::new().unwrap(), Authority::new().unwrap());
        let (own, others) = (chain(&known), chain(&foreign));
        let access = AccessFile { ca: vec![Pin::of(&own[1])], ..AccessFile::open("https://login1") };
        let verifier = PinVerifier::new(Current::of(&access), Arc::new(ring::default_provider()));
        let host = ServerName::try_from("login1").unwrap();
        let takes = |own: &CertificateDer<'_>, others: &[CertificateDer<'_>]| {
            verifier.verify_server_cert(own, others, &host, &[], UnixTime::now()).is_ok()
        };
        assert!(takes(&own[0], &own[1..]));
        assert!(takes(&chain(&known)[0], &own[1..]), "as after a coordinator's next start");
        assert!(!takes(&others[0], &others[1..]));
        assert!(!takes(&others[0], &own[1..]), "the known authority beside what it has not signed");
        assert!(!takes(&others[0], &[others[1].clone(), own[1].clone()]));
        assert!(!takes(&own[0], &[]), "nothing that is known");
        assert!(!takes(&own[1], &[]), "an authority is no coordinator");
    }
}
