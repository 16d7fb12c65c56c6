//! `acai access ls`

use acai_proto::v1::{ListTokensRequest, Token};
use serde_json::{Value, json};

use crate::args::List;
use crate::client::connect_access;
use crate::failure::Failure;
use crate::format::utc;
use crate::grid::Grid;
use crate::output::Output;

pub(super) async fn ls(List { ask, width }: &List, output: Output) -> Result<(), Failure> {
    let mut client = connect_access(&ask.at).await?;
    let tokens = client.list_tokens(ListTokensRequest {}).await?.into_inner().tokens;
    if ask.json {
        let tokens: Vec<Value> = tokens.iter().map(token_json).collect();
        output.data(&json!({"version": 1, "tokens": tokens}).to_string())?;
    } else if tokens.is_empty() {
        output.note("this database has no tokens: `acai coordinator` makes the first");
    } else {
        let rows = tokens.iter().map(row).collect();
        let grid = Grid::new(&["id", "scope", "created", "valid", "last used", "for"], rows).free_text_last();
        output.data(&grid.fit(output.wide(width.wide).width()).to_string())?;
    }
    Ok(())
}

fn row(token: &Token) -> Vec<String> {
    let valid = match (token.revoked_ms, token.expires_ms) {
        (0, 0) => "until revoked".to_owned(),
        (0, expires_ms) => format!("until {}", utc(expires_ms)),
        (revoked_ms, _) => format!("revoked {}", utc(revoked_ms)),
    };
    let used = if token.used_ms == 0 { "never".to_owned() } else { utc(token.used_ms) };
    vec![token.id.clone(), token.scope.clone(), utc(token.created_ms), valid, used, token.name.clone()]
}

fn token_json(token: &Token) -> Value {
    let time = |unix_ms: i64| (unix_ms != 0).then_some(unix_ms);
    json!({
        "id": token.id,
        "name": token.name,
        "scope": token.scope,
        "created_unix_ms": token.created_ms,
        "expires_unix_ms": time(token.expires_ms),
        "revoked_unix_ms": time(token.revoked_ms),
        "last_used_unix_ms": time(token.used_ms),
    })
}
