//! A page that many tabs ask for at the same moment is made once: all of them hear of something when it happens.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::problem::Problem;

/// Who asks is shown what was begun to be made up to this long before. Less than pages wait after they have heard of
/// something until they ask, so that none is shown a state before that.
const FRESH: Duration = Duration::from_millis(200);
/// No page comes near this.
const LARGEST: usize = 256 << 20;

/// Pages that are being made, or were a moment ago, by what was asked.
#[derive(Clone, Default)]
pub(crate) struct Shared(Arc<Mutex<HashMap<String, Arc<Place>>>>);

/// Whoever holds it makes the page, and the others wait.
type Place = tokio::sync::Mutex<Option<Made>>;

struct Made {
    since: Instant,
    headers: HeaderMap,
    body: Bytes,
}

impl Made {
    fn answer(&self) -> Response {
        (self.headers.clone(), self.body.clone()).into_response()
    }
}

impl Shared {
    fn pages(&self) -> MutexGuard<'_, HashMap<String, Arc<Place>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets a page once it is of no use to whoever asks next.
    fn forget_soon(&self, asked: String) {
        let shared = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(FRESH).await;
            shared.pages().remove(&asked);
        });
    }
}

/// Makes a page, or waits for whoever makes it.
pub(crate) async fn once(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let Some(asked) = asked(&request) else { return next.run(request).await };
    let came = Instant::now();
    let place = Arc::clone(shared.pages().entry(asked.clone()).or_default());
    let mut made = place.lock().await;
    if let Some(made) = made.as_ref().filter(|made| made.since + FRESH >= came) {
        return made.answer();
    }
    let since = Instant::now();
    let (head, body) = next.run(request).await.into_parts();
    let answer = match to_bytes(body, LARGEST).await {
        Ok(body) if head.status == StatusCode::OK => {
            let page = Made { since, headers: head.headers, body };
            made.insert(page).answer()
        }
        Ok(body) => Response::from_parts(head, Body::from(body)),
        Err(error) => Problem::broken(&error.to_string()).into_response(),
    };
    shared.forget_soon(asked);
    answer
}

/// What was asked, if many may ask it at once: neither a stream, which each has of its own, nor a file that browsers keep.
fn asked(request: &Request) -> Option<String> {
    let path = request.uri().path();
    let is_page = request.method() == Method::GET
        && !path.ends_with("/live")
        && !path.starts_with("/pictures/")
        && !path.starts_with("/assets/");
    is_page.then(|| request.uri().path_and_query().map_or_else(String::new, ToString::to_string))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::Router;
    use axum::middleware::from_fn_with_state;
    use axum::routing::get;
    use tonic::codegen::Service as _;

    use super::*;

    /// Pages that count how often they are made, and take a moment.
    fn pages() -> Router {
        let made = Arc::new(AtomicUsize::new(0));
        let page = move || async move {
            tokio::time::sleep(FRESH * 2).await;
            made.fetch_add(1, Ordering::SeqCst).to_string()
        };
        Router::new().route("/page", get(page)).layer(from_fn_with_state(Shared::default(), once))
    }

    async fn body(mut pages: Router, uri: &str) -> String {
        let request = Request::get(uri).body(Body::empty()).unwrap();
        let answer = pages.call(request).await.unwrap();
        String::from_utf8(to_bytes(answer.into_body(), 99).await.unwrap().to_vec()).unwrap()
    }

    #[tokio::test]
    async fn who_asks_for_a_page_while_it_is_made_gets_that_and_who_asks_later_a_new_one() {
        let pages = pages();
        let (one, other) = tokio::join!(body(pages.clone(), "/page"), body(pages.clone(), "/page"));
        assert_eq!((one.as_str(), other.as_str()), ("0", "0"));
        let another = body(pages.clone(), "/page?x=1").await;
        assert_eq!(another, "1", "another question is another page");
        // What was begun long before is a state that whoever asks now may know to be over.
        assert_eq!(body(pages, "/page").await, "2");
    }
}
