//! The program `acai-chaos`.

mod args;

use std::io::{Write, stderr, stdout};
use std::process::ExitCode;

use acai_chaos::programs::Programs;
use acai_chaos::session::{Settings, run};
use clap::Parser;

use args::Arguments;

#[tokio::main]
async fn main() -> ExitCode {
    let work = work(Arguments::parse());
    let outcome = tokio::select! {
        outcome = work => outcome,
        _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("interrupted")),
    };
    match outcome {
        Ok(clean) => ExitCode::from(u8::from(!clean)),
        Err(error) => {
            let _ = writeln!(stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether every promise was kept.
async fn work(arguments: Arguments) -> anyhow::Result<bool> {
    let programs = match &arguments.programs {
        Some(folder) => Programs::in_folder(folder)?,
        None => Programs::beside_this_one()?,
    };
    let settings = Settings {
        faults_for: arguments.minutes,
        seed: arguments.seed,
        store: arguments.store,
        plain: arguments.plain,
        work: arguments.work,
        programs,
    };
    let say = |line: &str| drop(writeln!(stderr(), "{line}"));
    let report = run(&settings, &say).await?;
    let report =
        report.ok_or_else(|| anyhow::anyhow!("there is no Postgres to test with: run `make postgres`"))?;
    let text = if arguments.json { format!("{:#}\n", report.json()) } else { report.table() };
    stdout().write_all(text.as_bytes())?;
    Ok(report.is_clean())
}
