//! `acai dashboard`: a coordinator's pages on a port of this machine.

use acai_access::{Scope, Token};
use acai_coordinator::Guard;
use acai_dashboard::{invitation, tunnel};
use acai_proto::v1::ListSweepsRequest;
use anyhow::{Context, anyhow};
use tokio::net::TcpListener;

use crate::args::DashboardArguments;
use crate::client::{answering, client, connection};
use crate::failure::Failure;
use crate::output::Output;
use crate::signals::Shutdown;

pub(super) async fn dashboard(arguments: &DashboardArguments, output: Output) -> Result<(), Failure> {
    let access = answering(&arguments.at).await?;
    let connection = connection(&access).await?;
    // Whether the token may read is better said here than on a page.
    client(connection.clone()).list_sweeps(ListSweepsRequest::default()).await?;
    let listener = TcpListener::bind(("127.0.0.1", arguments.port)).await.map_err(|error| {
        anyhow!("cannot listen on port {}: {error}\nhint: choose another --port", arguments.port)
    })?;
    let address = listener.local_addr().context("cannot tell the address")?;
    // Nobody has this token: who is let in has been given the link.
    let guard = Guard::one(&Token::new(Scope::Read));
    let shutdown = Shutdown::on_signal(|| {})?;
    output.data(&format!("http://{address}{}", invitation(&guard.invite())))?;
    output.note("(for one browser, within an hour; Ctrl-C ends the dashboard)");
    tokio::select! {
        served = tunnel::serve(listener, guard, connection) => served.context("cannot serve the dashboard")?,
        () = shutdown.wait() => {}
    }
    Ok(())
}
