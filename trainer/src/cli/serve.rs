//! `acai-trainer serve`: train what a worker asks for.

use std::io;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc;
use std::thread;

use acai_sweep::trainer_protocol::Event;
use acai_trainer::serve::{Reporter, read_commands, serve};
use acai_trainer::{VERSION, device, libtorch};
use clap::Args;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use super::Machine;

/// Train groups of runs for a worker: JSON commands on standard input, JSON events on standard output
///
/// One JSON object a line. Ends when every run of a group has ended whose `start` does not say `"stay":true`, or when
/// standard input does; SIGINT, SIGTERM and SIGHUP are the worker's to act on.
#[derive(Debug, Args)]
#[command(after_help = "Example, by hand (the second `cat` keeps the input open; Ctrl-D ends it):
  (cat start.json; cat) | acai-trainer serve
  where start.json is one line, a `start` command as sweep/src/trainer_protocol.rs has it")]
pub(super) struct Serve {
    #[command(flatten)]
    machine: Machine,
}

impl Serve {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        // What reaches the worker too: a terminal's Ctrl-C or its end, Slurm's and systemd's request to end. The worker
        // decides what becomes of its runs, and asks for their checkpoints; the end of its input ends this program.
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            signal_hook::flag::register(signal, Arc::new(AtomicBool::new(false)))?;
        }
        let mut benchmarks = self.machine.prepare()?;
        let mut reporter = Reporter(io::stdout());
        reporter.report(&Event::Ready {
            version: VERSION.to_owned(),
            device: device::name(benchmarks.device),
            threads: tch::get_num_threads().unsigned_abs(),
            libtorch: libtorch::version(),
            can_stay: true,
            can_join: true,
        })?;
        let (sender, commands) = mpsc::channel();
        thread::spawn(move || read_commands(io::stdin().lock(), &sender));
        serve(&commands, &mut benchmarks, reporter)?;
        Ok(ExitCode::SUCCESS)
    }
}
