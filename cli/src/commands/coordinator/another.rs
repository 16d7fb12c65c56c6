//! Whether another coordinator answers where an access file leads.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;
use tonic::transport::Uri;

/// Who has accepted no connection after this long does not answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// Whether somebody accepts connections at the URL who is not this coordinator, which listens at `own` already.
pub(super) async fn answers(url: &str, own: SocketAddr) -> bool {
    let Some(place) = place(url) else { return false };
    let Ok(Ok(stream)) = timeout(PATIENCE, TcpStream::connect(place)).await else { return false };
    let (Ok(there), Ok(from)) = (stream.peer_addr(), stream.local_addr()) else { return false };
    !is_own(there, from.ip(), own)
}

/// The host and the port of a URL.
fn place(url: &str) -> Option<String> {
    let uri: Uri = url.parse().ok()?;
    let usual = if uri.scheme_str() == Some("https") { 443 } else { 80 };
    Some(format!("{}:{}", uri.host()?, uri.port_u16().unwrap_or(usual)))
}

/// Whether a connection from an address to another one has come to a coordinator that listens at `own`. A machine reaches
/// itself by loopback addresses, and by any other of its own from that very address.
fn is_own(there: SocketAddr, from: IpAddr, own: SocketAddr) -> bool {
    let is_this_machine = there.ip().is_loopback() || there.ip() == from;
    let is_listened_at = there.ip() == own.ip() || (own.ip().is_unspecified() && is_this_machine);
    there.port() == own.port() && is_listened_at
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn whoever_accepts_connections_answers_but_for_this_coordinator_itself() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let url = format!("https://{address}");
        let port = address.port();
        let other: SocketAddr = "127.0.0.1:1".parse().unwrap();
        assert!(answers(&url, other).await);
        assert!(!answers(&url, address).await, "this coordinator under another name");
        let everywhere: SocketAddr = format!("0.0.0.0:{port}").parse().unwrap();
        assert!(!answers(&url, everywhere).await, "this coordinator, which listens at all addresses");
        drop(listener);
        assert!(!answers(&url, other).await);
        assert!(!answers("no url", other).await);
    }

    #[test]
    fn the_port_that_a_url_leaves_out_is_the_usual_one() {
        assert_eq!(place("https://host:7700").as_deref(), Some("host:7700"));
        assert_eq!(place("https://[::1]:7700/").as_deref(), Some("[::1]:7700"));
        assert_eq!(place("https://host").as_deref(), Some("host:443"));
        assert_eq!(place("http://host").as_deref(), Some("host:80"));
    }
}
