//! A library that is preloaded into programs, to lie to them about their machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

const SOURCES: [(&str, &str); 2] =
    [("clock.c", include_str!("clock.c")), ("failing_disk.c", include_str!("failing_disk.c"))];

/// Compiles the library into `folder`.
///
/// # Errors
/// Where there is no C compiler.
pub(super) fn compile(folder: &Path) -> anyhow::Result<PathBuf> {
    let library = folder.join("preloaded.so");
    let mut compiler = Command::new("cc");
    compiler.args(["-O2", "-shared", "-fPIC", "-o"]).arg(&library);
    for (name, source) in SOURCES {
        fs::write(folder.join(name), source)?;
        compiler.arg(folder.join(name));
    }
    let output = compiler.arg("-ldl").output().context("cannot run `cc`")?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(library)
}

/// A number that programs have mapped, and see change at once.
#[derive(Debug, Clone)]
pub(super) struct Dial {
    file: PathBuf,
}

impl Dial {
    /// One that shows 0.
    ///
    /// # Errors
    /// If its file cannot be written.
    pub(super) fn make(file: PathBuf) -> anyhow::Result<Dial> {
        let dial = Dial { file };
        dial.set(0)?;
        Ok(dial)
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.file
    }

    /// Sets it, in programs that run as well.
    ///
    /// # Errors
    /// If its file cannot be written.
    pub(super) fn set(&self, number: i64) -> anyhow::Result<()> {
        // In place: running programs have mapped this file.
        let mut file = fs::File::options().create(true).truncate(false).write(true).open(&self.file)?;
        std::io::Write::write_all(&mut file, &number.to_ne_bytes())?;
        Ok(())
    }
}
