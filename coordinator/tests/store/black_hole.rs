//! A network between a store and its server that can swallow everything, without a word to either.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Forwards connections to a server.
pub(crate) struct Network {
    swallows: watch::Sender<bool>,
}

impl Network {
    /// A way to the server of this URL; answers the URL of the same database by this way.
    pub(crate) async fn before(url: &str) -> (Network, String) {
        let (server, database) = url.rsplit_once('@').unwrap().1.split_once('/').unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (swallows, told) = watch::channel(false);
        let by_this = format!("postgres://postgres@{address}/{database}");
        tokio::spawn(serve(listener, server.to_owned(), told));
        (Network { swallows }, by_this)
    }

    /// From now on nothing arrives, in either direction, and nobody is told: connections stay open, and new ones are
    /// taken and never answered. What was sent on them stays lost for good.
    pub(crate) fn swallow(&self) {
        self.swallows.send_replace(true);
    }

    /// New connections are forwarded again. Nothing more is heard on the old ones.
    pub(crate) fn heal(&self) {
        self.swallows.send_replace(false);
    }
}

async fn serve(listener: TcpListener, server: String, told: watch::Receiver<bool>) {
    loop {
        let (client, _) = listener.accept().await.unwrap();
        let (server, told) = (server.clone(), told.clone());
        tokio::spawn(async move {
            let _ = forward(client, &server, told).await;
        });
    }
}

async fn forward(client: TcpStream, server: &str, mut told: watch::Receiver<bool>) -> io::Result<()> {
    if *told.borrow_and_update() {
        return hold(client).await;
    }
    let mut upstream = TcpStream::connect(server).await?;
    let mut client = client;
    {
        let (mut from_client, mut to_client) = client.split();
        let (mut from_server, mut to_server) = upstream.split();
        tokio::select! {
            ended = copy(&mut from_client, &mut to_server) => return ended,
            ended = copy(&mut from_server, &mut to_client) => return ended,
            _ = told.changed() => {}
        }
    }
    hold((client, upstream)).await
}

/// Keeps connections open for as long as the test runs, and reads nothing from them.
async fn hold<T>(connections: T) -> io::Result<()> {
    std::future::pending::<()>().await;
    drop(connections);
    Ok(())
}

async fn copy(from: &mut (impl AsyncRead + Unpin), to: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
    let mut buffer = vec![0; 1 << 16];
    loop {
        match from.read(&mut buffer).await? {
            0 => return Ok(()),
            bytes => to.write_all(&buffer[..bytes]).await?,
        }
    }
}
