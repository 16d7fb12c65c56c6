//! Columns of lists of runs.

use std::collections::BTreeMap;

use acai_proto::convert;
use acai_proto::v1::Run;
use acai_sweep::filter::{Fields, NUMBER, STATE};
use acai_sweep::metric::whole_name;
use acai_sweep::parameters::Parameter;
use acai_sweep::results::SEED;
use acai_sweep::scalar::Scalar;
use acai_sweep::spelling::{did_you_mean, printable};
use anyhow::bail;

use super::state;
use crate::format::{self, mean_and_std, percent, value};
use crate::sorting::Key;

/// A run, and what those of its metrics have come to that are shown.
pub(in crate::commands) struct Listed {
    pub(in crate::commands) run: Run,
    pub(in crate::commands) metrics: BTreeMap<String, Come>,
}

/// What a metric has come to.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::commands) struct Come {
    pub(in crate::commands) last: f64,
    /// The way there, in a line, if it was asked for.
    pub(in crate::commands) curve: Option<String>,
}

impl Listed {
    pub(in crate::commands) fn new(run: Run) -> Listed {
        Listed { run, metrics: BTreeMap::new() }
    }
}

impl Fields for Listed {
    fn field(&self, name: &str) -> Option<Scalar> {
        let Run { number, seed, configuration, .. } = &self.run;
        match name {
            NUMBER => Some(Scalar::Int((*number).into())),
            // As tables have a seed that is too large for a number.
            SEED => Some(i64::try_from(*seed).map_or_else(|_| Scalar::Word(seed.to_string()), Scalar::Int)),
            STATE => Some(Scalar::Word(format::state(self.run.state))),
            name => convert::scalar(configuration.iter().find(|parameter| parameter.name == name)?).ok(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Column {
    Run,
    State,
    Seed,
    Attempt,
    Trained,
    Step,
    TotalSteps,
    Failures,
    Worker,
    Message,
    Parameter(String),
    Metric(String),
}

/// Those that are neither parameters nor metrics, with their names.
const OF_RUNS: [(&str, Column); 10] = [
    ("run", Column::Run),
    ("state", Column::State),
    ("seed", Column::Seed),
    ("attempt", Column::Attempt),
    ("trained", Column::Trained),
    ("step", Column::Step),
    ("total_steps", Column::TotalSteps),
    ("failures", Column::Failures),
    ("worker", Column::Worker),
    ("message", Column::Message),
];

impl Column {
    /// The column of this name; `parameters` are those of the runs.
    pub(super) fn named(word: &str, parameters: &[String]) -> anyhow::Result<Column> {
        let metric = whole_name(word);
        if let Some((_, column)) = OF_RUNS.into_iter().find(|(name, _)| *name == word) {
            Ok(column)
        } else if parameters.iter().any(|name| name == word) || Parameter::find(word).is_ok() {
            Ok(Column::Parameter(word.to_owned()))
        } else if metric.contains('/') {
            Ok(Column::Metric(metric))
        } else {
            let known = OF_RUNS.iter().map(|(name, _)| *name).chain(parameters.iter().map(String::as_str));
            let hint = did_you_mean(word, known.clone()).unwrap_or_else(|| {
                format!("columns are {}, and metrics", known.collect::<Vec<_>>().join(", "))
            });
            bail!("there is no column `{word}`\nhint: {hint}")
        }
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Column::Parameter(name) | Column::Metric(name) => name,
            column => OF_RUNS.iter().find(|(_, known)| known == column).map_or("", |(name, _)| name),
        }
    }

    /// For programs; none where the run has no value.
    pub(super) fn cell(&self, listed: &Listed) -> Option<String> {
        let Listed { run, metrics } = listed;
        Some(match self {
            Column::Run => run.number.to_string(),
            Column::State => state(run),
            Column::Seed => run.seed.to_string(),
            Column::Attempt => run.attempt.to_string(),
            Column::Trained if run.total_steps == 0 => "0".to_owned(),
            Column::Trained => (run.step as f64 / run.total_steps as f64).to_string(),
            Column::Step => run.step.to_string(),
            Column::TotalSteps => run.total_steps.to_string(),
            Column::Failures => run.failures.to_string(),
            Column::Worker => run.worker.clone(),
            Column::Message => run.message.clone(),
            Column::Parameter(name) => {
                value(run.configuration.iter().find(|parameter| parameter.name == *name)?)
            }
            Column::Metric(name) => metrics.get(name)?.last.to_string(),
        })
    }

    /// For people.
    pub(super) fn shown(&self, listed: &Listed) -> String {
        match self {
            Column::Run => format!("#{}", listed.run.number),
            Column::Trained => percent(listed.run.step, listed.run.total_steps),
            Column::Metric(name) => match listed.metrics.get(name) {
                Some(Come { last, curve: Some(curve) }) => format!("{} {curve}", mean_and_std(*last, 0.0, 1)),
                Some(Come { last, curve: None }) => mean_and_std(*last, 0.0, 1),
                None => "-".to_owned(),
            },
            // A traceback has many lines.
            Column::Message => printable(&listed.run.message).lines().next().unwrap_or_default().to_owned(),
            column => column.cell(listed).unwrap_or_else(|| "-".to_owned()),
        }
    }

    /// What the column's runs are sorted by.
    pub(super) fn key(&self, listed: &Listed) -> Option<Key> {
        self.cell(listed).filter(|cell| !cell.is_empty()).map(Key::from)
    }
}
