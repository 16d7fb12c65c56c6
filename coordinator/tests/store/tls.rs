//! A connection to Postgres is encrypted where its URL says so.
//!
//! The server that tests fetch was built without TLS, so a proxy before it speaks TLS, as poolers and clouds' front
//! ends do: after the client's `SSLRequest` (PostgreSQL manual, "Message Flow", "SSL Session Encryption").

use std::sync::Arc;

use acai_coordinator::store::Store;
use acai_coordinator::store::postgres::PostgresStore;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::{database, sweep};

const CERTIFICATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/store/tls/certificate.pem");
/// Eight bytes: their number, then what no version of the protocol is called.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

fn acceptor() -> TlsAcceptor {
    let certificate = CertificateDer::from_pem_file(CERTIFICATE).unwrap();
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("tls/key.pem")).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

/// Starts a proxy before `server` that takes nothing but TLS; answers its port.
async fn proxy(server: String) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let server = server.clone();
            tokio::spawn(async move {
                let mut first = [0; 8];
                client.read_exact(&mut first).await?;
                if first != SSL_REQUEST {
                    return Ok(());
                }
                client.write_all(b"S").await?;
                let mut client = acceptor().accept(client).await?;
                copy_bidirectional(&mut client, &mut TcpStream::connect(server).await?).await.map(drop)
            });
        }
    });
    port
}

/// URLs of a new database: through a proxy, and of the server itself.
async fn databases() -> Option<(String, String)> {
    let url = database()?;
    let (credentials, rest) = url.split_once('@').unwrap();
    let (server, name) = rest.split_once('/').unwrap();
    let port = proxy(server.to_owned()).await;
    Some((format!("{credentials}@localhost:{port}/{name}"), url))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_url_asks_of_tls_is_kept() {
    let Some((by_tls, plain)) = databases().await else { return };
    for accepted in ["sslmode=require", &format!("sslmode=verify-full&sslrootcert={CERTIFICATE}")] {
        let store = PostgresStore::open(&format!("{by_tls}?{accepted}"), None).await.unwrap();
        store.sweep_submit(sweep("s", &[0.1])).await.unwrap();
    }
    let unknown = PostgresStore::open(&format!("{by_tls}?sslmode=verify-full"), None).await.unwrap_err();
    assert!(unknown.to_string().contains("certificate"), "{unknown}");
    let unencrypted = PostgresStore::open(&format!("{plain}?sslmode=require"), None).await.unwrap_err();
    assert!(unencrypted.to_string().contains("TLS"), "{unencrypted}");
}
