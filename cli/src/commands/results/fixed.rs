//! Parameters that have the same value in all runs of a table: no column for people, but one in CSV.

use acai_sweep::scalar::Scalar;

use super::{Question, all_parameters, ask, tables_of};
use crate::client::Client;
use crate::failure::Failure;

/// What is the same in all runs that the question is about, in declared order.
pub(super) async fn fixed(
    client: &mut Client,
    question: &Question<'_>,
) -> Result<Vec<(String, Scalar)>, Failure> {
    let group_by = all_parameters(client, question.sweeps).await?;
    let results = ask(client, &Question { group_by, ..question.clone() }).await?;
    Ok(acai_tables::same_everywhere(&tables_of(&results)?))
}
