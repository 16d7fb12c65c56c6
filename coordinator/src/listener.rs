//! Where connections come from: the machine's network, as a rule.

use std::fmt;
use std::future::Future;
use std::io;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tonic::transport::server::{Connected, TcpConnectInfo};

/// Accepts connections.
pub trait Listener: Send + Sync + 'static {
    /// A connection.
    type Socket: Socket;

    /// The next connection. Cancel safe.
    ///
    /// # Errors
    /// One connection's; others may come.
    fn accept(&self) -> impl Future<Output = io::Result<Self::Socket>> + Send;
}

/// A connection that was accepted.
pub trait Socket: AsyncRead + AsyncWrite + fmt::Debug + Send + Sync + Unpin + 'static {
    /// Where its two ends are.
    fn ends(&self) -> TcpConnectInfo;

    /// Looks at the first bytes that come; they are still to be read. Answers how many; none at the end.
    ///
    /// # Errors
    /// The connection's.
    fn peek(&mut self, first: &mut [u8]) -> impl Future<Output = io::Result<usize>> + Send;
}

impl Listener for TcpListener {
    type Socket = TcpStream;

    async fn accept(&self) -> io::Result<TcpStream> {
        let (socket, _) = TcpListener::accept(self).await?;
        socket.set_nodelay(true)?;
        Ok(socket)
    }
}

impl Socket for TcpStream {
    fn ends(&self) -> TcpConnectInfo {
        self.connect_info()
    }

    async fn peek(&mut self, first: &mut [u8]) -> io::Result<usize> {
        TcpStream::peek(self, first).await
    }
}
