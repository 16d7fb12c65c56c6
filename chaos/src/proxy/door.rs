//! One worker's proxy: the only coordinator that the worker knows.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use acai_access::Authority;
use acai_proto::v1::blob_service_server::BlobServiceServer;
use acai_proto::v1::worker_service_server::WorkerServiceServer;
use anyhow::Context;
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};
use tokio_stream::StreamExt;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::{Identity, Server, ServerTlsConfig};
use tonic::{Request, Status};

use super::call::{Call, Reply};
use super::connection::Severable;
use super::network::Network;
use crate::journal::Origin;
use crate::schedule::MessageFault;

/// See the module. Clones are the same door.
#[derive(Debug, Clone)]
pub struct Door {
    pub(super) network: Arc<Network>,
    pub(super) worker: usize,
}

impl Door {
    /// Opens a worker's door and answers where it is: encrypted if there is an authority that vouches for it, and for the bearer of
    /// the worker's token if workers have one. It stays open as long as the runtime.
    ///
    /// # Errors
    /// If there is no port for it, or no certificate.
    pub async fn open(
        network: Arc<Network>,
        worker: usize,
        authority: Option<&Authority>,
    ) -> anyhow::Result<SocketAddr> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("no port for a proxy")?;
        let address = listener.local_addr()?;
        let cuts = network.cuts();
        let connections = TcpListenerStream::new(listener)
            .map(move |connection| connection.map(|stream| Severable::new(stream, cuts.clone())));
        let expected = network.token(worker).map(|token| format!("Bearer {}", token.reveal()));
        let check = move |request: Request<()>| {
            let token = request.metadata().get("authorization").and_then(|token| token.to_str().ok());
            match token == expected.as_deref() {
                true => Ok(request),
                false => Err(Status::unauthenticated("chaos: this is not the worker's token")),
            }
        };
        let door = Door { network, worker };
        let mut server = Server::builder();
        if let Some(authority) = authority {
            let identity = authority.identity()?;
            let identity = Identity::from_pem(identity.chain, identity.key);
            server = server.tls_config(ServerTlsConfig::new().identity(identity))?;
        }
        let server = server
            .add_service(WorkerServiceServer::with_interceptor(door.clone(), check.clone()))
            .add_service(BlobServiceServer::with_interceptor(door, check));
        tokio::spawn(server.serve_with_incoming(connections));
        Ok(address)
    }

    /// Passes a call on, or not, as the schedule has it.
    pub(super) async fn pass(&self, call: Call) -> Result<Reply, Status> {
        self.network.hole(self.worker).await?;
        let fault = self.network.next_message_fault(self.worker);
        if let Some(kind) = fault.kind() {
            self.network.tally.count(kind);
        }
        let answer = match fault {
            MessageFault::None => self.forward(call, Origin::Worker, true).await,
            MessageFault::DropRequest => Err(Status::unavailable("chaos: the request was dropped")),
            MessageFault::DropReply => {
                let _ = self.forward(call, Origin::Worker, false).await;
                Err(Status::unavailable("chaos: the reply was dropped"))
            }
            MessageFault::Duplicate => {
                let (first, second) = (call.clone(), call);
                let first = self.forward(first, Origin::Worker, true);
                tokio::join!(first, self.forward(second, Origin::Duplicate, false)).0
            }
            MessageFault::Straggler(later) => {
                self.send_again(call.clone(), later);
                self.forward(call, Origin::Worker, true).await
            }
            MessageFault::Delay(length) => {
                sleep(length).await;
                self.forward(call, Origin::Worker, true).await
            }
            MessageFault::HangUp(after) => {
                let handled = timeout(after, self.forward(call, Origin::Worker, false)).await;
                drop(handled);
                Err(Status::unavailable("chaos: the caller hung up"))
            }
        };
        self.network.reply_hole(self.worker).await?;
        answer
    }

    async fn forward(&self, call: Call, origin: Origin, told: bool) -> Result<Reply, Status> {
        self.network.forward(self.worker, call, origin, told).await
    }

    /// A claim is not sent again once it has been answered: what it is granted then nobody would ever hear of.
    fn send_again(&self, call: Call, later: Duration) {
        if matches!(call, Call::Claim(_)) {
            return;
        }
        let door = self.clone();
        tokio::spawn(async move {
            sleep(later).await;
            let _ = door.forward(call, Origin::Duplicate, false).await;
        });
    }
}
