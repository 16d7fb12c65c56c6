//! Connections, and how many at a time.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::{Sleep, sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::server::{Connected, TcpConnectInfo};

use crate::listener::{Listener, Socket};

/// Pause after a connection that could not be accepted: for want of file descriptors, as a rule.
const PAUSE: Duration = Duration::from_millis(100);

/// Bytes with which a client of HTTP/2 begins; once they have come, the transport pings it.
const GREETING_BYTES: usize = 24;

/// The first byte of every connection that is encrypted.
const TLS_HANDSHAKE: u8 = 0x16;

/// The connections that `listener` accepts, encrypted if there is a `tls`, at most `most` at a time: others wait to be accepted
/// until one ends. From this machine itself a connection may come unencrypted all the same, as those of browsers do: nobody
/// else hears it. One that does not greet in time, be it in the words of TLS or, encrypted, in those of HTTP/2, ends by
/// itself. The listener closes when the stream is dropped.
///
/// Needs a tokio runtime.
pub(crate) fn connections<L: Listener>(
    listener: L,
    tls: Option<TlsAcceptor>,
    most: usize,
    greeting: Duration,
) -> ReceiverStream<io::Result<Connection<L::Socket>>> {
    let (accepted, stream) = mpsc::channel(1);
    tokio::spawn(async move {
        tokio::select! {
            () = accept(&listener, tls.as_ref(), most, greeting, &accepted) => {}
            () = accepted.closed() => {}
        }
    });
    ReceiverStream::new(stream)
}

async fn accept<L: Listener>(
    listener: &L,
    tls: Option<&TlsAcceptor>,
    most: usize,
    greeting: Duration,
    accepted: &mpsc::Sender<io::Result<Connection<L::Socket>>>,
) {
    let places = Arc::new(Semaphore::new(most));
    loop {
        if places.available_permits() == 0 {
            tracing::warn!("{most} connections are open; further ones wait until one ends");
        }
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match (listener.accept().await, tls) {
            (Ok(socket), None) => {
                let connection = Connection::new(Stream::Plain(socket), greeting, place);
                if accepted.send(Ok(connection)).await.is_err() {
                    return;
                }
            }
            // Beside the others, which do not wait for who is slow to greet.
            (Ok(socket), Some(tls)) => {
                tokio::spawn(greet(socket, tls.clone(), greeting, place, accepted.clone()));
            }
            (Err(error), _) => {
                tracing::warn!("cannot accept a connection: {error}");
                sleep(PAUSE).await;
            }
        }
    }
}

/// Hands a connection over once its other side has said how it speaks and, encrypted, knows who we are.
async fn greet<S: Socket>(
    mut socket: S,
    tls: TlsAcceptor,
    greeting: Duration,
    place: OwnedSemaphorePermit,
    accepted: mpsc::Sender<io::Result<Connection<S>>>,
) {
    let stream = async {
        if is_local(&socket) && !begins_tls(&mut socket).await? {
            return Ok(Stream::Plain(socket));
        }
        Ok(Stream::Tls(Box::new(tls.accept(socket).await?)))
    };
    match timeout(greeting, stream).await {
        Ok(Ok(stream)) => {
            let connection = Connection::new(stream, greeting, place);
            // Refused only by a server that ends.
            let _ = accepted.send(Ok(connection)).await;
        }
        Ok(Err::<_, io::Error>(error)) => {
            tracing::debug!("a connection that is not encrypted as it should be: {error}");
        }
        Err(_) => tracing::debug!("a connection that says nothing"),
    }
}

/// Whether the other side is on this machine.
fn is_local(socket: &impl Socket) -> bool {
    socket.ends().remote_addr().is_some_and(|address| address.ip().to_canonical().is_loopback())
}

async fn begins_tls(socket: &mut impl Socket) -> io::Result<bool> {
    let mut first = [0];
    Ok(socket.peek(&mut first).await? == 0 || first == [TLS_HANDSHAKE])
}

/// A connection that gives its place to another when it ends.
#[derive(Debug)]
pub(crate) struct Connection<S> {
    stream: Stream<S>,
    /// Bytes of the greeting that have come.
    greeted: usize,
    /// Ends when the greeting should be there.
    silent: Pin<Box<Sleep>>,
    _place: OwnedSemaphorePermit,
}

impl<S> Connection<S> {
    fn new(stream: Stream<S>, greeting: Duration, place: OwnedSemaphorePermit) -> Connection<S> {
        Connection { stream, greeted: 0, silent: Box::pin(sleep(greeting)), _place: place }
    }
}

#[derive(Debug)]
enum Stream<S> {
    Plain(S),
    Tls(Box<TlsStream<S>>),
}

impl<S> Stream<S> {
    fn socket(&self) -> &S {
        match self {
            Stream::Plain(socket) => socket,
            Stream::Tls(stream) => stream.get_ref().0,
        }
    }
}

/// The same call on either kind of stream.
macro_rules! either {
    ($connection:ident.$call:ident($($argument:expr),*)) => {
        match &mut $connection.stream {
            Stream::Plain(stream) => Pin::new(stream).$call($($argument),*),
            Stream::Tls(stream) => Pin::new(stream.as_mut()).$call($($argument),*),
        }
    };
}

impl<S: Socket> Connected for Connection<S> {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> TcpConnectInfo {
        self.stream.socket().ends()
    }
}

impl<S: Socket> AsyncRead for Connection<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = either!(self.poll_read(context, buffer));
        if self.greeted < GREETING_BYTES {
            self.greeted += buffer.filled().len() - before;
            if polled.is_pending() && self.silent.as_mut().poll(context).is_ready() {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
        }
        polled
    }
}

