//! `acai access rotate-ca` and `acai access refresh`

use std::path::Path;

use acai_access::{AccessFile, Pin};
use acai_proto::v1::{ListAuthoritiesRequest, RotateAuthorityRequest};
use anyhow::{Context, anyhow};
use serde_json::json;

use crate::access;
use crate::args::{RefreshArguments, RotateCaArguments};
use crate::client::{self, Access, access_client, connection};
use crate::failure::Failure;
use crate::output::Output;

pub(super) async fn rotate(arguments: &RotateCaArguments, output: Output) -> Result<(), Failure> {
    let RotateCaArguments { ask, finish } = arguments;
    let mut client = client::connect_access(&ask.at).await?;
    let request = RotateAuthorityRequest { finish: *finish };
    let pins = read(&client.rotate_authority(request).await?.into_inner().pins)?;
    if ask.json {
        output.data(&json!({"version": 1, "authorities": pins, "is_finished": finish}).to_string())?;
    } else if let ([_, next], false) = (&pins[..], finish) {
        output.note(&format!(
            "the next certificate authority is {next}: access files that are made from now on know it\nhint: `acai access refresh FILE` has older ones know it; when all do: `acai access rotate-ca --finish`"
        ));
    } else {
        let present = pins.first().map_or_else(String::new, Pin::to_string);
        output.note(&format!(
            "the certificate authority is {present} from now on, within five seconds at all coordinators of the database\nhint: `acai access refresh FILE` has access files forget the one before; files that know that one alone are refused"
        ));
    }
    if let Some(own) = client::access_file(ask.at.coordinator.as_ref()) {
        know(&own, pins, output)?;
    }
    Ok(())
}

pub(super) async fn refresh(
    RefreshArguments { file }: RefreshArguments,
    output: Output,
) -> Result<(), Failure> {
    let path = file.or_else(|| client::access_file(None));
    let path = path.context("there is no access file of yours\nhint: name one")?;
    let mut client = access_client(connection(&AccessFile::read(&path).map_err(anyhow::Error::from)?).await?);
    let pins = authorities(&mut client).await?;
    if pins.is_empty() {
        return Err(anyhow!("the coordinator does not encrypt: `{}` stays as it is", path.display()).into());
    }
    Ok(know(&path, pins, output)?)
}

/// By what the coordinator is known.
pub(super) async fn authorities(client: &mut Access) -> Result<Vec<Pin>, Failure> {
    Ok(read(&client.list_authorities(ListAuthoritiesRequest {}).await?.into_inner().pins)?)
}

fn read(pins: &[String]) -> anyhow::Result<Vec<Pin>> {
    pins.iter().map(|pin| pin.parse().context("the coordinator's answer is damaged")).collect()
}

/// Has the file know these authorities.
fn know(path: &Path, ca: Vec<Pin>, output: Output) -> anyhow::Result<()> {
    let there = AccessFile::read(path)?;
    let shown = path.display();
    if there.ca == ca {
        output.note(&format!("{shown}: knows the coordinator's certificate authorities"));
        return Ok(());
    }
    let count = ca.len();
    access::write(&AccessFile { ca, ..there }, path)?;
    output.note(&format!(
        "{shown}: knows {} now",
        if count == 1 {
            "the one certificate authority that there is"
        } else {
            "both certificate authorities"
        }
    ));
    Ok(())
}
