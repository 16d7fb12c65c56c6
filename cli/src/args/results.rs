//! `acai results`, and how tables of results are shown.

use std::str::FromStr;

use acai_sweep::statistics::Spread;
use acai_tables::{Aggregation, Best, Digits, Scale, Style};
use clap::{Args, ValueEnum};

use super::Coordinator;
use super::reading::{SortArguments, Width};
use super::target::one_sweep;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  acai results demo                          mean ± standard deviation over the seeds of each row
  acai results demo --compare lambda=0 --group-by lambda,gamma
                                             differences by pairs of the same seed, with 95 % intervals
  acai results demo --where 'lambda > 0 and dataset = lines32'
  acai results demo --pivot gamma:lambda --best ties
                                             a row for each gamma, a column for each lambda
  acai results demo --pivot metric:lambda --where 'gamma = 0.2'
                                             a row for each metric, as papers compare models
  acai results demo --agg mean,median,min,max,n --digits sig=3
  acai results demo --spread ci95 --format latex > table.tex
  acai results first second --group-by model --metric eval/mean_distance
                                             runs of both sweeps in one table; a run that both have counts once
  acai results demo --format jsonl           a run a line: pandas.read_json(FILE, lines=True)")]
pub(crate) struct ResultsArguments {
    /// The names of sweeps
    #[arg(required = true, value_name = "SWEEP", value_parser = one_sweep)]
    pub(crate) sweeps: Vec<String>,
    #[command(flatten)]
    pub(crate) at: Coordinator,
    #[command(flatten)]
    pub(crate) table: TableArguments,
}

/// What a results table shows.
#[derive(Debug, Args)]
pub(crate) struct TableArguments {
    /// One row for each value of these parameters; `seed` may be one of them
    /// [default: the file's report.group_by, or all that it sweeps]
    #[arg(long, value_name = "PARAMETERS", value_delimiter = ',')]
    pub(crate) group_by: Vec<String>,
    /// Only runs that this condition holds for, such as 'lambda > 0 and dataset in (lines32, digits32)'. It compares parameters,
    /// `seed`, `state` or `number` with =, !=, <, <=, >, >= or `in (…)`, and joins such parts with `and`, `or`, `not` and
    /// parentheses
    #[arg(long = "where", value_name = "CONDITION")]
    pub(crate) filter: Option<String>,
    /// Metrics to show; the first one sorts, best first. `:min` or `:max` after a name says which end is best; of the built-in
    /// trainer's scores, and of the file's own metrics, that is known. `acai metrics SWEEP` lists what there is [default: the file's metric, then every eval/ metric]
    #[arg(long = "metric", value_name = "METRICS", value_delimiter = ',')]
    pub(crate) metrics: Vec<String>,
    /// Which values of each run count: `last`, of each metric; `final`, those at the last step of the training alone; `best`, all of them at the step where the metric that sorts is best (chosen on
    /// test data); `step=N`, the last ones up to step N; `kimg=N`, those after N times 1024 images; or of each metric its `min`, `max` or `mean` over all steps
    #[arg(long, value_name = "VALUES", default_value = "last")]
    pub(crate) at: At,
    /// A row for each value of one parameter and a column for each value of another, of the first metric: gamma:lambda. Rows may
    /// be of several parameters, as in dataset,latent:model, and `metric` counts as one, with a row or column for each metric.
    /// Each value of a parameter of --group-by has a table of its own
    #[arg(long, value_name = "ROWS:COLUMNS", conflicts_with_all = ["compare", "aggregations"])]
    pub(crate) pivot: Option<Pivot>,
    /// A column for each of these, instead of mean ± spread
    #[arg(long = "agg", value_name = "AGGREGATES", value_enum, value_delimiter = ',')]
    aggregations: Vec<AggregationArgument>,
    /// Leave rows out in which fewer runs have a value of the metric that sorts
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    pub(crate) min_n: u32,
    /// What is marked as best
    #[arg(long, value_enum, default_value_t)]
    best: BestArgument,
    /// Digits of figures: `sig=N` significant ones of what stands after ±, and two more of a mean alone; `dec=N` after the point
    #[arg(long, value_name = "DIGITS", default_value = "sig=2")]
    pub(crate) digits: Digits,
    /// Show figures in this unit: with 1e-3, 0.0012 is shown as 1.2
    #[arg(long, value_name = "UNIT")]
    pub(crate) scale: Option<Scale>,
    /// Fail if a row lacks a value of any of its runs
    #[arg(long)]
    pub(crate) strict: bool,
    /// What stands after ±
    #[arg(long, value_enum, default_value_t = SpreadArgument::Population)]
    pub(crate) spread: SpreadArgument,
    /// Compare each row with the one that has these values and otherwise the same, by pairs of the same seed
    #[arg(long, value_name = "PARAMETER=VALUE", value_delimiter = ',')]
    pub(crate) compare: Vec<String>,
    /// How the table is printed
    #[arg(long, value_enum, default_value_t)]
    format: TableFormat,
    /// As --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
    #[command(flatten)]
    pub(crate) sort: SortArguments,
    #[command(flatten)]
    pub(crate) width: Width,
}

