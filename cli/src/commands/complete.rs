//! `acai completions` and `acai man`: what shells and `man` know of the commands.

use std::path::Path;

use anyhow::Context;
use clap::{Command, CommandFactory};
use clap_complete::Shell;

use crate::args::Arguments;
use crate::failure::Failure;
use crate::output::Output;

/// Prints the script with which a shell completes commands and options.
pub(super) fn completions(shell: Shell, output: Output) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "acai", &mut script);
    output.part(&String::from_utf8_lossy(&script))?;
    Ok(())
}

/// Writes a page for each command: `acai.1`, `acai-results.1`, …
pub(super) fn man(folder: &Path, output: Output) -> Result<(), Failure> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
    let mut command = Arguments::command();
    command.build();
    let pages = write(&command, "acai", folder)?;
    output.note(&format!(
        "{pages} pages in {}: `man -l {}`",
        folder.display(),
        folder.join("acai.1").display()
    ));
    Ok(())
}

/// Writes the pages of a command and of those below it; answers how many.
fn write(command: &Command, name: &str, folder: &Path) -> anyhow::Result<usize> {
    let path = folder.join(format!("{name}.1"));
    let mut page = Vec::new();
    // A page is called by the command's whole name.
    let named = command.clone().name(name.to_owned()).display_name(name.to_owned());
    clap_mangen::Man::new(named).render(&mut page)?;
    std::fs::write(&path, page).with_context(|| format!("cannot write `{}`", path.display()))?;
    let mut pages = 1;
    for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
        pages += write(below, &format!("{name}-{}", below.get_name()), folder)?;
    }
    Ok(pages)
}
