//! Rows beside the row that they are compared with, paired by seed.

use acai_proto::convert;
use acai_proto::v1::{GetResultsResponse, ResultsRow, ResultsTable};
use acai_sweep::comparison::{Comparison, Differences, Group, Observation, compare as compare_rows};
use acai_sweep::parameters::Parameter;
use acai_sweep::results::SEED;
use acai_sweep::scalar::Scalar;
use acai_tables::{number, value as shown};
use anyhow::{anyhow, bail};
use serde_json::{Value, json};

use crate::args::TableFormat;
use crate::format::{csv, mean_and_std};
use crate::grid::Grid;

/// `lambda=0,gamma=0.2`: the values of the row to compare with.
pub(super) fn baseline(words: &[String]) -> anyhow::Result<Group> {
    let assignment = |word: &String| {
        let (name, value) =
            word.split_once('=').ok_or_else(|| anyhow!("`{word}` is not PARAMETER=VALUE, like lambda=0"))?;
        Ok((name.to_owned(), scalar(value)))
    };
    words.iter().map(assignment).collect()
}

/// A number where the text is one, else a word; whole numbers are as good as others.
fn scalar(text: &str) -> Scalar {
    text.parse().map_or_else(|_| Scalar::from(text), Scalar::Float)
}

/// Refuses names that are no parameter of any row, with the nearest name.
fn check_names(results: &GetResultsResponse, baseline: &Group) -> anyhow::Result<()> {
    for (name, _) in baseline {
        if results.tables.iter().any(|table| table.group_by.contains(name)) {
            continue;
        }
        match Parameter::find(name) {
            Ok(_) => {
                bail!("rows do not differ in `{name}`\nhint: --group-by says which parameters make a row")
            }
            Err(error) => match error.hint() {
                Some(hint) => bail!("{error}\nhint: {hint}"),
                None => bail!("{error}"),
            },
        }
    }
    Ok(())
}

/// The comparison of each table's rows, of which each is one run, as its last column `seed` says.
pub(super) fn compare(
    results: &GetResultsResponse,
    baseline: &Group,
    format: TableFormat,
) -> anyhow::Result<String> {
    check_names(results, baseline)?;
    let mut compared = Vec::new();
    for table in &results.tables {
        for (place, metric) in table.metrics.iter().enumerate() {
            let observations: Vec<Observation> =
                table.rows.iter().filter_map(|row| observation(row, place)).collect();
            let is_better = convert::goal("metrics.goal", metric.goal)?;
            let rows = compare_rows(&observations, baseline, is_better);
            compared.push(Compared { table, metric: &metric.name, rows });
        }
    }
    if compared.iter().all(|compared| compared.rows.is_empty()) {
        bail!(
            "no row can be compared with {}\nhint: rows that have these values are compared with those that have the same values of all other parameters; --group-by says which count",
            named(baseline)
        );
    }
    Ok(match format {
        TableFormat::Csv => flat(&compared)?,
        TableFormat::Json => {
            json!({"version": 1, "comparisons": compared.iter().map(document).collect::<Vec<_>>()})
                .to_string()
        }
        _ => compared.iter().map(|compared| text(compared, baseline)).collect::<Vec<_>>().join("\n\n"),
    })
}

/// `lambda=0, gamma=0.2`
fn named(baseline: &Group) -> String {
    baseline.iter().map(|(name, value)| format!("{name}={}", shown(value))).collect::<Vec<_>>().join(", ")
}

/// A metric's comparison on a dataset.
struct Compared<'r> {
    table: &'r ResultsTable,
    metric: &'r str,
    rows: Vec<Comparison>,
}

fn observation(row: &ResultsRow, place: usize) -> Option<Observation> {
    let aggregate = row.aggregates.get(place).filter(|aggregate| aggregate.n > 0)?;
    let mut seed = 0;
    let mut group = Group::new();
    for parameter in &row.group {
        match (parameter.name.as_str(), convert::scalar(parameter)) {
            (SEED, Ok(Scalar::Int(value))) => seed = value.cast_unsigned(),
            // Larger ones than a signed integer has come as words.
            (SEED, Ok(Scalar::Word(value))) => seed = value.parse().ok()?,
            // A whole number that somebody names is as good as one with a point.
            (name, Ok(Scalar::Int(value))) => group.push((name.to_owned(), Scalar::Float(value as f64))),
            (name, Ok(value)) => group.push((name.to_owned(), value)),
            (_, Err(_)) => {}
        }
    }
    Some(Observation { group, seed, value: aggregate.mean })
}

