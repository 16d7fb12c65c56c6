//! The top-level keys other than the parameters.

use super::cursor::{Cursor, Fields, Keys};
use super::error::{Fault, Faults};
use super::node::Node;
use super::place::Place;
use super::setting::find_name;
use super::trainer::Trainer;
use crate::metric::{Goal, Metric, check_name, did_you_mean_score, goal_of, whole_name};
use crate::spelling::quoted;

/// The most runs that `max_runs` can allow; also the most seeds.
pub(super) const MAX_RUNS: u32 = 100_000;
const DEFAULT_MAX_RUNS: u32 = 10_000;
const DEFAULT_MAX_RESTARTS: u32 = 3;
const DEFAULT_MAX_LOST_WORKERS: u32 = 3;
/// Of a sweep, a tag or a metric.
pub(super) const LONGEST_NAME: usize = 128;

pub(super) const GOALS: [(&str, Goal); 4] = [
    ("minimize", Goal::Minimize),
    ("maximize", Goal::Maximize),
    ("min", Goal::Minimize),
    ("max", Goal::Maximize),
];

/// Checks `version`, which has one value.
pub(super) fn check_fixed(fields: &Fields<'_>, faults: &Faults) {
    let version = fields.require("version").map_err(|fault| fault.with_hint(Some("add `version: 1`")));
    faults.keep(version.and_then(|version| match version.node {
        Node::Int(1) => Ok(()),
        other => Err(version.fault(format!("sweep files have version `1`, found {other}"))),
    }));
}

pub(super) fn name(fields: &Fields<'_>) -> Result<String, Fault> {
    label(fields.require("name")?)
}

fn label(value: &Cursor<'_>) -> Result<String, Fault> {
    let what = "a name of letters, digits, `.`, `_` and `-` that begins with a letter or digit (at most 128)";
    let text = value.text_that(what, |text| {
        text.len() <= LONGEST_NAME
            && text.starts_with(|first: char| first.is_ascii_alphanumeric())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
    })?;
    Ok(text.to_owned())
}

pub(super) fn description(fields: &Fields<'_>) -> Result<String, Fault> {
    fields.get("description").map_or(Ok(String::new()), |text| Ok(text.text()?.to_owned()))
}

pub(super) fn tags(fields: &Fields<'_>) -> Result<Vec<String>, Fault> {
    match fields.get("tags") {
        Some(tags) => distinct(&tags.items()?, label),
        None => Ok(Vec::new()),
    }
}

/// `metric`: one or a list of them, in order of preference.
pub(super) fn metrics(
    fields: &Fields<'_>,
    trainer: &Trainer,
    faults: &Faults,
) -> Result<Vec<(Metric, Place)>, Fault> {
    let Some(value) = fields.get("metric") else { return Ok(Vec::new()) };
    let items = match value.node {
        Node::Map(_) | Node::Text(_) => vec![value.clone()],
        _ => value.some_items()?,
    };
    let mut metrics: Vec<(Metric, Place)> = Vec::new();
    for item in items {
        let metric = metric(&item, trainer, faults)?;
        if metrics.iter().any(|(known, _)| known.name == metric.name) {
            return Err(item.fault(format!("{} is in the list twice", quoted(&metric.name))));
        }
        metrics.push((metric, item.place()));
    }
    Ok(metrics)
}

/// `{name, goal}`, or a score's name alone, whose goal is known.
fn metric(value: &Cursor<'_>, trainer: &Trainer, faults: &Faults) -> Result<Metric, Fault> {
    const KEYS: Keys = Keys { known: &["name", "goal"], planned: &[] };
    if let Node::Text(_) = value.node {
        let name = metric_name(value, trainer)?;
        let goal = goal_of(&name).ok_or_else(|| {
            let with_goal = || format!("write `{{name: {name}, goal: min}}`, or `max`");
            value
                .fault(format!("{} is no score, so its goal is not known", quoted(&name)))
                .with_hint(Some(did_you_mean_score(&name).unwrap_or_else(with_goal)))
        })?;
        return Ok(Metric { name, goal: Some(goal) });
    }
    let fields = Fields::read(value, &KEYS, faults)?;
    let name = metric_name(fields.require("name")?, trainer)?;
    let goal = fields.require("goal")?.word(&GOALS)?;
    Ok(Metric { name, goal: Some(goal) })
}

/// The whole name of a metric; `eval/` may be left out before a score.
fn metric_name(value: &Cursor<'_>, trainer: &Trainer) -> Result<String, Fault> {
    let text = any_metric_name(value)?;
    if trainer.metrics.iter().all(|own| own != text) {
        check_name(text).map_err(|unknown| {
            let declare = || "`trainer.metrics` declares those of a trainer of your own".to_owned();
            value.fault(unknown.to_string()).with_hint(Some(unknown.hint.unwrap_or_else(declare)))
        })?;
    }
    Ok(whole_name(text))
}

/// A metric's name as it is written, known or not.
pub(super) fn any_metric_name<'n>(value: &Cursor<'n>) -> Result<&'n str, Fault> {
    let what = "a metric's name, such as `eval/mean_distance`";
    value.text_that(what, |text| {
        (1..=LONGEST_NAME).contains(&text.len())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-'))
    })
}

