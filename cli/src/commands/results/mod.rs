//! `acai results`: tables of runs, aggregated over their seeds.

mod compare;
mod document;
mod fixed;
mod heat;
mod incomplete;
mod lines;
mod markdown;
mod order;
mod pivot;
mod text;

use acai_proto::v1::{
    GetResultsRequest, GetResultsResponse, GetSweepRequest, Goal, ListRunsRequest, Metric, Statistic,
};
use acai_sweep::metric::{FINAL_EVALUATIONS, whole_name};
use acai_sweep::parameters::PARAMETERS;
use acai_sweep::results::{self, SEED, Table};
use acai_sweep::spelling::counted;
use acai_sweep::training;
use acai_tables::Sheet;
use anyhow::{Context as _, anyhow, bail};

use crate::args::{At, ResultsArguments, TableArguments, TableFormat};
use crate::client::{Client, connect};
use crate::failure::Failure;
use crate::output::Output;

pub(super) async fn results(arguments: &ResultsArguments, output: Output) -> Result<(), Failure> {
    let mut client = connect(&arguments.at).await?;
    print_table(&mut client, &arguments.sweeps, &arguments.table, output).await
}

/// Asks for the table of these sweeps and prints it.
pub(super) async fn print_table(
    client: &mut Client,
    sweeps: &[String],
    arguments: &TableArguments,
    output: Output,
) -> Result<(), Failure> {
    let (text, results) = table(client, sweeps, arguments, output).await?;
    output.data(&text)?;
    incomplete::refuse(&results, arguments)
}

/// The table of these sweeps as text, and what it was made of.
pub(super) async fn table(
    client: &mut Client,
    sweeps: &[String],
    arguments: &TableArguments,
    output: Output,
) -> Result<(String, GetResultsResponse), Failure> {
    let (format, baseline) = (arguments.format(), compare::baseline(&arguments.compare)?);
    check_format(arguments, !baseline.is_empty())?;
    let mut group_by = arguments.group_by.clone();
    if format == TableFormat::Jsonl {
        group_by = all_parameters(client, sweeps).await?;
        group_by.push(SEED.to_owned());
    } else if !baseline.is_empty() {
        group_by = by_run(client, sweeps, group_by).await?;
    } else if let Some(pivot) = &arguments.pivot {
        group_by = pivot::group_by(pivot, &group_by);
    }
    let filter = arguments.filter.as_deref().unwrap_or_default();
    let question = Question { sweeps, metrics: &arguments.metrics, at: arguments.at, group_by, filter };
    let mut results = ask(client, &question).await?;
    let left_out = incomplete::leave_out(&mut results, arguments.min_n);
    if left_out > 0 {
        let rows = counted(left_out as u64, "row");
        output.note(&format!("{rows} with fewer than {} runs left out (--min-n)", arguments.min_n));
    }
    if let Some(sorting) = arguments.sort.sorting() {
        order::sort(&mut results, sorting)?;
    }
    note_missing(&results, &arguments.metrics, output);
    note_few_evaluations(&results, &arguments.metrics, output);
    let text = match format {
        format if !baseline.is_empty() => compare::compare(&results, &baseline, format)?,
        TableFormat::Csv => {
            let fixed = fixed::fixed(client, &question).await?;
            acai_tables::csv(&tables_of(&results)?, &fixed, &arguments.aggregations())
                .context("cannot write CSV")?
        }
        TableFormat::Json => document::json(&results, &arguments.aggregations()).to_string(),
        TableFormat::Jsonl => lines::lines(&results),
        TableFormat::Table | TableFormat::Heat | TableFormat::Markdown | TableFormat::Latex => {
            if arguments.pivot.is_some() {
                pivot::check(client, &question).await?;
            }
            drawn(client, (&results, sweeps), arguments, output).await?
        }
    };
    Ok((text, results))
}

