//! A header on every answer, by which clients tell a coordinator's refusal from that of something in between.

use std::convert::Infallible;

use acai_proto::SIGNATURE;
use tonic::body::Body;
use tonic::codegen::http::{HeaderValue, Request, Response};
use tonic::codegen::{BoxFuture, Context, Poll, Service};
use tonic::server::NamedService;

/// A service whose answers are signed with this program's version.
#[derive(Debug, Clone)]
pub(crate) struct Signed<S>(pub(crate) S);

impl<S: NamedService> NamedService for Signed<S> {
    const NAME: &'static str = S::NAME;
}

impl<S> Service<Request<Body>> for Signed<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Response<Body>, Infallible>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let answer = self.0.call(request);
        Box::pin(async move {
            let mut answer = answer.await?;
            let version = HeaderValue::from_static(env!("CARGO_PKG_VERSION"));
            answer.headers_mut().insert(SIGNATURE, version);
            Ok(answer)
        })
    }
}
