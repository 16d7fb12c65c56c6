//! A thread of their own for pages: a table of thousands of runs takes a moment, for which nobody who trains should wait.

use std::future::Future;
use std::sync::{Arc, OnceLock};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::runtime::{Builder, Runtime};
use tokio::task::AbortHandle;

use crate::problem::Problem;

/// By so much the thread gives way to others, of 19 at the most.
const NICER: i32 = 10;

/// The thread, which starts with the first page that is asked for.
#[derive(Clone, Default)]
pub(crate) struct Thread(Arc<Lazy>);

#[derive(Default)]
struct Lazy(OnceLock<Option<Runtime>>);

impl Drop for Lazy {
    fn drop(&mut self) {
        // Waiting for it is not allowed where servers are dropped.
        if let Some(runtime) = self.0.take().flatten() {
            runtime.shutdown_background();
        }
    }
}

impl Thread {
    fn runtime(&self) -> Option<&Runtime> {
        let start = || {
            let mut builder = Builder::new_multi_thread();
            let built = builder
                .worker_threads(1)
                .thread_name("dashboard")
                .on_thread_start(give_way)
                .enable_all()
                .build();
            built.inspect_err(|error| tracing::warn!("pages share the threads of others: {error}")).ok()
        };
        self.0.0.get_or_init(start).as_ref()
    }
}

/// Where processors are few, pages wait for who trains and who renews.
fn give_way() {
    // Elsewhere than on Linux this would be about the whole process.
    if cfg!(target_os = "linux")
        && let Err(error) = rustix::process::nice(NICER)
    {
        tracing::debug!("pages are made with the priority of others: {error}");
    }
}

/// Ends a task whose answer nobody waits for any more.
struct Abandon(AbortHandle);

impl Drop for Abandon {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Makes a page there.
pub(crate) async fn aside(State(thread): State<Thread>, request: Request, next: Next) -> Response {
    let page = next.run(request);
    match thread.runtime() {
        Some(runtime) => on(runtime, page).await,
        None => page.await,
    }
}

async fn on(runtime: &Runtime, page: impl Future<Output = Response> + Send + 'static) -> Response {
    let task = runtime.spawn(page);
    let _abandoned = Abandon(task.abort_handle());
    task.await.unwrap_or_else(|error| Problem::broken(&error.to_string()).into_response())
}
