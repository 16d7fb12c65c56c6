//! A page that many tabs ask for at the same moment is made once: all of them hear of something when it happens. And however
//! many follow a page, making it again takes no more than a share of the time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::time::sleep;

use crate::gzip;
use crate::problem::Problem;

/// Who asks is shown what was begun to be made up to this long before. Less than pages wait after they have heard of
/// something until they ask, so that none is shown a state before that.
const FRESH: Duration = Duration::from_millis(200);
/// Pages that follow what happens send this header when they ask for themselves again; `app.js` does.
const AGAIN: &str = "acai-again";
/// They are made again after so many times what it took before, but no later than this.
const REST: u32 = 5;
const LONGEST_REST: Duration = Duration::from_secs(3);
/// No page comes near this.
const LARGEST: usize = 256 << 20;

/// Pages that are being made, or were lately, by what was asked.
#[derive(Clone, Default)]
pub(crate) struct Shared(Arc<Mutex<HashMap<String, Arc<Place>>>>);

/// A page.
#[derive(Default)]
struct Place {
    /// Whoever holds it makes the page, and the others wait.
    page: tokio::sync::Mutex<Option<Page>>,
    times: Mutex<Option<Times>>,
}

/// When a page was begun to be made, and when it is to be made again for those who follow it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Times {
    since: Instant,
    due: Instant,
}

struct Page {
    since: Instant,
    headers: HeaderMap,
    body: Bytes,
}

impl Page {
    fn answer(&self) -> Response {
        (self.headers.clone(), self.body.clone()).into_response()
    }
}

impl Place {
    fn times(&self) -> MutexGuard<'_, Option<Times>> {
        self.times.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the page is to be made again.
    async fn rest(&self) {
        let due = self.times().map(|times| times.due);
        if let Some(due) = due {
            sleep(due.saturating_duration_since(Instant::now())).await;
        }
    }
}

impl Shared {
    fn pages(&self) -> MutexGuard<'_, HashMap<String, Arc<Place>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn place(&self, asked: &str) -> Arc<Place> {
        Arc::clone(self.pages().entry(asked.to_owned()).or_default())
    }

    /// Forgets a page once it is of no use to whoever asks next.
    fn forget(&self, asked: String, place: Arc<Place>, times: Times) {
        let shared = self.clone();
        tokio::spawn(async move {
            loop {
                let useless = times.due + FRESH;
                sleep(useless.saturating_duration_since(Instant::now()).max(FRESH)).await;
                let mut pages = shared.pages();
                // Whoever has made it again since forgets it; who waits for it still needs it.
                if *place.times() != Some(times) {
                    return;
                }
                if Arc::strong_count(&place) <= 2 {
                    pages.remove(&asked);
                    return;
                }
            }
        });
    }
}

/// Makes a page, or waits for whoever makes it.
pub(crate) async fn once(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let Some(asked) = asked(&request) else { return next.run(request).await };
    let place = shared.place(&asked);
    if request.headers().contains_key(AGAIN) {
        place.rest().await;
    }
    let came = Instant::now();
    let mut page = place.page.lock().await;
    if let Some(page) = page.as_ref().filter(|page| page.since + FRESH >= came) {
        return page.answer();
    }
    let since = Instant::now();
    let is_packed = gzip::is_accepted(request.headers());
    let (mut head, body) = next.run(request).await.into_parts();
    let answer = match to_bytes(body, LARGEST).await {
        Ok(body) if head.status == StatusCode::OK => {
            let body = if is_packed { gzip::packed(&mut head.headers, body) } else { body };
            page.insert(Page { since, headers: head.headers, body }).answer()
        }
        Ok(body) => Response::from_parts(head, Body::from(body)),
        Err(error) => Problem::broken(&error.to_string()).into_response(),
    };
    let times = Times { since, due: since + (since.elapsed() * REST).min(LONGEST_REST) };
    *place.times() = Some(times);
    drop(page);
    shared.forget(asked, place, times);
    answer
}

/// What was asked, and in which form, if many may ask it at once: neither a stream, which each has of its own, nor a file that
/// browsers keep.
fn asked(request: &Request) -> Option<String> {
    let path = request.uri().path();
    let is_page = request.method() == Method::GET
        && !path.ends_with("/live")
        && !path.starts_with("/pictures/")
        && !path.starts_with("/assets/");
    let form = if gzip::is_accepted(request.headers()) { "gzip " } else { "" };
    is_page.then(|| format!("{form}{}", request.uri().path_and_query().map_or("", PathAndQuery::as_str)))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::Router;
    use axum::http::request::Builder;
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

    async fn body(pages: Router, uri: &str) -> String {
        ask(pages, Request::get(uri)).await
    }

    /// As a page asks that follows what happens.
    async fn again(pages: Router, uri: &str) -> String {
        ask(pages, Request::get(uri).header(AGAIN, "1")).await
    }

    async fn ask(mut pages: Router, request: Builder) -> String {
        let request = request.body(Body::empty()).unwrap();
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

    #[tokio::test]
    async fn followers_ask_for_a_page_together_and_whoever_comes_meanwhile_need_not_wait_for_them() {
        let (pages, begun) = (pages(), Instant::now());
        assert_eq!(body(pages.clone(), "/page").await, "0");
        let took = begun.elapsed();
        let follow = async || {
            let answer = again(pages.clone(), "/page").await;
            (answer, begun.elapsed())
        };
        let newcomer = async {
            sleep(FRESH).await;
            (body(pages.clone(), "/page").await, begun.elapsed())
        };
        let (first, second, newcomer) = tokio::join!(follow(), follow(), newcomer);
        assert_eq!((first.0.as_str(), second.0.as_str()), ("2", "2"), "made once for both");
        assert!(first.1 >= took * REST, "{first:?} after {took:?}");
        assert!(newcomer.0 == "1" && newcomer.1 < took * REST, "{newcomer:?}");
    }

    #[tokio::test]
    async fn pages_that_nobody_asks_for_any_more_are_forgotten() {
        let shared = Shared::default();
        let quick = Router::new()
            .route("/page", get(|| async { "made" }))
            .layer(from_fn_with_state(shared.clone(), once));
        assert_eq!(body(quick, "/page").await, "made");
        while !shared.pages().is_empty() {
            sleep(FRESH / 4).await;
        }
    }
}
