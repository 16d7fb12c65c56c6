//! The coordinator: the way to it, what it lets this user do, its version and its clock.

use acai_access::{AccessFile, Scope};
use acai_coordinator::clock::Clock;
use acai_proto::SIGNATURE;
use acai_proto::v1::GetDemandRequest;
use acai_proto::v1::fleet_service_client::FleetServiceClient;

use super::finding::Finding;
use crate::args::Coordinator;
use crate::client::{answering, connection};
use crate::failure::Failure;

/// Clocks that differ by more are wrong.
const FAR_MS: u64 = 60_000;

pub(super) async fn findings(at: &Coordinator) -> Vec<Finding> {
    match look(at).await {
        Ok(findings) => findings,
        Err(failure) => {
            let message = failure.message().unwrap_or_default();
            let message = message.strip_prefix("error: ").unwrap_or(&message).to_owned();
            let (words, hint) = message.split_once("\nhint: ").unwrap_or((&message, "is it running?"));
            vec![Finding::wrong("coordinator", words.to_owned(), hint.to_owned())]
        }
    }
}

async fn look(at: &Coordinator) -> Result<Vec<Finding>, Failure> {
    let access = answering(at).await?;
    let mut client = FleetServiceClient::new(connection(&access).await?);
    let before_ms = Clock::start().now_ms();
    let answer = client.get_demand(GetDemandRequest::default()).await?;
    let version =
        answer.metadata().get(SIGNATURE).and_then(|version| version.to_str().ok()).map(str::to_owned);
    let there_ms = answer.into_inner().now_ms;
    Ok(vec![reached(&access, version.as_deref()), token(&access), clock(before_ms, there_ms)])
}

fn reached(access: &AccessFile, version: Option<&str>) -> Finding {
    let words = format!("`{}` answers, version {}", access.url, version.unwrap_or("unknown"));
    match version == Some(env!("CARGO_PKG_VERSION")) {
        true => Finding::good("coordinator", words),
        false => Finding::note(
            "coordinator",
            format!("{words}; acai here is {}", env!("CARGO_PKG_VERSION")),
            "a coordinator serves workers of its own release and of the one before: upgrade it first",
        ),
    }
}

fn token(access: &AccessFile) -> Finding {
    match &access.token {
        None => Finding::note(
            "access",
            "the coordinator asks for no token, and everybody who reaches it may do everything",
            "start it without --auth none",
        ),
        Some(token) if token.scope() == Scope::Worker => {
            Finding::good("access", format!("the token {} is for workers", token.id()))
        }
        Some(token) if token.scope().allows(Scope::Worker) => Finding::note(
            "access",
            format!("the token {} is for `{}`", token.id(), token.scope()),
            "a worker needs less: `acai access create --scope worker --name THIS-MACHINE -o FILE`",
        ),
        Some(token) => Finding::note(
            "access",
            format!("the token {} is for `{}`, so a worker is not let in with it", token.id(), token.scope()),
            "for a worker: `acai access create --scope worker --name THIS-MACHINE -o FILE`, with an admin's file",
        ),
    }
}

fn clock(before_ms: i64, there_ms: i64) -> Finding {
    let off_ms = there_ms.abs_diff(before_ms);
    match off_ms > FAR_MS {
        false => Finding::good("clock", format!("{} s from the coordinator's", off_ms / 1000)),
        true => Finding::wrong(
            "clock",
            format!("{} s from the coordinator's", off_ms / 1000),
            "set the clocks of both, for example by NTP: certificates and tokens are valid by them",
        ),
    }
}
