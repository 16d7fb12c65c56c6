//! Calls go over one connection. After a call that could not be served the next one opens a new connection: behind an address
//! may be several coordinators, of which one may have lost its database, and a connection stays with the one that it came to.

#[cfg(test)]
mod tests;

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use acai_access::Connection;
use acai_proto::SIGNATURE;
use tokio::time::Instant;
use tonic::body::Body;
use tonic::codegen::http::{Request, StatusCode};
use tonic::{Code, Status};
use tower::{Service, ServiceExt};

use super::peer::Peer;

/// Clones share the connection.
#[derive(Clone)]
pub(super) struct Reconnecting {
    open: Arc<dyn Fn() -> Connection + Send + Sync>,
    opened: Arc<Mutex<Opened>>,
    peer: Peer,
}

#[derive(Clone)]
struct Opened {
    connection: Connection,
    /// How many there were before.
    number: u64,
    since: Instant,
}

/// A connection stays for so long at least: while no coordinator can serve, a worker does not open one for each call.
const LEAST_AGE: Duration = Duration::from_secs(2);

type Response = <Connection as Service<Request<Body>>>::Response;
type Error = <Connection as Service<Request<Body>>>::Error;
type Answer = Result<Response, Error>;

impl Reconnecting {
    /// `open` makes a connection that connects when a call needs it, and again after it broke.
    pub(super) fn new(peer: Peer, open: impl Fn() -> Connection + Send + Sync + 'static) -> Self {
        let opened = Opened { connection: open(), number: 0, since: Instant::now() };
        Self { open: Arc::new(open), opened: Arc::new(Mutex::new(opened)), peer }
    }

    /// The number of the connection that the next call goes over.
    pub(super) fn number(&self) -> u64 {
        self.opened().number
    }

    fn opened(&self) -> MutexGuard<'_, Opened> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves the connection of that number, if no other call has done that, and if the connection is not a new one. Calls on their
    /// way there go on. Calls that could not be served do so themselves; others do that give up a call that is not answered, or whose
    /// answer broke off.
    pub(super) fn leave(&self, number: u64) {
        let mut opened = self.opened();
        if opened.number == number && opened.since.elapsed() >= LEAST_AGE {
            *opened = Opened { connection: (self.open)(), number: number + 1, since: Instant::now() };
        }
    }

    /// Whether a coordinator could serve the call, though it may have refused it. A proxy or a web server is no coordinator.
    fn is_served(&self, answer: &Answer) -> bool {
        let Ok(response) = answer else { return false };
        let is_coordinators = self.peer.is_first_release() || response.headers().contains_key(SIGNATURE);
        let code = Status::from_header_map(response.headers()).map(|status| status.code());
        // What came after its deadline is `Cancelled`; what broke is `Internal` or `Unknown`.
        let cannot =
            [Code::Unavailable, Code::DeadlineExceeded, Code::Cancelled, Code::Internal, Code::Unknown];
        is_coordinators
            && response.status() == StatusCode::OK
            && code.is_none_or(|code| !cannot.contains(&code))
    }
}

impl Service<Request<Body>> for Reconnecting {
    type Response = Response;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Answer> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        // The connection may be another one by the time of the call, which waits for it.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let (reconnecting, Opened { connection, number, .. }) = (self.clone(), self.opened().clone());
        Box::pin(async move {
            let answer = connection.oneshot(request).await;
            if !reconnecting.is_served(&answer) {
                reconnecting.leave(number);
            }
            answer
        })
    }
}

impl fmt::Debug for Reconnecting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reconnecting")
    }
}
