//! The way to a coordinator.

use std::time::Duration;

use acai_proto::v1::sweep_service_client::SweepServiceClient;
use anyhow::Context;
use tonic::transport::{Channel, Endpoint};

/// The largest answer that is read: tables and streams of the largest sweeps stay far below.
const MESSAGE_BYTES: usize = 64 << 20;

pub(crate) type Client = SweepServiceClient<Channel>;

/// Connects to the coordinator at `url`.
pub(crate) async fn connect(url: &str) -> anyhow::Result<Client> {
    let endpoint = Endpoint::from_shared(url.to_owned())
        .with_context(|| {
            format!("`{url}` is no coordinator's address; write it like `http://127.0.0.1:7700`")
        })?
        .connect_timeout(Duration::from_secs(5))
        .timeout(Duration::from_secs(30));
    let channel = endpoint.connect().await.map_err(|error| {
        anyhow::anyhow!(
            "no coordinator answers at `{url}` ({})\nhint: start one with `acai coordinator`, or name another with --coordinator URL",
            root_cause(&error)
        )
    })?;
    Ok(SweepServiceClient::new(channel).max_decoding_message_size(MESSAGE_BYTES))
}

/// tonic's own words are "transport error"; the reason is at the end of the chain.
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
