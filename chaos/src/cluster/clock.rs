//! Wall clocks that can be set, one for each process: by a library that is preloaded into it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::ensure;

use super::preloaded::{Dial, compile};

/// The library, compiled into a session's folder.
#[derive(Debug, Clone)]
pub(super) struct Clocks {
    folder: PathBuf,
    library: PathBuf,
}

/// The wall clock of one service, and of what it starts.
#[derive(Debug, Clone)]
pub(super) struct WallClock {
    library: PathBuf,
    ahead: Dial,
}

impl Clocks {
    /// Compiles the library into `folder`.
    ///
    /// # Errors
    /// Where there is no C compiler, or what it makes cannot be loaded.
    pub(super) fn compile(folder: &Path) -> anyhow::Result<Clocks> {
        let clocks = Clocks { folder: folder.to_owned(), library: compile(folder)? };
        clocks.ensure_they_work()?;
        Ok(clocks)
    }

    /// A clock that shows the true time.
    ///
    /// # Errors
    /// If its file cannot be written.
    pub(super) fn of(&self, service: &str) -> anyhow::Result<WallClock> {
        let ahead = Dial::make(self.folder.join(format!("{service}.clock")))?;
        Ok(WallClock { library: self.library.clone(), ahead })
    }

    fn ensure_they_work(&self) -> anyhow::Result<()> {
        let clock = self.of("trial")?;
        clock.set(-1_000_000_000)?;
        let mut date = Command::new("date");
        date.arg("+%s").envs(clock.environment());
        let shown: i64 = String::from_utf8(date.output()?.stdout)?.trim().parse()?;
        // This program was written after the second 1,700,000,000, and a billion earlier is not.
        ensure!(shown < 1_700_000_000, "programs do not load the library");
        Ok(())
    }
}

impl WallClock {
    /// What makes a program use it.
    pub(super) fn environment(&self) -> [(&'static str, &Path); 2] {
        [("LD_PRELOAD", &self.library), ("ACAI_CHAOS_CLOCK", self.ahead.path())]
    }

    /// Sets it, in programs that run as well.
    ///
    /// # Errors
    /// If its file cannot be written.
    pub(super) fn set(&self, ahead_s: i64) -> anyhow::Result<()> {
        self.ahead.set(ahead_s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::print_stderr, reason = "what is not tested is said")]
    fn a_program_sees_its_wall_clock_set() {
        if Command::new("cc").arg("--version").output().is_err() {
            return eprintln!("NOT TESTED: no clock can be set here, there is no C compiler");
        }
        let folder = tempfile::tempdir().unwrap();
        // A trial is part of it.
        Clocks::compile(folder.path()).unwrap();
    }
}
