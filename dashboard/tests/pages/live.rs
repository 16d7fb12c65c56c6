//! Open pages hear what happens.

use std::time::Duration;

use acai_sweep::control::Intent;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::{Coordinator, import_plane};

const PATIENCE: Duration = Duration::from_secs(20);

/// A stream of events that a browser holds open.
struct Listener {
    connection: TcpStream,
    heard: String,
}

impl Listener {
    async fn open(coordinator: &Coordinator, path: &str, last_event: &str) -> Listener {
        let mut connection = TcpStream::connect(coordinator.address).await.unwrap();
        let last_event =
            if last_event.is_empty() { String::new() } else { format!("last-event-id: {last_event}\r\n") };
        let request = format!("GET {path} HTTP/1.1\r\nhost: {}\r\n{last_event}\r\n", coordinator.address);
        connection.write_all(request.as_bytes()).await.unwrap();
        Listener { connection, heard: String::new() }
    }

    /// Listens until this was said.
    async fn hear(&mut self, words: &str) {
        let heard = async {
            let mut buffer = [0; 4096];
            while !self.heard.contains(words) {
                let length = self.connection.read(&mut buffer).await.unwrap();
                assert!(length > 0, "the stream has ended: {}", self.heard);
                self.heard += &String::from_utf8_lossy(&buffer[..length]);
            }
        };
        timeout(PATIENCE, heard).await.unwrap_or_else(|_| panic!("{words:?} is not in {:?}", self.heard));
    }
}

#[tokio::test]
async fn a_page_hears_what_happens_goes_on_from_what_it_heard_last_and_does_not_keep_a_coordinator_that_stops()
 {
    let coordinator = Coordinator::open().await;
    import_plane(&coordinator.use_cases()).await;
    let last = coordinator.use_cases().sweep("plane").await.unwrap().overview.last_event;
    let change = async |intent| coordinator.store.runs_change("plane", vec![11], intent).await.unwrap();

    let mut first = Listener::open(&coordinator, &format!("/sweeps/plane/live?after={last}"), "").await;
    first.hear("text/event-stream").await;
    change(Intent::Pause).await;
    first.hear("event: happened").await;
    first.hear(&format!("id: {}-", last + 1)).await;
    let heard = first.heard.split("id: ").nth(1).unwrap().lines().next().unwrap().to_owned();
    drop(first);

    change(Intent::Resume).await;
    let mut again = Listener::open(&coordinator, "/sweeps/plane/live?after=0", &heard).await;
    again.hear(&format!("id: {}-", last + 2)).await;
    assert!(
        !again.heard.contains(&format!("id: {}-", last + 1)),
        "what was heard is not said again: {}",
        again.heard
    );

    // Another database has another event of that number.
    let number = heard.split('-').next().unwrap();
    let mut other = Listener::open(&coordinator, "/sweeps/plane/live", &format!("{number}-1")).await;
    other.hear("event: reset").await;

    timeout(PATIENCE, coordinator.stop()).await.unwrap();
    let end = timeout(PATIENCE, again.connection.read_to_end(&mut Vec::new())).await;
    assert!(end.is_ok(), "the stream ends with the coordinator");
}

#[tokio::test]
async fn the_list_of_sweeps_hears_of_new_ones() {
    let coordinator = Coordinator::open().await;
    let page = coordinator.get("/").await.page();
    let path = page.split("data-live=\"").nth(1).unwrap().split('"').next().unwrap();
    let mut listener = Listener::open(&coordinator, &format!("/{path}"), "").await;
    listener.hear("text/event-stream").await;
    import_plane(&coordinator.use_cases()).await;
    listener.hear("event: happened").await;
}