/// Refuses formats that do not show what is asked for.
fn check_format(arguments: &TableArguments, is_compared: bool) -> anyhow::Result<()> {
    let format = arguments.format();
    if is_compared && ![TableFormat::Table, TableFormat::Csv, TableFormat::Json].contains(&format) {
        bail!("--compare is printed as a table, as CSV or as JSON\nhint: leave --format away");
    }
    if format == TableFormat::Heat && arguments.pivot.is_none() {
        bail!("--format heat needs --pivot ROWS:COLUMNS, such as --pivot gamma:lambda");
    }
    let drawn = [TableFormat::Table, TableFormat::Heat, TableFormat::Markdown, TableFormat::Latex];
    if arguments.pivot.is_some() && !drawn.contains(&format) {
        bail!(
            "--pivot is printed as a table, as Markdown or as LaTeX\nhint: CSV and JSON have a row for each cell without it"
        );
    }
    Ok(())
}

/// Says which of the metrics that are asked for no run has.
fn note_missing(results: &GetResultsResponse, metrics: &[String], output: Output) {
    let shown = |name: &str| {
        results.tables.iter().any(|table| table.metrics.iter().any(|metric| metric.name == name))
    };
    for name in metrics {
        let name = name.strip_suffix(":min").or(name.strip_suffix(":max")).unwrap_or(name);
        if results.completed > 0 && !shown(&whole_name(name)) {
            output.note(&format!(
                "no completed run has a value of `{name}`; `acai metrics SWEEP` lists what there is"
            ));
        }
    }
}

/// Says that the table has medians of few evaluations, which a pivoted one does not show.
fn note_few_evaluations(results: &GetResultsResponse, metrics: &[String], output: Output) {
    let mut shown = results.tables.iter().flat_map(|table| &table.metrics);
    if shown.any(|metric| metric.name == FINAL_EVALUATIONS)
        && metrics.iter().all(|name| name != FINAL_EVALUATIONS)
    {
        output.note(&format!(
            "figures `final/…` of some runs are medians of fewer than {} evaluations; `{FINAL_EVALUATIONS}` says of how many",
            training::FINAL_EVALUATIONS
        ));
    }
}

/// The tables as people and papers read them.
async fn drawn(
    client: &mut Client,
    (results, sweeps): (&GetResultsResponse, &[String]),
    arguments: &TableArguments,
    output: Output,
) -> Result<String, Failure> {
    let (format, style) = (arguments.format(), arguments.style());
    let waiting = match incomplete::any_waits(results) {
        true => waiting(client, sweeps).await?,
        false => Vec::new(),
    };
    let unit = |figures: &[&results::Aggregate]| match (&style.scale, format) {
        (None, TableFormat::Latex) => acai_tables::unit(figures),
        _ => style.unit(),
    };
    let is_pivoted = arguments.pivot.is_some();
    let tables = tables_of(results)?;
    let sheets: Vec<Sheet> = match &arguments.pivot {
        None => tables.iter().map(|table| Sheet::of_table(table, &style, unit, &waiting)).collect(),
        Some(pivot) => {
            let drawing = pivot::Drawing { pivot, style: &style, unit: &unit, waiting: &waiting };
            pivot::sheets(&tables, &drawing)
        }
    };
    Ok(match format {
        TableFormat::Markdown => markdown::markdown(&sheets, &style),
        TableFormat::Latex => acai_tables::latex(&results.sweep, &sheets, &style),
        TableFormat::Heat => heat::heat(&sheets, (arguments.at, &style), output),
        _ => {
            let output = output.wide(arguments.width.wide);
            text::text((results, &sheets), (arguments.at, &style), is_pivoted, output)
        }
    })
}

/// The tables that a coordinator has sent.
fn tables_of(results: &GetResultsResponse) -> anyhow::Result<Vec<Table>> {
    let tables = results.tables.iter().map(acai_proto::tables::table);
    tables.collect::<Result<_, _>>().context("the coordinator's answer makes no sense")
}

/// Datasets that no worker has, of runs that wait.
async fn waiting(client: &mut Client, sweeps: &[String]) -> Result<Vec<String>, Failure> {
    let mut datasets = Vec::new();
    for sweep in sweeps {
        let request = GetSweepRequest { sweep: sweep.clone() };
        datasets.extend(client.get_sweep(request).await?.into_inner().waiting_for_datasets);
    }
    Ok(datasets)
}

