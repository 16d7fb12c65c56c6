//! `acai access …`

use std::path::PathBuf;
use std::time::Duration;

use acai_access::Scope;
use clap::{Args, Subcommand};

use super::{Ask, Coordinator, List};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  acai access create --scope worker --name gpu-7 -o gpu-7.toml    a file for the machine that trains
  acai access ls                                                  who has a token, and who has used it
  acai access revoke k3x9q2m4                                     takes that one back
  acai access rotate-ca                                           begins to exchange the certificate authority")]
pub(crate) struct AccessArguments {
    #[command(subcommand)]
    pub(crate) command: AccessCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AccessCommand {
    /// Make an access file for somebody
    Create(CreateArguments),
    /// List the tokens that were made
    #[command(after_help = "\
Examples:
  acai access ls    their names, scopes, when they expire, and when they were last used")]
    Ls(List),
    /// Take a token back: whoever has it is refused from now on
    Revoke(RevokeArguments),
    /// Exchange the certificate authority by which clients know the coordinator
    RotateCa(RotateCaArguments),
    /// Have an access file know the certificate authorities that the coordinator has now
    Refresh(RefreshArguments),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  acai access create --scope worker --name gpu-7 -o gpu-7.toml
  acai access create --scope read --name 'visitors' --expires 30d -o visitors.toml

Scopes:
  read     sees sweeps, runs and results, and downloads what runs have left
  submit   also submits sweeps, and changes what is queued and running
  worker   trains, and nothing else
  admin    everything

The file holds the token, which is stored nowhere else: hand it over as you would a password. Whoever has it
uses it with --access FILE, ACAI_ACCESS=FILE, or as ~/.config/acai/access.toml.")]
pub(crate) struct CreateArguments {
    #[command(flatten)]
    pub(crate) at: Coordinator,
    /// What the token allows: read, submit, worker or admin
    #[arg(long)]
    pub(crate) scope: Scope,
    /// For whom it is
    #[arg(long)]
    pub(crate) name: String,
    /// How long it is valid, like 12h or 90d [default: until it is revoked]
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub(crate) expires: Option<Duration>,
    /// Where to write the access file
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// How the bearer reaches the coordinator [default: as this command does]
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  acai access revoke k3x9q2m4    the token of this id in `acai access ls`")]
pub(crate) struct RevokeArguments {
    #[command(flatten)]
    pub(crate) ask: Ask,
    /// The token's id, as `acai access ls` shows it
    pub(crate) id: String,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  acai access rotate-ca             makes the next authority; files that are made from now on know both
  acai access rotate-ca --finish    all coordinators of the database show the next one from now on

In between, every access file has to learn of the next authority: `acai access refresh FILE` does that where
the file is, or exchange it for a new one. Workers read their file again while they work. A file that does not
know the next authority is refused when that is in use.")]
pub(crate) struct RotateCaArguments {
    #[command(flatten)]
    pub(crate) ask: Ask,
    /// Put the next authority in the place of the present one
    #[arg(long)]
    pub(crate) finish: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  acai access refresh                your own access file
  acai access refresh worker.toml    another one

Its address and its token stay.")]
pub(crate) struct RefreshArguments {
    /// The access file [default: what ACAI_ACCESS names, ~/.config/acai/access.toml]
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
}
