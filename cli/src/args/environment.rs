//! What the environment says. A variable that is set to nothing counts as one that is not set: so scripts and service files
//! take a setting back.

use std::env;
use std::ffi::OsString;

use clap::{Arg, Command, CommandFactory as _};

use super::Arguments;

/// The value of a variable that is set to something.
pub(crate) fn variable(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

/// The command `acai`, whose options do not see variables that are set to nothing.
pub(crate) fn command() -> Command {
    without_empty_variables(Arguments::command())
}

fn without_empty_variables(command: Command) -> Command {
    command.mut_args(without_empty_variable).mut_subcommands(without_empty_variables)
}

fn without_empty_variable(argument: Arg) -> Arg {
    let is_empty = argument.get_env().and_then(env::var_os).is_some_and(|value| value.is_empty());
    // Help goes on to name a variable that is not set at all.
    if is_empty { argument.env(None::<&'static str>) } else { argument }
}
