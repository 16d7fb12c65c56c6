//! Connections, and how many at a time.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::{Sleep, sleep};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::server::{Connected, TcpConnectInfo};

/// Pause after a connection that could not be accepted: for want of file descriptors, as a rule.
const PAUSE: Duration = Duration::from_millis(100);

/// Bytes with which a client of HTTP/2 begins; once they have come, the transport pings it.
const GREETING_BYTES: usize = 24;

/// The connections that `listener` accepts, at most `most` at a time: others wait to be accepted until one ends. One
/// that does not greet in time ends by itself. The listener closes when the stream is dropped.
///
/// Needs a tokio runtime.
pub(crate) fn connections(
    listener: TcpListener,
    most: usize,
    greeting: Duration,
) -> ReceiverStream<io::Result<Connection>> {
    let (accepted, stream) = mpsc::channel(1);
    tokio::spawn(async move {
        tokio::select! {
            () = accept(&listener, most, greeting, &accepted) => {}
            () = accepted.closed() => {}
        }
    });
    ReceiverStream::new(stream)
}

async fn accept(
    listener: &TcpListener,
    most: usize,
    greeting: Duration,
    accepted: &mpsc::Sender<io::Result<Connection>>,
) {
    let places = Arc::new(Semaphore::new(most));
    loop {
        if places.available_permits() == 0 {
            tracing::warn!("{most} connections are open; further ones wait until one ends");
        }
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let connection = listener.accept().await.and_then(|(stream, _)| {
            stream.set_nodelay(true)?;
            Ok(Connection { stream, greeted: 0, silent: Box::pin(sleep(greeting)), _place: place })
        });
        match connection {
            Ok(connection) => {
                if accepted.send(Ok(connection)).await.is_err() {
                    return;
                }
            }
            Err(error) => {
                tracing::warn!("cannot accept a connection: {error}");
                sleep(PAUSE).await;
            }
        }
    }
}

/// A connection that gives its place to another when it ends.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    /// Bytes of the greeting that have come.
    greeted: usize,
    /// Ends when the greeting should be there.
    silent: Pin<Box<Sleep>>,
    _place: OwnedSemaphorePermit,
}

impl Connected for Connection {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> TcpConnectInfo {
        self.stream.connect_info()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        if self.greeted < GREETING_BYTES {
            self.greeted += buffer.filled().len() - before;
            if polled.is_pending() && self.silent.as_mut().poll(context).is_ready() {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
        }
        polled
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::time::timeout;
    use tokio_stream::StreamExt;

    use super::*;

    const SOON: Duration = Duration::from_millis(50);
    const LATE: Duration = Duration::from_secs(10);

    #[tokio::test]
    async fn a_connection_beyond_the_most_is_accepted_when_another_ends() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut connections = connections(listener, 1, LATE);
        let mut clients =
            [TcpStream::connect(address).await.unwrap(), TcpStream::connect(address).await.unwrap()];
        let first = timeout(LATE, connections.next()).await.unwrap().unwrap().unwrap();
        assert!(timeout(SOON, connections.next()).await.is_err(), "a second one is let in");
        drop(first);
        assert_eq!(timeout(LATE, clients[0].read(&mut [0])).await.unwrap().unwrap(), 0, "it has ended");
        let second = timeout(LATE, connections.next()).await.unwrap().unwrap().unwrap();
        assert_eq!(second.stream.peer_addr().unwrap(), clients[1].local_addr().unwrap());
    }

    #[tokio::test]
    async fn a_connection_that_says_nothing_is_closed_and_one_that_greets_is_not() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut connections = connections(listener, 2, SOON);
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
    async fn the_listener_closes_when_nobody_takes_its_connections() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(connections(listener, 1, LATE));
        let refused = async {
            while TcpStream::connect(address).await.is_ok() {
                tokio::task::yield_now().await;
            }
        };
        timeout(LATE, refused).await.unwrap();
    }
}