fn text(compared: &Compared<'_>, baseline: &Group) -> String {
    let title = format!(
        "{}, {}: difference from {} by pairs of the same seed, mean ± 95 % confidence (t){}",
        compared.table.dataset,
        compared.metric,
        named(baseline),
        if compared.rows.len() > 1 {
            format!("; p for {} rows at once", compared.rows.len())
        } else {
            String::new()
        }
    );
    let parameters: Vec<&String> = compared.table.group_by.iter().filter(|name| *name != "seed").collect();
    let mut headings: Vec<&str> = parameters.iter().map(|name| name.as_str()).collect();
    headings.extend(["pairs", "difference", "better", "p (Holm)"]);
    let row = |Comparison { group, differences }: &Comparison| {
        let find = |name: &&String| group.iter().find(|(known, _)| known == *name);
        let mut cells: Vec<String> = parameters
            .iter()
            .map(|name| find(name).map_or("-".to_owned(), |(_, value)| shown(value)))
            .collect();
        cells.extend(match differences {
            None => ["0", "-", "-", "-"].map(str::to_owned),
            Some(differences) => [
                differences.n.to_string(),
                difference(differences),
                differences.better.map_or("-".to_owned(), |better| format!("{better}/{}", differences.n)),
                differences.p.map_or("-".to_owned(), probability),
            ],
        });
        cells
    };
    let grid = Grid::new(&headings, compared.rows.iter().map(row).collect()).keeping(headings.len());
    format!("{title}\n{}", grid.fit(None))
}

/// Two digits, and no more zeros than say something.
fn probability(p: f64) -> String {
    if p < 0.001 { "< 0.001".to_owned() } else { format!("{p:.*}", if p < 0.1 { 3 } else { 2 }) }
}

fn difference(Differences { n, mean, confidence95, .. }: &Differences) -> String {
    match confidence95 {
        Some(confidence) => mean_and_std(*mean, *confidence, *n),
        // Of fewer than three pairs an interval says nothing.
        None => format!("{} (too few pairs)", mean_and_std(*mean, 0.0, 1)),
    }
}

fn flat(compared: &[Compared<'_>]) -> anyhow::Result<String> {
    let mut parameters: Vec<&String> = Vec::new();
    for name in compared.iter().flat_map(|compared| &compared.table.group_by).filter(|name| *name != "seed") {
        if !parameters.contains(&name) {
            parameters.push(name);
        }
    }
    let mut headings = vec!["dataset".to_owned(), "metric".to_owned()];
    headings.extend(parameters.iter().map(|name| (*name).clone()));
    headings.extend(["pairs", "difference", "confidence95", "better", "p_holm"].map(str::to_owned));
    let mut rows = Vec::new();
    for Compared { table, metric, rows: of_table } in compared {
        for Comparison { group, differences } in of_table {
            let find = |name: &&String| group.iter().find(|(known, _)| known == *name);
            let mut cells = vec![table.dataset.clone(), (*metric).to_owned()];
            cells.extend(
                parameters.iter().map(|name| find(name).map_or(String::new(), |(_, value)| shown(value))),
            );
            let optional = |value: Option<String>| value.unwrap_or_default();
            cells.push(differences.map_or(0, |differences| differences.n).to_string());
            cells.push(optional(differences.map(|differences| number(differences.mean))));
            cells.push(optional(differences.and_then(|differences| differences.confidence95).map(number)));
            cells.push(optional(differences.and_then(|differences| Some(differences.better?.to_string()))));
            cells.push(optional(differences.and_then(|differences| differences.p).map(number)));
            rows.push(cells);
        }
    }
    csv(&headings, rows)
}

fn document(Compared { table, metric, rows }: &Compared<'_>) -> Value {
    let row = |Comparison { group, differences }: &Comparison| {
        let group: serde_json::Map<String, Value> =
            group.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        let differences = differences.map(|differences| {
            json!({
                "pairs": differences.n,
                "mean": differences.mean,
                "confidence95": differences.confidence95,
                "better": differences.better,
                "p_holm": differences.p,
            })
        });
        json!({"group": group, "difference": differences})
    };
    json!({"dataset": table.dataset, "metric": metric, "rows": rows.iter().map(row).collect::<Vec<_>>()})
}

#[cfg(test)]
mod tests {
    use acai_proto::v1::Aggregate;

    use super::*;

    #[test]
    fn a_seed_that_no_signed_integer_holds_makes_a_pair_and_no_group_of_its_own() {
        let of = |seed: Scalar| {
            let group = vec![convert::parameter(SEED, &seed)];
            let aggregates = vec![Aggregate { n: 1, mean: 0.5, ..Aggregate::default() }];
            observation(&ResultsRow { group, aggregates, ..ResultsRow::default() }, 0).unwrap()
        };
        let large = of(Scalar::from(u64::MAX.to_string().as_str()));
        assert_eq!((large.seed, large.group.len()), (u64::MAX, 0));
        assert_eq!((of(Scalar::Int(3)).seed, of(Scalar::Int(3)).group.len()), (3, 0));
    }
}
