//! Connections that can be cut.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tonic::transport::server::Connected;

/// A connection that breaks at the next change of a channel.
pub(super) struct Severable {
    stream: TcpStream,
    /// None once it is cut.
    whole: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Severable {
    pub(super) fn new(stream: TcpStream, mut cuts: watch::Receiver<u64>) -> Self {
        cuts.mark_unchanged();
        let cut = async move {
            // The sender lives as long as the proxies.
            let _ = cuts.changed().await;
        };
        Severable { stream, whole: Some(Box::pin(cut)) }
    }

    fn check(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        if self.whole.as_mut().is_some_and(|cut| cut.as_mut().poll(context).is_ready()) {
            self.whole = None;
        }
        if self.whole.is_none() { Err(io::ErrorKind::ConnectionReset.into()) } else { Ok(()) }
    }
}

impl Connected for Severable {
    type ConnectInfo = ();

    fn connect_info(&self) {}
}

impl AsyncRead for Severable {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check(context)?;
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Severable {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check(context)?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
