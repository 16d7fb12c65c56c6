//! Tells open pages what has changed, by server-sent events. Events of a sweep's runs come from the one question that the
//! coordinator asks its store for all who watch the sweep; progress comes from one question for all open pages.

use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use acai_coordinator::store::{Overview, Place};
use acai_coordinator::use_cases::{Events, Machine, UseCaseError, UseCases};
use axum::extract::{self, Path};
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use sha2::{Digest as _, Sha256};
use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::ReceiverStream;

use crate::asked::Asked;
use crate::problem::{Problem, Result};
use crate::site::Site;
use crate::sweep::progress;

/// How often progress is looked up while anybody has a page open.
const LOOK: Duration = Duration::from_secs(2);
/// A browser that lost the connection tries again after this long.
const RETRY: Duration = Duration::from_secs(1);
/// Something is sent this often, so that nothing in between takes a connection for dead.
const KEEPALIVE: Duration = Duration::from_secs(15);
/// Messages that wait for a browser at the most.
const AHEAD: usize = 64;

/// What the store says of all sweeps and workers.
#[derive(Debug, Default)]
struct State {
    sweeps: Vec<Overview>,
    machines: Vec<Machine>,
}

/// Progress of all sweeps, looked up while anybody wants to know.
pub(crate) struct Pulse {
    use_cases: UseCases,
    look: Mutex<Weak<Look>>,
}

type News = watch::Receiver<Arc<State>>;

struct Look {
    news: News,
    task: AbortHandle,
}

impl Drop for Look {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The pulse for one page; the last one to be dropped ends the looking.
struct Beats {
    news: News,
    _look: Arc<Look>,
}

impl Pulse {
    pub(crate) fn new(use_cases: UseCases) -> Pulse {
        Pulse { use_cases, look: Mutex::default() }
    }

