//! `acai access create`

use acai_access::{AccessFile, Token};
use acai_proto::v1::{CreateTokenRequest, RevokeTokenRequest};
use anyhow::{Context, anyhow};

use super::authorities::authorities;
use crate::access;
use crate::args::CreateArguments;
use crate::client::{access_client, answering, connection};
use crate::failure::Failure;
use crate::output::Output;

pub(super) async fn create(arguments: CreateArguments, output: Output) -> Result<(), Failure> {
    let CreateArguments { at, scope, name, expires, output: path, url } = arguments;
    if path.exists() {
        let path = path.display();
        return Err(anyhow!("`{path}` is there already\nhint: name another file, or remove this one").into());
    }
    let own = answering(&at).await?;
    if own.ca.is_empty() {
        return Err(anyhow!(
            "the coordinator at `{}` asks nobody for an access file, or is not there for long\nhint: `acai coordinator` serves others; name its access file with --access FILE",
            own.url
        )
        .into());
    }
    let mut client = access_client(connection(&own).await?);
    let ca = authorities(&mut client).await?;
    let request = CreateTokenRequest {
        name: name.clone(),
        scope: scope.to_string(),
        valid_s: expires.map_or(0, |expires| expires.as_secs().max(1)),
    };
    let token = client.create_token(request).await?.into_inner().token;
    let token: Token = token.parse().context("the coordinator's answer is damaged")?;
    let id = token.id().to_owned();
    let made = AccessFile { url: url.unwrap_or(own.url), ca, token: Some(token) };
    if let Err(error) = access::write(&made, &path) {
        // Nobody has the token, and nobody will.
        let revoked = client.revoke_token(RevokeTokenRequest { id: id.clone() }).await;
        let left =
            if revoked.is_err() { format!("; the token {id} is left, revoke it") } else { String::new() };
        return Err(error.context(format!("no access is given{left}")).into());
    }
    let until =
        expires.map_or_else(String::new, |expires| format!(", for {}", humantime::format_duration(expires)));
    let path = path.display();
    output.note(&format!("{path}: access to {} as {scope}, for {name}{until}", made.url));
    Ok(())
}
