//! `acai fleet …`: machines that train for a coordinator, asked for where people get their machines.
//!
//! [`file`](mod@file) is what a fleet is, [`demand`](mod@demand) what there is to do; [`slurm`] asks an engine for machines,
//! [`ssh`] and [`local`] start workers on machines that are there.

mod demand;
mod file;
mod local;
mod metrics;
mod quoted;
mod slurm;
mod ssh;
mod way;

use crate::args::{FleetCommand, FleetFileArguments};
use crate::failure::Failure;
use crate::output::Output;
use file::{Fleet, read};

pub(super) async fn fleet(command: FleetCommand, output: Output) -> Result<(), Failure> {
    match command {
        FleetCommand::Up(arguments) => match read(&arguments.fleet.file)? {
            Fleet::Slurm(fleet) => slurm::up(fleet, &arguments, output).await,
            Fleet::Local(fleet) => local::up(fleet, &arguments, output).await,
            Fleet::Ssh(fleet) => ssh::up(fleet, &arguments, output).await,
        },
        FleetCommand::Ls => slurm::ls(output).await,
        FleetCommand::Status(FleetFileArguments { at, file }) => match read(&file)? {
            Fleet::Slurm(fleet) => slurm::status(&fleet, &at, output).await,
            Fleet::Local(_) => Err(local::has_none("`acai workers` shows its workers")),
            Fleet::Ssh(fleet) => ssh::status(&fleet, &at, output).await,
        },
        FleetCommand::Down(FleetFileArguments { at, file }) => match read(&file)? {
            Fleet::Slurm(fleet) => slurm::down(&fleet, &at, output).await,
            Fleet::Local(_) => Err(local::has_none("end its `acai fleet up`, and its workers end with it")),
            Fleet::Ssh(fleet) => ssh::down(&fleet, output).await,
        },
    }
}
