//! `acai fleet …`: machines that train for a coordinator, asked for where people get their machines.
//!
//! [`file`](mod@file) is what a fleet is, [`demand`](mod@demand) what there is to do; [`slurm`] asks an engine for machines.

mod demand;
mod file;
mod metrics;
mod slurm;
mod way;

use crate::args::{FleetCommand, FleetFileArguments};
use crate::failure::Failure;
use crate::output::Output;
use file::{Fleet, read};

pub(super) async fn fleet(command: FleetCommand, output: Output) -> Result<(), Failure> {
    match command {
        FleetCommand::Up(arguments) => match read(&arguments.fleet.file)? {
            Fleet::Slurm(fleet) => slurm::up(fleet, &arguments, output).await,
        },
        FleetCommand::Ls => slurm::ls(output).await,
        FleetCommand::Status(FleetFileArguments { at, file }) => match read(&file)? {
            Fleet::Slurm(fleet) => slurm::status(&fleet, &at, output).await,
        },
        FleetCommand::Down(FleetFileArguments { at, file }) => match read(&file)? {
            Fleet::Slurm(fleet) => slurm::down(&fleet, &at, output).await,
        },
    }
}
