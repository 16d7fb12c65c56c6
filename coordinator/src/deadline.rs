//! A deadline for every request of a service.
//!
//! Not the transport's own: that is one for all services, and a checkpoint on a slow line must not
//! be cut off while it moves.

use std::convert::Infallible;
use std::time::Duration;

use tonic::Status;
use tonic::body::Body;
use tonic::codegen::http::{Request, Response};
use tonic::codegen::{BoxFuture, Context, Poll, Service};
use tonic::server::NamedService;

/// A service whose requests are answered in time.
#[derive(Debug, Clone)]
pub(crate) struct Deadline<S> {
    pub(crate) service: S,
    pub(crate) after: Duration,
}

impl<S: NamedService> NamedService for Deadline<S> {
    const NAME: &'static str = S::NAME;
}

impl<S> Service<Request<Body>> for Deadline<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Response<Body>, Infallible>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let (answer, after) = (self.service.call(request), self.after);
        Box::pin(async move {
            tokio::time::timeout(after, answer).await.unwrap_or_else(|_| {
                let seconds = after.as_secs();
                Ok(Status::deadline_exceeded(format!("not answered within {seconds} s")).into_http())
            })
        })
    }
}
