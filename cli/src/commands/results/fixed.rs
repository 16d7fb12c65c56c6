//! Parameters that have the same value in all runs of a table: no column for people, but one in CSV.

use acai_proto::v1::{GetResultsResponse, Parameter};

use super::{Question, all_parameters, ask};
use crate::client::Client;
use crate::failure::Failure;

/// What is the same in all runs that the question is about, in declared order.
pub(super) async fn fixed(client: &mut Client, question: &Question<'_>) -> Result<Vec<Parameter>, Failure> {
    let group_by = all_parameters(client, question.sweeps).await?;
    let results = ask(client, &Question { group_by, ..question.clone() }).await?;
    Ok(same_everywhere(&results))
}

fn same_everywhere(results: &GetResultsResponse) -> Vec<Parameter> {
    let mut groups = results.tables.iter().flat_map(|table| &table.rows).map(|row| &row.group);
    let mut same = groups.next().cloned().unwrap_or_default();
    for group in groups {
        same.retain(|parameter| group.contains(parameter));
    }
    same
}