impl<S: Socket> AsyncWrite for Connection<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        either!(self.poll_write(context, bytes))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        either!(self.poll_write_vectored(context, slices))
    }

    fn is_write_vectored(&self) -> bool {
        match &self.stream {
            Stream::Plain(stream) => stream.is_write_vectored(),
            Stream::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self.poll_flush(context))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self.poll_shutdown(context))
    }
}

#[cfg(test)]
mod tests {
    use acai_access::authority::NAME;
    use acai_access::{AccessFile, Authority, Identity, Shown, endpoint};
    use rustls::crypto::ring;
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject as _;
    use rustls::{ClientConfig, RootCertStore};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::time::timeout;
    use tokio_rustls::TlsConnector;
    use tokio_stream::StreamExt;

    use super::*;

    const SOON: Duration = Duration::from_millis(50);
    const LATE: Duration = Duration::from_secs(10);

    #[tokio::test]
    async fn a_connection_beyond_the_most_is_accepted_when_another_ends() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut connections = connections(listener, None, 1, LATE);
        let mut clients =
            [TcpStream::connect(address).await.unwrap(), TcpStream::connect(address).await.unwrap()];
        let first = timeout(LATE, connections.next()).await.unwrap().unwrap().unwrap();
        assert!(timeout(SOON, connections.next()).await.is_err(), "a second one is let in");
        drop(first);
        assert_eq!(timeout(LATE, clients[0].read(&mut [0])).await.unwrap().unwrap(), 0, "it has ended");
        let second = timeout(LATE, connections.next()).await.unwrap().unwrap().unwrap();
        assert_eq!(second.stream.socket().peer_addr().unwrap(), clients[1].local_addr().unwrap());
    }

    #[tokio::test]
    async fn a_connection_that_says_nothing_is_closed_and_one_that_greets_is_not() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut connections = connections(listener, None, 2, SOON);
        let (mut greeting, _silent) =
            (TcpStream::connect(address).await.unwrap(), TcpStream::connect(address).await.unwrap());
        let mut greeted = connections.next().await.unwrap().unwrap();
        let mut silent = connections.next().await.unwrap().unwrap();
        greeting.write_all(&[b'P'; GREETING_BYTES]).await.unwrap();
        greeted.read_exact(&mut [0; GREETING_BYTES]).await.unwrap();
        let ended = silent.read(&mut [0]).await.unwrap_err();
        assert_eq!(ended.kind(), io::ErrorKind::TimedOut);
        assert!(timeout(4 * SOON, greeted.read(&mut [0])).await.is_err(), "it may be silent now");
    }

    #[tokio::test]
    async fn an_encrypted_connection_that_says_nothing_is_closed_before_and_after_its_handshake() {
        let identity = Authority::new().unwrap().identity().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let tls = TlsAcceptor::from(Shown::new(&identity).unwrap().server().unwrap());
        let mut connections = connections(listener, Some(tls), 3, 10 * SOON);
        let mut silent = TcpStream::connect(address).await.unwrap();
        assert_eq!(timeout(LATE, silent.read(&mut [0])).await.unwrap().unwrap(), 0, "it is closed");

        let (url, ca) = (format!("https://{address}"), vec![identity.pin]);
        let access = AccessFile { url, ca, token: None };
        let client = tokio::spawn(async move { endpoint(&access).unwrap().connect().await });
        let mut greeted = timeout(LATE, connections.next()).await.unwrap().unwrap().unwrap();
        greeted.read_exact(&mut [0; GREETING_BYTES]).await.unwrap();

        let connector = TlsConnector::from(Arc::new(trusting(&identity)));
        let socket = TcpStream::connect(address).await.unwrap();
        let _silent = connector.connect(NAME.try_into().unwrap(), socket).await.unwrap();
        let mut unheard = timeout(LATE, connections.next()).await.unwrap().unwrap().unwrap();
        let ended = timeout(LATE, unheard.read(&mut [0])).await.unwrap().unwrap_err();
        assert_eq!(ended.kind(), io::ErrorKind::TimedOut);
        client.abort();
    }

    #[tokio::test]
    async fn from_this_machine_a_connection_may_come_unencrypted_to_a_port_that_encrypts() {
        let identity = Authority::new().unwrap().identity().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let tls = TlsAcceptor::from(Shown::new(&identity).unwrap().server().unwrap());
        let mut connections = connections(listener, Some(tls), 1, LATE);
        let mut client = TcpStream::connect(address).await.unwrap();
        let request = b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n";
        client.write_all(request).await.unwrap();
        let mut connection = timeout(LATE, connections.next()).await.unwrap().unwrap().unwrap();
        let mut heard = vec![0; request.len()];
        connection.read_exact(&mut heard).await.unwrap();
        assert_eq!(heard, request);
    }

    /// A client that knows this server's authority.
    fn trusting(identity: &Identity) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        let authority = CertificateDer::pem_slice_iter(identity.chain.as_bytes()).last().unwrap().unwrap();
        roots.add(authority).unwrap();
        let client = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let client = client.with_safe_default_protocol_versions().unwrap();
        client.with_root_certificates(roots).with_no_client_auth()
    }

    #[tokio::test]
    async fn the_listener_closes_when_nobody_takes_its_connections() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(connections(listener, None, 1, LATE));
        let refused = async {
            while TcpStream::connect(address).await.is_ok() {
                tokio::task::yield_now().await;
            }
        };
        timeout(LATE, refused).await.unwrap();
    }
}
