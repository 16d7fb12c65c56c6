//! A service whose answers are timed.

use std::convert::Infallible;
use std::time::Instant;

use tonic::body::Body;
use tonic::codegen::http::{Request, Response};
use tonic::codegen::{BoxFuture, Context, Poll, Service};
use tonic::server::NamedService;
use tonic::{Code, Status};

use super::Metrics;

/// Calls of workers, which are refused with `FAILED_PRECONDITION` when their attempt no longer holds its run, and only then.
const WORKER_CALLS: &str = "/acai.v1.WorkerService/";

/// A service whose answers are timed until they begin, and counted by their code.
#[derive(Debug, Clone)]
pub(crate) struct Measured<S> {
    pub(crate) service: S,
    pub(crate) metrics: Metrics,
}

impl<S: NamedService> NamedService for Measured<S> {
    const NAME: &'static str = S::NAME;
}

impl<S> Service<Request<Body>> for Measured<S>
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
        let begun = Instant::now();
        let path = request.uri().path();
        // Whoever asks for what there is not must not make a series of each such name.
        let method = acai_proto::METHODS.iter().find(|method| **method == path).copied().unwrap_or("other");
        let (answer, metrics) = (self.service.call(request), self.metrics.clone());
        Box::pin(async move {
            let answer = answer.await?;
            // An answer that begins well has its code at its end, which is not waited for.
            let code = Status::from_header_map(answer.headers()).map_or(Code::Ok, |status| status.code());
            metrics.answered(method, code, begun);
            Ok(answer)
        })
    }
}

impl Metrics {
    fn answered(&self, method: &'static str, code: Code, begun: Instant) {
        if code == Code::FailedPrecondition && method.starts_with(WORKER_CALLS) {
            self.fenced_writes.inc();
        }
        let method = method.trim_start_matches("/acai.v1.").to_owned();
        let labels = [("method", method), ("code", format!("{code:?}"))];
        self.rpc_duration_seconds.get_or_create(&labels).observe(begun.elapsed().as_secs_f64());
    }
}
