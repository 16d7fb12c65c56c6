//! `AccessService`: tokens, and by what the coordinator is known.

use std::time::Duration;

use acai_access::{Pin, Shown};
use acai_proto::convert::FieldError;
use acai_proto::v1::{self, access_service_server::AccessService};
use tonic::{Request, Response, Status};

use crate::guard::Guard;
use crate::store::TokenRecord;
use crate::use_cases::UseCases;

pub(crate) struct Access {
    pub(crate) use_cases: UseCases,
    pub(crate) guard: Guard,
    /// What the coordinator shows of itself.
    pub(crate) shown: Option<Shown>,
}

#[tonic::async_trait]
impl AccessService for Access {
    async fn create_token(
        &self,
        request: Request<v1::CreateTokenRequest>,
    ) -> Result<Response<v1::CreateTokenResponse>, Status> {
        let v1::CreateTokenRequest { name, scope, valid_s } = request.into_inner();
        let scope = scope.parse().map_err(|error| FieldError::new("scope", format!("{error}")))?;
        let valid = (valid_s > 0).then(|| Duration::from_secs(valid_s));
        let token = self.use_cases.create_token(&name, scope, valid).await?;
        Ok(Response::new(v1::CreateTokenResponse { token: token.reveal() }))
    }

    async fn list_tokens(
        &self,
        _request: Request<v1::ListTokensRequest>,
    ) -> Result<Response<v1::ListTokensResponse>, Status> {
        let tokens = self.use_cases.tokens().await?.into_iter().map(token_message).collect();
        Ok(Response::new(v1::ListTokensResponse { tokens }))
    }

    async fn revoke_token(
        &self,
        request: Request<v1::RevokeTokenRequest>,
    ) -> Result<Response<v1::RevokeTokenResponse>, Status> {
        let id = request.into_inner().id;
        self.use_cases.revoke_token(&id).await?;
        self.guard.forget(&id);
        Ok(Response::new(v1::RevokeTokenResponse {}))
    }

    async fn list_authorities(
        &self,
        _request: Request<v1::ListAuthoritiesRequest>,
    ) -> Result<Response<v1::ListAuthoritiesResponse>, Status> {
        let pins = texts(&self.use_cases.authorities(self.shown.as_ref()).await?);
        Ok(Response::new(v1::ListAuthoritiesResponse { pins }))
    }

    async fn rotate_authority(
        &self,
        request: Request<v1::RotateAuthorityRequest>,
    ) -> Result<Response<v1::RotateAuthorityResponse>, Status> {
        let shown = self.shown.as_ref();
        let pins = match request.into_inner().finish {
            false => self.use_cases.prepare_authority(shown).await?,
            true => self.use_cases.exchange_authority(shown).await?,
        };
        Ok(Response::new(v1::RotateAuthorityResponse { pins: texts(&pins) }))
    }
}

fn texts(pins: &[Pin]) -> Vec<String> {
    pins.iter().map(Pin::to_string).collect()
}

fn token_message(token: TokenRecord) -> v1::Token {
    v1::Token {
        id: token.id,
        name: token.name,
        scope: token.scope.to_string(),
        created_ms: token.created_ms,
        expires_ms: token.expires_ms.unwrap_or_default(),
        revoked_ms: token.revoked_ms.unwrap_or_default(),
        used_ms: token.used_ms.unwrap_or_default(),
    }
}
