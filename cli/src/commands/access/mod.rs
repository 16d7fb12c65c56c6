//! `acai access …`

mod authorities;
mod create;
mod ls;

use serde_json::json;

use acai_proto::v1::RevokeTokenRequest;

use crate::args::{AccessCommand, RevokeArguments};
use crate::client::connect_access;
use crate::failure::Failure;
use crate::output::Output;

pub(super) async fn access(command: AccessCommand, output: Output) -> Result<(), Failure> {
    match command {
        AccessCommand::Create(arguments) => create::create(arguments, output).await,
        AccessCommand::Ls(list) => ls::ls(&list, output).await,
        AccessCommand::Revoke(arguments) => revoke(arguments, output).await,
        AccessCommand::RotateCa(arguments) => authorities::rotate(&arguments, output).await,
        AccessCommand::Refresh(arguments) => authorities::refresh(arguments, output).await,
    }
}

async fn revoke(RevokeArguments { ask, id }: RevokeArguments, output: Output) -> Result<(), Failure> {
    let mut client = connect_access(&ask.at).await?;
    client.revoke_token(RevokeTokenRequest { id: id.clone() }).await?;
    if ask.json {
        output.data(&json!({"version": 1, "revoked": id}).to_string())?;
    } else {
        output.note(&format!("whoever has the token {id} is refused from now on"));
    }
    Ok(())
}
