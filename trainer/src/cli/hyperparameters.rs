//! A configuration from flags: one for each parameter that a sweep file can set.

use acai_sweep::configuration::Configuration;
use acai_sweep::parameters::{DefaultValue, Kind, Models, PARAMETERS, Parameter};
use acai_sweep::scalar::Scalar;
use acai_sweep::training::{Dataset, TrainingConfig};
use anyhow::anyhow;
use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};

/// The flags that were given, and the defaults of the sweep files' table for the others.
#[derive(Debug)]
pub(super) struct Hyperparameters {
    given: Vec<(&'static str, Scalar)>,
}

impl Hyperparameters {
    /// The configuration they say.
    pub(super) fn config(&self) -> anyhow::Result<TrainingConfig> {
        let configuration =
            Configuration::new(self.given.iter().cloned()).map_err(|error| match error.hint() {
                Some(hint) => anyhow!("{error}\nhint: {hint}"),
                None => anyhow!("{error}"),
            })?;
        Ok(configuration.training_config())
    }
}

impl Args for Hyperparameters {
    fn augment_args(command: Command) -> Command {
        command.next_help_heading("Hyper-parameters").args(PARAMETERS.iter().map(flag))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Hyperparameters {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = PARAMETERS.iter().filter_map(|parameter| {
            matches.get_one::<String>(parameter.name).map(|text| (parameter.name, scalar(text)))
        });
        Ok(Hyperparameters { given: given.collect() })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn flag(parameter: &'static Parameter) -> Arg {
    let models = match parameter.models {
        Models::All => String::new(),
        Models::Only(models) => format!("{}: ", models.join(", ")),
    };
    let default = match parameter.default {
        DefaultValue::Required => String::new(),
        DefaultValue::Int(value) => format!(" [default: {value}]"),
        DefaultValue::Float(value) => format!(" [default: {value}]"),
        DefaultValue::Word(word) => format!(" [default: {word}]"),
        DefaultValue::ByModel(of) => match parameter.models {
            Models::All => String::new(),
            Models::Only(models) => {
                let of = models.iter().map(|model| format!("{} for {model}", of(model)));
                format!(" [default: {}]", of.collect::<Vec<_>>().join(", "))
            }
        },
        DefaultValue::SameAs(other) => format!(" [default: that of {other}]"),
        DefaultValue::ByDataset(of) => {
            let of = Dataset::NAMED.map(|dataset| format!("{} on {}", of(&dataset), dataset.name()));
            format!(" [default: {}]", of.join(", "))
        }
    };
    let choice = match &parameter.kind {
        Kind::Dataset => {
            format!(
                " ({}, images:PATH, curve:PATH or text:PATH)",
                Dataset::NAMED.each_ref().map(Dataset::name).join(", ")
            )
        }
        _ => String::new(),
    };
    let arg = Arg::new(parameter.name)
        .long(parameter.name.replace('_', "-"))
        .help(format!("{models}{}{choice}{default}", parameter.doc))
        .required(matches!(parameter.default, DefaultValue::Required))
        .allow_negative_numbers(true);
    match &parameter.kind {
        Kind::Word(words) => {
            let name = parameter.name.to_uppercase();
            arg.value_name(name).value_parser(PossibleValuesParser::new(*words))
        }
        Kind::Dataset => arg.value_name("DATASET"),
        // Only what a sweep file declares has choices, and that is not in the table.
        Kind::Int(_) | Kind::PowerOfTwo(_) | Kind::Float(..) | Kind::Choice(_) => arg.value_name("NUMBER"),
    }
}

/// A number where the text is one, else a word; the table then says what is allowed.
fn scalar(text: &str) -> Scalar {
    let integer = text.parse().map(Scalar::Int);
    let number = integer.or_else(|_| text.parse().map(Scalar::Float));
    number.unwrap_or_else(|_| Scalar::from(text))
}