/// The parameters of the rows, and the seed: a row is a run then.
pub(super) async fn by_run(
    client: &mut Client,
    sweeps: &[String],
    asked: Vec<String>,
) -> Result<Vec<String>, Failure> {
    let mut group_by = asked;
    if group_by.is_empty() {
        let request = GetResultsRequest { sweep: sweeps[0].clone(), ..GetResultsRequest::default() };
        let usual = client.get_results(request).await?.into_inner();
        for name in usual.tables.into_iter().flat_map(|table| table.group_by) {
            if !group_by.contains(&name) {
                group_by.push(name);
            }
        }
    }
    if group_by.iter().all(|name| name != SEED) {
        group_by.push(SEED.to_owned());
    }
    Ok(group_by)
}

/// All parameters that rows can be made of; those that the first sweep declares for a trainer of one's own are last.
async fn all_parameters(client: &mut Client, sweeps: &[String]) -> Result<Vec<String>, Failure> {
    let request = ListRunsRequest { sweep: sweeps[0].clone(), ..ListRunsRequest::default() };
    // All runs of a sweep have its own parameters.
    let first = client.list_runs(request).await?.into_inner().message().await?;
    let own = first.into_iter().flat_map(|run| run.configuration).filter(|parameter| parameter.own);
    let of_table = PARAMETERS.iter().map(|parameter| parameter.name.to_owned());
    Ok(of_table.chain(own.map(|parameter| parameter.name)).collect())
}

/// A question about results; what is left empty is as the first sweep's file says.
#[derive(Clone)]
pub(super) struct Question<'q> {
    pub(super) sweeps: &'q [String],
    /// `eval/x`, `eval/x:min` or `eval/x:max`.
    pub(super) metrics: &'q [String],
    pub(super) at: At,
    /// Parameters that make a row.
    pub(super) group_by: Vec<String>,
    /// Which runs count, as a condition in words; all if it is empty.
    pub(super) filter: &'q str,
}

/// Asks the coordinator.
pub(super) async fn ask(client: &mut Client, question: &Question<'_>) -> Result<GetResultsResponse, Failure> {
    let Question { sweeps, metrics: words, at, group_by, filter } = question;
    let request = GetResultsRequest {
        sweep: sweeps.first().cloned().unwrap_or_default(),
        more_sweeps: sweeps.iter().skip(1).cloned().collect(),
        group_by: group_by.clone(),
        metrics: metrics(words)?,
        at: match at {
            At::Last | At::Step(_) | At::Kimg(_) => Statistic::Last,
            At::Final => Statistic::Final,
            At::Best => Statistic::Best,
            At::Min => Statistic::Min,
            At::Max => Statistic::Max,
            At::Mean => Statistic::Mean,
        }
        .into(),
        at_step: match at {
            At::Step(step) => Some(*step),
            _ => None,
        },
        at_kimg: match at {
            At::Kimg(kimg) => Some(*kimg),
            _ => None,
        },
        filter: (*filter).to_owned(),
    };
    let (filter, at_kimg, at) = (request.filter.clone(), request.at_kimg, request.at());
    let results = client.get_results(request).await?.into_inner();
    let is_known = at != Statistic::Final || results.at() == at;
    if results.filter != filter || results.at_kimg != at_kimg || !is_known {
        let words = "the coordinator is of an earlier release, which knows neither --where nor --at kimg=N and --at final";
        return Err(anyhow!(words).into());
    }
    Ok(results)
}

/// `eval/x`, `eval/x:min` or `eval/x:max`.
fn metrics(words: &[String]) -> anyhow::Result<Vec<Metric>> {
    let metric = |word: &String| {
        let (name, goal) = match word.rsplit_once(':') {
            None => (word.as_str(), Goal::Unspecified),
            Some((name, "min")) => (name, Goal::Minimize),
            Some((name, "max")) => (name, Goal::Maximize),
            Some((_, end)) => bail!("`{word}`: `{end}` is neither `min` nor `max`"),
        };
        Ok(Metric { name: whole_name(name), goal: goal.into() })
    };
    words.iter().map(metric).collect()
}
