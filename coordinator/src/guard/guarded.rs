//! A service that serves only who may call it.

use std::convert::Infallible;
use std::net::IpAddr;
use std::time::Duration;

use tokio::time::timeout;
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::http::header::{AUTHORIZATION, HeaderValue};
use tonic::codegen::http::{Request, Response};
use tonic::codegen::{BoxFuture, Context, Poll, Service};
use tonic::server::NamedService;
use tonic::transport::server::TcpConnectInfo;

use super::{Admitted, Guard};
use crate::metrics::Metrics;

/// How long the store may take to say what a token is for.
const PATIENCE: Duration = Duration::from_secs(10);

/// A service behind a [`Guard`].
#[derive(Clone)]
pub(crate) struct Guarded<S> {
    pub(crate) service: S,
    pub(crate) guard: Guard,
    pub(crate) metrics: Metrics,
}

impl<S: NamedService> NamedService for Guarded<S> {
    const NAME: &'static str = S::NAME;
}

impl<S> Service<Request<Body>> for Guarded<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Response<Body>, Infallible>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        // The service that is ready serves this request; its clone may not be ready yet.
        let clone = self.service.clone();
        let mut service = std::mem::replace(&mut self.service, clone);
        let (guard, metrics) = (self.guard.clone(), self.metrics.clone());
        Box::pin(async move {
            // Whatever is done with the request from here on, the token is not in it.
            let token = request.headers_mut().remove(AUTHORIZATION);
            let token = token.as_ref().map(HeaderValue::as_bytes);
            let admitted = guard.admit(request.uri().path(), token, address(&request));
            match timeout(PATIENCE, admitted).await.unwrap_or_else(|_| Err(late().into())) {
                Ok(Admitted { place, submitter }) => {
                    if let Some(submitter) = submitter {
                        request.extensions_mut().insert(submitter);
                    }
                    let answer = service.call(request).await?;
                    Ok(match place {
                        Some(place) => place.keep(answer),
                        None => answer,
                    })
                }
                Err(refusal) => {
                    if let Some(reason) = refusal.reason {
                        metrics.auth_failures.get_or_create(&[("reason", reason)]).inc();
                    }
                    Ok(refusal.status.into_http())
                }
            }
        })
    }
}

/// The other side's address.
fn address(request: &Request<Body>) -> Option<IpAddr> {
    request.extensions().get::<TcpConnectInfo>()?.remote_addr().map(|address| address.ip())
}

fn late() -> Status {
    Status::unavailable("the database does not say in time what the token is for")
}
