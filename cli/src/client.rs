//! The way to a coordinator.

use std::time::Duration;

use acai_proto::v1::blob_service_client::BlobServiceClient;
use acai_proto::v1::control_service_client::ControlServiceClient;
use acai_proto::v1::sweep_service_client::SweepServiceClient;
use anyhow::{Context, ensure};
use tonic::transport::{Channel, Endpoint};

/// The largest answer that is read: tables and streams of the largest sweeps stay far below.
const MESSAGE_BYTES: usize = 64 << 20;

/// A connection on which answers are awaited is looked at this often …
const KEEPALIVE: Duration = Duration::from_secs(20);
/// … and given up after this long without a sign.
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);

pub(crate) type Client = SweepServiceClient<Channel>;
pub(crate) type Blobs = BlobServiceClient<Channel>;
pub(crate) type Control = ControlServiceClient<Channel>;

/// Connects to the coordinator at `url`, to submit and to read.
pub(crate) async fn connect(url: &str) -> anyhow::Result<Client> {
    Ok(SweepServiceClient::new(channel(url).await?).max_decoding_message_size(MESSAGE_BYTES))
}

/// Connects to the coordinator at `url`, to change what is queued and running.
pub(crate) async fn connect_control(url: &str) -> anyhow::Result<Control> {
    Ok(ControlServiceClient::new(channel(url).await?))
}

/// Connects to the coordinator at `url`, to download.
pub(crate) async fn connect_blobs(url: &str) -> anyhow::Result<Blobs> {
    Ok(BlobServiceClient::new(channel(url).await?))
}

async fn channel(url: &str) -> anyhow::Result<Channel> {
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
        anyhow::anyhow!(
            "no coordinator answers at `{url}` ({})\nhint: start one with `acai coordinator`, or name another with --coordinator URL",
            root_cause(&error)
        )
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
