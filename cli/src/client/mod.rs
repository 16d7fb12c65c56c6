//! The way to a coordinator.

pub(crate) mod state;

use std::path::Path;
use std::time::Duration;

use acai_proto::v1::blob_service_client::BlobServiceClient;
use acai_proto::v1::control_service_client::ControlServiceClient;
use acai_proto::v1::sweep_service_client::SweepServiceClient;
use anyhow::{Context, ensure};
use tonic::transport::{Channel, Endpoint};

use crate::args::{Answering, Coordinator};
use crate::failure::NoAnswer;

/// The largest answer that is read: tables and streams of the largest sweeps stay far below.
const MESSAGE_BYTES: usize = 64 << 20;

/// A connection on which answers are awaited is looked at this often …
const KEEPALIVE: Duration = Duration::from_secs(20);
/// … and given up after this long without a sign.
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);

pub(crate) type Client = SweepServiceClient<Channel>;
pub(crate) type Blobs = BlobServiceClient<Channel>;
pub(crate) type Control = ControlServiceClient<Channel>;

/// The coordinator that is asked where none is named.
const USUAL: &str = "http://127.0.0.1:7700";

/// Connects to who answers, to submit and to read.
pub(crate) async fn connect(at: &Coordinator) -> anyhow::Result<Client> {
    Ok(client(answering(at).await?))
}

/// Connects to who answers, to change what is queued and running.
pub(crate) async fn connect_control(at: &Coordinator) -> anyhow::Result<Control> {
    Ok(ControlServiceClient::new(answering(at).await?))
}

/// Connects to who answers, to download.
pub(crate) async fn connect_blobs(at: &Coordinator) -> anyhow::Result<Blobs> {
    Ok(BlobServiceClient::new(answering(at).await?))
}

/// A client to submit and to read.
pub(crate) fn client(channel: Channel) -> Client {
    SweepServiceClient::new(channel).max_decoding_message_size(MESSAGE_BYTES)
}

/// A connection to the coordinator or for the state folder that is named; or else for the usual folder where there is one,
/// or to the usual coordinator.
pub(crate) async fn answering(at: &Coordinator) -> anyhow::Result<Channel> {
    let usual = Path::new(state::DEFAULT);
    match &at.coordinator {
        Some(Answering::Coordinator(url)) => channel(url).await,
        Some(Answering::Folder(folder)) => for_folder(folder).await,
        None if state::database(usual).exists() => for_folder(usual).await,
        None => channel(USUAL).await,
    }
}

/// A connection to the coordinator that serves a state folder; where there is none, to this process, which reads it.
async fn for_folder(folder: &Path) -> anyhow::Result<Channel> {
    let database = state::database(folder);
    ensure!(
        database.exists(),
        "`{}` holds no database\nhint: --coordinator takes a coordinator's URL, or the state folder of `acai run`",
        folder.display()
    );
    match state::served_at(&database)? {
        Some(url) => channel(&url).await,
        None => channel(&state::serve(&database).await?).await,
    }
}

/// A connection to the coordinator at `url`.
pub(crate) async fn channel(url: &str) -> anyhow::Result<Channel> {
    let no_address = || {
        format!(
            "`{url}` is no coordinator's address; write it like `http://127.0.0.1:7700` (there is no encryption yet)"
        )
    };
    // An https:// that is not encrypted would be a lie.
    ensure!(url.starts_with("http://"), no_address());
    let endpoint = Endpoint::from_shared(url.to_owned())
        .with_context(no_address)?
        .connect_timeout(Duration::from_secs(5))
        .http2_keep_alive_interval(KEEPALIVE)
        .keep_alive_timeout(KEEPALIVE_TIMEOUT)
        .timeout(Duration::from_secs(30));
    endpoint.connect().await.map_err(|error| {
        NoAnswer(format!(
            "no coordinator answers at `{url}` ({})\nhint: start one with `acai coordinator`, or name another with --coordinator URL, or the state folder of `acai run`",
            root_cause(&error)
        ))
        .into()
    })
}

/// tonic's own words are "transport error"; the reason is at the end of the chain.
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