/// `seeds`: how many, counted from 0, or a list. One by default.
pub(super) fn seeds(fields: &Fields<'_>) -> Result<Vec<u64>, Fault> {
    let Some(value) = fields.get("seeds") else { return Ok(vec![0]) };
    match value.node {
        Node::List(_) => distinct(&value.some_items()?, |seed| seed.integer(0..=u64::MAX)),
        _ => Ok((0..u64::from(value.integer(1..=MAX_RUNS)?)).collect()),
    }
}

pub(super) fn max_runs(fields: &Fields<'_>) -> Result<u64, Fault> {
    fields.get("max_runs").map_or(Ok(DEFAULT_MAX_RUNS), |max| max.integer(1..=MAX_RUNS)).map(u64::from)
}

pub(super) fn priority(fields: &Fields<'_>) -> Result<i64, Fault> {
    fields.get("priority").map_or(Ok(0), |priority| priority.integer(-1_000_000..=1_000_000_i64))
}

pub(super) fn max_concurrent(fields: &Fields<'_>) -> Result<Option<u32>, Fault> {
    fields.get("max_concurrent").map(|max| max.integer(1..=MAX_RUNS)).transpose()
}

pub(super) fn max_restarts(fields: &Fields<'_>) -> Result<u32, Fault> {
    fields.get("max_restarts").map_or(Ok(DEFAULT_MAX_RESTARTS), |max| max.integer(0..=1_000_u32))
}

/// One worker lost is bad luck; the third in a row is likely to be the run's doing.
pub(super) fn max_lost_workers(fields: &Fields<'_>) -> Result<u32, Fault> {
    fields.get("max_lost_workers").map_or(Ok(DEFAULT_MAX_LOST_WORKERS), |max| max.integer(1..=MAX_RUNS))
}

pub(super) fn max_failed_runs(fields: &Fields<'_>) -> Result<Option<u32>, Fault> {
    fields.get("max_failed_runs").map(|max| max.integer(1..=MAX_RUNS)).transpose()
}

/// `checkpoint.every_kimg`, ×1024 images.
pub(super) fn checkpoint_kimg(fields: &Fields<'_>, faults: &Faults) -> Result<Option<(f64, Place)>, Fault> {
    const KEYS: Keys = Keys { known: &["every_kimg"], planned: &["keep"] };
    let Some(checkpoint) = fields.get("checkpoint") else { return Ok(None) };
    let checkpoint = Fields::read(checkpoint, &KEYS, faults)?;
    let Some(every) = checkpoint.get("every_kimg") else { return Ok(None) };
    match every.number()? {
        kimg if kimg > 0.0 && kimg <= 1e6 => Ok(Some((kimg, every.place()))),
        _ => Err(every.fault(format!("expected a number above 0 and at most 1000000, found {}", every.node))),
    }
}

/// `artifacts.weights`: whether each trained run's weights become an artifact.
pub(super) fn keeps_weights(fields: &Fields<'_>, faults: &Faults) -> Result<bool, Fault> {
    const KEYS: Keys = Keys { known: &["weights"], planned: &[] };
    let Some(artifacts) = fields.get("artifacts") else { return Ok(false) };
    Fields::read(artifacts, &KEYS, faults)?.get("weights").map_or(Ok(false), Cursor::flag)
}

/// What `report` says of the results table.
#[derive(Debug, Default)]
pub(super) struct Report<'f> {
    pub(super) group_by: Option<Vec<(&'f str, Place)>>,
    pub(super) metrics: Option<Vec<(String, Place)>>,
}

pub(super) fn report<'f>(
    fields: &Fields<'_>,
    trainer: &'f Trainer,
    faults: &Faults,
) -> Result<Report<'f>, Fault> {
    const KEYS: Keys = Keys { known: &["group_by", "metrics"], planned: &["aggregate", "pivot"] };
    let Some(report) = fields.get("report") else { return Ok(Report::default()) };
    let report = Fields::read(report, &KEYS, faults)?;
    let group_by = report.get("group_by").map(|list| {
        let items = list.some_items()?;
        let names = distinct(&items, |item| Ok(find_name(item.text()?, &item.place(), trainer)?.name))?;
        Ok(names.into_iter().zip(items.iter().map(Cursor::place)).collect())
    });
    let metrics = report.get("metrics").map(|list| {
        let items = list.some_items()?;
        let names = distinct(&items, |item| metric_name(item, trainer))?;
        Ok(names.into_iter().zip(items.iter().map(Cursor::place)).collect())
    });
    Ok(Report { group_by: group_by.transpose()?, metrics: metrics.transpose()? })
}

/// What `read` makes of each item, unless it makes the same of two.
fn distinct<'n, T: PartialEq>(
    items: &[Cursor<'n>],
    read: impl Fn(&Cursor<'n>) -> Result<T, Fault>,
) -> Result<Vec<T>, Fault> {
    let mut values = Vec::with_capacity(items.len());
    for item in items {
        let value = read(item)?;
        if values.contains(&value) {
            return Err(item.fault(format!("{} is in the list twice", item.node)));
        }
        values.push(value);
    }
    Ok(values)
}
