//! `acai access create`

use acai_access::AccessFile;
use acai_proto::v1::CreateTokenRequest;
use anyhow::{Context, anyhow};

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
    let request = CreateTokenRequest {
        name: name.clone(),
        scope: scope.to_string(),
        valid_s: expires.map_or(0, |expires| expires.as_secs().max(1)),
    };
    let token = client.create_token(request).await?.into_inner().token;
    let token = token.parse().context("the coordinator's answer is damaged")?;
    let made = AccessFile { url: url.unwrap_or(own.url), ca: own.ca, token: Some(token) };
    access::write(&made, &path)?;
    let until =
        expires.map_or_else(String::new, |expires| format!(", for {}", humantime::format_duration(expires)));
    let path = path.display();
    output.note(&format!("{path}: access to {} as {scope}, for {name}{until}", made.url));
    Ok(())
}