    fn follow(&self) -> Beats {
        let mut known = self.look.lock().unwrap_or_else(PoisonError::into_inner);
        let look = known.upgrade().unwrap_or_else(|| {
            let (sender, news) = watch::channel(Arc::default());
            let task = tokio::spawn(look(self.use_cases.clone(), sender)).abort_handle();
            let look = Arc::new(Look { news, task });
            *known = Arc::downgrade(&look);
            look
        });
        Beats { news: look.news.clone(), _look: look }
    }
}

async fn look(use_cases: UseCases, news: watch::Sender<Arc<State>>) {
    loop {
        let state = async {
            Ok::<_, UseCaseError>(State {
                sweeps: use_cases.sweeps().await?,
                machines: use_cases.machines(false).await?,
            })
        };
        // A database that is away is said by the pages themselves; here it is asked again.
        if let Ok(state) = state.await {
            news.send_replace(Arc::new(state));
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Where the list of sweeps hears what changes after this.
pub(crate) fn after_sweeps(sweeps: &[Overview]) -> String {
    format!("live?after={}", digest(&sweeps))
}

/// Where the list of workers hears what changes after this.
pub(crate) fn after_workers(sweeps: &[Overview], machines: &[Machine]) -> String {
    format!("workers/live?after={}", digest(&(sweeps, without_times(machines))))
}

fn digest(shown: &impl Debug) -> String {
    let digest = Sha256::digest(format!("{shown:?}"));
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Workers call every few seconds, which is no news.
fn without_times(machines: &[Machine]) -> Vec<Machine> {
    let mut machines = machines.to_vec();
    machines.iter_mut().for_each(|machine| machine.worker.last_seen_ms = 0);
    machines.sort_by(|a, b| a.worker.registration.id.cmp(&b.worker.registration.id));
    machines
}

/// What changes of the sweeps.
pub(crate) async fn of_sweeps(extract::State(site): extract::State<Site>, asked: Asked) -> Response {
    changes(site, &asked, |state| digest(&state.sweeps.as_slice()))
}

/// What changes of the workers.
pub(crate) async fn of_workers(extract::State(site): extract::State<Site>, asked: Asked) -> Response {
    changes(site, &asked, |state| digest(&(state.sweeps.as_slice(), without_times(&state.machines))))
}

/// Tells a page whenever this is not what it shows.
fn changes(site: Site, asked: &Asked, digest_of: fn(&State) -> String) -> Response {
    let (sender, receiver) = mpsc::channel(AHEAD);
    let mut shown = asked.question.get("after").unwrap_or_default().to_owned();
    tokio::spawn(async move {
        let mut beats = site.pulse.follow();
        let mut stop = site.stop.clone();
        // What is known from others' asking may be older than the page.
        beats.news.mark_unchanged();
        loop {
            tokio::select! {
                changed = beats.news.changed() => if changed.is_err() { return },
                () = stopped(&mut stop) => return,
                () = sender.closed() => return,
            }
            let now = digest_of(&beats.news.borrow_and_update());
            if now != shown && sender.send(Event::default().event("happened").data("")).await.is_err() {
                return;
            }
            shown = now;
        }
    });
    stream(receiver)
}

/// What happens to a sweep's runs after the event that the browser has heard last, and how far the sweep is.
pub(crate) async fn of_sweep(
    extract::State(site): extract::State<Site>,
    Path(sweep): Path<String>,
    asked: Asked,
    headers: HeaderMap,
) -> Result<Response> {
    let heard = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let after = match heard.or(asked.question.get("after")) {
        Some(text) => place(text).ok_or_else(|| Problem::question("after", "is the number of no event"))?,
        None => site.use_cases.sweep(&sweep).await?.overview.last_event.into(),
    };
    let events = site.use_cases.events(&sweep, after, true).await?;
    let (sender, receiver) = mpsc::channel(AHEAD);
    tokio::spawn(tell(site, sweep, events, sender));
    Ok(stream(receiver))
}

async fn tell(site: Site, sweep: String, mut events: Events, sender: mpsc::Sender<Event>) {
    let mut beats = site.pulse.follow();
    let mut stop = site.stop.clone();
    let mut images_done = None;
    loop {
        let message = tokio::select! {
            event = events.next() => match event {
                Ok(Some(event)) => {
                    let id = format!("{}-{}", event.number, event.at_ms);
                    Event::default().event("happened").id(id).data(event.run_number.to_string())
                }
                // The page learns more when it asks for itself: the sweep is forgotten, or the database another one.
                Ok(None) | Err(_) => {
                    let _ = sender.send(Event::default().event("reset").data("")).await;
                    return;
                }
            },
            changed = beats.news.changed() => {
                if changed.is_err() {
                    return;
                }
                let state = Arc::clone(&beats.news.borrow_and_update());
                let Some(overview) = state.sweeps.iter().find(|overview| overview.name == sweep) else { continue };
                let before = images_done.replace(overview.images_done);
                if before.is_none_or(|before| before == overview.images_done) {
                    continue;
                }
                Event::default().event("progress").data(progress::bar(overview).into_string())
            },
            () = stopped(&mut stop) => return,
            () = sender.closed() => return,
        };
        if sender.send(message).await.is_err() {
            return;
        }
    }
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that the server is gone, too.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// `41`, or `41-1732000000000`: the number of an event, and when it happened.
fn place(text: &str) -> Option<Place> {
    let (number, at_ms) = match text.split_once('-') {
        Some((number, at_ms)) => (number, Some(at_ms.parse().ok()?)),
        None => (text, None),
    };
    Some(Place { number: number.parse().ok()?, at_ms })
}

fn stream(receiver: mpsc::Receiver<Event>) -> Response {
    let hello = tokio_stream::once(Event::default().retry(RETRY).comment("here"));
    let events = hello.chain(ReceiverStream::new(receiver)).map(Ok::<_, std::convert::Infallible>);
    Sse::new(events).keep_alive(KeepAlive::new().interval(KEEPALIVE)).into_response()
}