impl TableArguments {
    /// A table as it is without any option, in a format.
    pub(crate) fn in_format(format: TableFormat) -> TableArguments {
        TableArguments {
            filter: None,
            group_by: Vec::new(),
            metrics: Vec::new(),
            at: At::Last,
            pivot: None,
            aggregations: Vec::new(),
            min_n: 0,
            best: BestArgument::Bold,
            digits: Digits::Significant(2),
            scale: None,
            strict: false,
            spread: SpreadArgument::Population,
            compare: Vec::new(),
            format,
            json: false,
            sort: SortArguments::default(),
            width: Width { wide: true },
        }
    }

    /// What is said of each metric, besides the usual.
    pub(crate) fn aggregations(&self) -> Vec<Aggregation> {
        self.aggregations.iter().copied().map(Aggregation::from).collect()
    }

    /// How figures are shown.
    pub(crate) fn style(&self) -> Style {
        Style {
            spread: self.spread.into(),
            digits: self.digits,
            best: self.best.into(),
            scale: self.scale.clone(),
            aggregations: self.aggregations(),
        }
    }

    pub(crate) fn format(&self) -> TableFormat {
        if self.json { TableFormat::Json } else { self.format }
    }
}

/// What stands after ± beside a mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SpreadArgument {
    /// Standard deviation of the seeds at hand (divided by n), as in the paper
    Population,
    /// Standard deviation as estimated for all seeds that there could be (divided by n − 1)
    Sample,
    /// Standard error of the mean
    Sem,
    /// Half of the mean's 95 % interval, by Student's t; none for fewer than three runs
    Ci95,
}

impl From<SpreadArgument> for Spread {
    fn from(argument: SpreadArgument) -> Spread {
        match argument {
            SpreadArgument::Population => Spread::Population,
            SpreadArgument::Sample => Spread::Sample,
            SpreadArgument::Sem => Spread::StandardError,
            SpreadArgument::Ci95 => Spread::Confidence95,
        }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum TableFormat {
    /// For people
    #[default]
    Table,
    /// A row a line, figures with all their digits, parameters that are the same everywhere too
    Csv,
    /// The same for programs, with the states of runs that are missing
    Json,
    /// A run a line, with all its parameters
    Jsonl,
    Markdown,
    /// With booktabs, the best means in bold
    Latex,
    /// For people, with --pivot: cells coloured by their means
    Heat,
}

/// Which values of a run count.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum At {
    Last,
    Final,
    Best,
    Step(u64),
    Kimg(f64),
    Min,
    Max,
    Mean,
}

impl FromStr for At {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "last" => At::Last,
            "final" => At::Final,
            "best" => At::Best,
            "min" => At::Min,
            "max" => At::Max,
            "mean" => At::Mean,
            other => {
                let step = other.strip_prefix("step=").and_then(|step| step.parse().ok()).map(At::Step);
                let kimg = other.strip_prefix("kimg=").and_then(|kimg| kimg.parse().ok()).map(At::Kimg);
                step.or(kimg).ok_or("it is none of last, final, best, step=N, kimg=N, min, max, mean")?
            }
        })
    }
}

/// What a row says of its runs' values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum AggregationArgument {
    Mean,
    /// Population standard deviation
    Std,
    /// Standard error of the mean
    Sem,
    /// Half of the mean's 95 % interval, by Student's t
    Ci95,
    Median,
    Min,
    Max,
    /// How many runs have a value
    N,
}

impl From<AggregationArgument> for Aggregation {
    fn from(argument: AggregationArgument) -> Aggregation {
        match argument {
            AggregationArgument::Mean => Aggregation::Mean,
            AggregationArgument::Std => Aggregation::Std,
            AggregationArgument::Sem => Aggregation::Sem,
            AggregationArgument::Ci95 => Aggregation::Ci95,
            AggregationArgument::Median => Aggregation::Median,
            AggregationArgument::Min => Aggregation::Min,
            AggregationArgument::Max => Aggregation::Max,
            AggregationArgument::N => Aggregation::N,
        }
    }
}

/// Which means are marked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum BestArgument {
    /// The best one, and what is equal to it
    #[default]
    Bold,
    /// Also those that are as good within the best one's ±
    Ties,
    /// None
    None,
}

impl From<BestArgument> for Best {
    fn from(argument: BestArgument) -> Best {
        match argument {
            BestArgument::Bold => Best::Bold,
            BestArgument::Ties => Best::Ties,
            BestArgument::None => Best::None,
        }
    }
}

/// The parameters of a pivoted table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pivot {
    /// At least one.
    pub(crate) rows: Vec<String>,
    pub(crate) columns: String,
}

impl FromStr for Pivot {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (rows, columns) = text.split_once(':').unwrap_or_default();
        let rows: Vec<String> = rows.split(',').map(|name| name.trim().to_owned()).collect();
        let all = || rows.iter().map(String::as_str).chain([columns]);
        let is_once = |name: &str| !name.is_empty() && all().filter(|other| *other == name).count() == 1;
        if !all().all(is_once) {
            return Err(
                "it is not parameters of rows and one of columns, such as gamma:lambda or dataset,latent:model",
            );
        }
        Ok(Pivot { columns: columns.to_owned(), rows })
    }
}
