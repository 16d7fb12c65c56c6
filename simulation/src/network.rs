//! Connections over the simulated network, as both programs take them.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use acai_coordinator::listener;
use hyper_util::rt::TokioIo;
use rand::RngExt;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tonic::transport::server::TcpConnectInfo;
use tonic::transport::{Channel, Endpoint, Uri};
use tower::service_fn;
use turmoil::net::{TcpListener, TcpStream};

use crate::journal::Journal;
use crate::releases::{self, Release};

/// The hosts of coordinators. Where there are two they serve one database, and each connection comes to either, as by something
/// that balances load and asks them how they are.
pub(crate) const COORDINATORS: [&str; 2] = ["coordinator", "coordinator-2"];
/// The one that there always is.
pub(crate) const COORDINATOR: &str = COORDINATORS[0];
pub(crate) const PORT: u16 = 7700;

/// A coordinator's listener.
pub(crate) struct Listener(TcpListener);

impl Listener {
    pub(crate) async fn bind() -> io::Result<Listener> {
        Ok(Listener(TcpListener::bind(("0.0.0.0", PORT)).await?))
    }
}

impl listener::Listener for Listener {
    type Socket = Socket;

    async fn accept(&self) -> io::Result<Socket> {
        Ok(Socket(self.0.accept().await?.0))
    }
}

/// A connection that a coordinator has accepted.
#[derive(Debug)]
pub(crate) struct Socket(TcpStream);

impl listener::Socket for Socket {
    fn ends(&self) -> TcpConnectInfo {
        TcpConnectInfo { local_addr: self.0.local_addr().ok(), remote_addr: self.0.peer_addr().ok() }
    }

    async fn peek(&mut self, first: &mut [u8]) -> io::Result<usize> {
        self.0.peek(first).await
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

/// A channel that connects from the host `from` over the simulated network to one of the coordinators, which are of this release.
/// Each connection is noted under the names of both ends.
pub(crate) fn open(endpoint: &Endpoint, from: &'static str, release: Release, journal: &Journal) -> Channel {
    let journal = journal.clone();
    let channel = endpoint.connect_with_connector_lazy(service_fn(move |to: Uri| {
        journal.counts(from, "connect");
        let host = any(&journal.balanced());
        journal.counts(host, "is connected to");
        let place = (host, to.port_u16().unwrap_or(PORT));
        async move { Ok::<_, io::Error>(TokioIo::new(TcpStream::connect(place).await?)) }
    }));
    releases::to(release, channel, endpoint)
}

fn any(coordinators: &[&'static str]) -> &'static str {
    match coordinators {
        [only] => only,
        several => several[rand::rng().random_range(0..several.len())],
    }
}
