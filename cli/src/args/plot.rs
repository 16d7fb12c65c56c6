//! Figures.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::target::one_sweep;
use super::{At, Coordinator, SpreadArgument};

const EXAMPLES: &str = "\
Examples:
  acai plot heatmap demo -o plane.svg                     λ × γ, mean ± deviation and n in each cell
  acai plot curves demo --metric eval/mean_distance -o curves.svg
  acai plot scatter demo --x eval/mean_distance --y eval/smoothness -o against.svg
  acai plot sheet demo -o sheet.svg                       interpolations of the smallest seed, λ × γ
  acai plot strip demo --metric eval/smoothness --spread ci95 -o strip.svg

Figures are SVG or, for slides, PNG: the file's ending decides. They are as wide as one column of a paper (84 mm) or, with --wide, two. Where the runs are on several datasets there is a file for each, with the dataset's name before the ending.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct PlotArguments {
    #[command(subcommand)]
    pub(crate) command: PlotCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PlotCommand {
    /// A metric over two parameters; incomplete cells are hatched
    #[command(after_help = "\
Examples:
  acai plot heatmap demo -o plane.svg                 λ × γ, mean ± deviation and n in each cell
  acai plot heatmap demo --x lambda --y gamma --metric eval/smoothness -o plane.png
  acai plot heatmap demo --where 'seed < 2' --spread sem -o part.svg")]
    Heatmap {
        /// Parameter from left to right [default: lambda, or the first that the sweep varies]
        #[arg(long, value_name = "PARAMETER")]
        x: Option<String>,
        /// Parameter from the bottom to the top [default: gamma, or the next that the sweep varies]
        #[arg(long, value_name = "PARAMETER")]
        y: Option<String>,
        /// The metric, with `:min` or `:max` where the file does not say which end is best [default: the sweep's]
        #[arg(long)]
        metric: Option<String>,
        #[command(flatten)]
        figure: FigureArguments,
    },
    /// A metric over training: every seed thin, means with their band
    #[command(after_help = "\
Examples:
  acai plot curves demo --metric eval/mean_distance -o curves.svg
  acai plot curves demo --group-by lambda --where 'gamma = 0.2' --log -o lambda.svg
                                                      a curve for each λ, at one γ")]
    Curves {
        /// The metric [default: the sweep's]
        #[arg(long)]
        metric: Option<String>,
        /// Values on a log scale
        #[arg(long)]
        log: bool,
        #[command(flatten)]
        figure: FigureArguments,
    },
    /// One metric against another, a point a run, with crosses at the means
    #[command(after_help = "\
Examples:
  acai plot scatter demo --x eval/mean_distance --y eval/smoothness -o against.svg")]
    Scatter {
        /// Metric from left to right
        #[arg(long, value_name = "METRIC")]
        x: String,
        /// Metric from the bottom to the top
        #[arg(long, value_name = "METRIC")]
        y: String,
        #[command(flatten)]
        figure: FigureArguments,
    },
    /// Pictures of runs, laid out by two parameters
    #[command(after_help = "\
Examples:
  acai plot sheet demo -o sheet.svg                   interpolations of the smallest seed, λ × γ
  acai plot sheet demo --name samples.png --seed 1 -o samples.png")]
    Sheet {
        /// Parameter from left to right [default: lambda, or the first that the sweep varies]
        #[arg(long, value_name = "PARAMETER")]
        x: Option<String>,
        /// Parameter from the bottom to the top [default: gamma, or the next that the sweep varies]
        #[arg(long, value_name = "PARAMETER")]
        y: Option<String>,
        /// Runs of this seed [default: the smallest]
        #[arg(long)]
        seed: Option<u64>,
        /// Which picture, as `acai artifacts ls` names it; the last of each run
        #[arg(long, default_value = "interpolations.png")]
        name: String,
        #[command(flatten)]
        figure: FigureArguments,
    },
    /// A metric by group, a dot a run, with means
    #[command(after_help = "\
Examples:
  acai plot strip demo --metric eval/smoothness --spread ci95 -o strip.svg")]
    Strip {
        /// The metric [default: the sweep's]
        #[arg(long)]
        metric: Option<String>,
        #[command(flatten)]
        figure: FigureArguments,
    },
}

/// What every figure is told.
#[derive(Debug, Clone, Args)]
pub(crate) struct FigureArguments {
    /// The names of sweeps
    #[arg(required = true, value_name = "SWEEP", value_parser = one_sweep)]
    pub(crate) sweeps: Vec<String>,
    /// File to write: .svg, for papers, or .png, for slides, with 300 dots per inch
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// Replace the file if it exists
    #[arg(long)]
    pub(crate) force: bool,
    /// Parameters that make a group [default: all that the sweep varies]
    #[arg(long, value_name = "PARAMETERS", value_delimiter = ',')]
    pub(crate) group_by: Vec<String>,
    /// Only runs on this dataset
    #[arg(long)]
    pub(crate) dataset: Option<String>,
    /// Only runs that this condition holds for, as in `acai results`
    #[arg(long = "where", value_name = "CONDITION")]
    pub(crate) filter: Option<String>,
    /// Which values of each run count, as in `acai results`
    #[arg(long, value_name = "VALUES", default_value = "last")]
    pub(crate) at: At,
    /// What is drawn around means
    #[arg(long, value_enum, default_value_t = SpreadArgument::Population)]
    pub(crate) spread: SpreadArgument,
    /// Title above the figure [default: none, for a paper's caption]
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(crate) title: String,
    /// As wide as two columns
    #[arg(long)]
    pub(crate) wide: bool,
    #[command(flatten)]
    pub(crate) from: Coordinator,
}
