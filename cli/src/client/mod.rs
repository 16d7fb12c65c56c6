//! The way to a coordinator.

mod answering;
pub(crate) mod state;

use std::error::Error;
use std::io::{self, ErrorKind};
use std::iter::successors;
use std::time::Duration;

use acai_access::AccessFile;
use acai_proto::v1::access_service_client::AccessServiceClient;
use acai_proto::v1::blob_service_client::BlobServiceClient;
use acai_proto::v1::control_service_client::ControlServiceClient;
use acai_proto::v1::sweep_service_client::SweepServiceClient;

use crate::args::Coordinator;
use crate::failure::NoAnswer;

pub(crate) use acai_access::Connection;
pub(crate) use answering::{access_file, answering, serving};

/// The largest answer that is read: tables and streams of the largest sweeps stay far below.
const MESSAGE_BYTES: usize = 64 << 20;

/// A connection on which answers are awaited is looked at this often …
const KEEPALIVE: Duration = Duration::from_secs(20);
/// … and given up after this long without a sign.
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);

pub(crate) type Client = SweepServiceClient<Connection>;
pub(crate) type Blobs = BlobServiceClient<Connection>;
pub(crate) type Control = ControlServiceClient<Connection>;
pub(crate) type Access = AccessServiceClient<Connection>;

/// Connects to who answers, to submit and to read.
pub(crate) async fn connect(at: &Coordinator) -> anyhow::Result<Client> {
    Ok(client(connection(&answering(at).await?).await?))
}

/// Connects to who answers, to change what is queued and running.
pub(crate) async fn connect_control(at: &Coordinator) -> anyhow::Result<Control> {
    Ok(ControlServiceClient::new(connection(&answering(at).await?).await?))
}

/// Connects to who answers, to download.
pub(crate) async fn connect_blobs(at: &Coordinator) -> anyhow::Result<Blobs> {
    Ok(BlobServiceClient::new(connection(&answering(at).await?).await?))
}

/// Connects to who answers, to say who may do what.
pub(crate) async fn connect_access(at: &Coordinator) -> anyhow::Result<Access> {
    Ok(access_client(connection(&answering(at).await?).await?))
}

/// A client to say who may do what.
pub(crate) fn access_client(connection: Connection) -> Access {
    AccessServiceClient::new(connection)
}

/// A client to submit and to read.
pub(crate) fn client(connection: Connection) -> Client {
    SweepServiceClient::new(connection).max_decoding_message_size(MESSAGE_BYTES)
}

/// A connection as the access file says.
pub(crate) async fn connection(access: &AccessFile) -> anyhow::Result<Connection> {
    let endpoint = acai_access::endpoint(access)?
        .connect_timeout(Duration::from_secs(5))
        .http2_keep_alive_interval(KEEPALIVE)
        .keep_alive_timeout(KEEPALIVE_TIMEOUT)
        .timeout(Duration::from_secs(30));
    let channel = endpoint.connect().await.map_err(|error| {
        let (url, cause) = (&access.url, acai_access::root_cause(&error));
        let hint = hint(access, is_refused(&error));
        NoAnswer(format!("no coordinator answers at `{url}` ({cause})\nhint: {hint}"))
    })?;
    Ok(acai_access::connection(channel, access.token.as_ref()))
}

/// Whether a machine answered that nobody listens there.
fn is_refused(error: &(dyn Error + 'static)) -> bool {
    let is_refusal = |error: &io::Error| error.kind() == ErrorKind::ConnectionRefused;
    successors(Some(error), |&error| error.source())
        .any(|error| error.downcast_ref::<io::Error>().is_some_and(is_refusal))
}

fn hint(access: &AccessFile, is_refused: bool) -> &'static str {
    if access.ca.is_empty() {
        "start one with `acai coordinator`; name another one's access file with --access FILE, or the state folder of `acai run` with --coordinator DIR"
    } else if is_refused {
        "is the coordinator running? `acai coordinator` starts it again on its database; --access FILE names another one's access file"
    } else {
        "is the coordinator at this address the one that the access file is of? --access FILE names another file; one from before `acai access rotate-ca` needs a new one"
    }
}

#[cfg(test)]
mod tests {
    use acai_access::Authority;
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn where_nobody_listens_the_hint_asks_whether_the_coordinator_runs() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        let ca = vec![Authority::new().unwrap().pin().unwrap()];
        let access = AccessFile { url, ca, token: None };
        // One that hangs up shows no certificate.
        let hanging_up = tokio::spawn(async move { while listener.accept().await.is_ok() {} });
        let said = connection(&access).await.unwrap_err().to_string();
        assert!(said.contains("rotate-ca") && !said.contains("is the coordinator running?"), "{said}");

        hanging_up.abort();
        assert!(hanging_up.await.unwrap_err().is_cancelled());
        let said = connection(&access).await.unwrap_err().to_string();
        assert!(said.contains("is the coordinator running?") && !said.contains("rotate-ca"), "{said}");
    }
}
