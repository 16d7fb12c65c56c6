//! Disks whose writes fail with an I/O error, or are slow, for the programs of one machine: by a library that is
//! preloaded into them.

use std::path::{Path, PathBuf};

use super::preloaded::Dial;
use crate::schedule::Ailment;

/// The disk of one worker, or of the coordinators.
#[derive(Debug, Clone)]
pub(super) struct FailingDisk {
    folder: PathBuf,
    ailment: Dial,
}

impl FailingDisk {
    /// The disk on which `folder` is; a file beside that tells programs how it is.
    ///
    /// # Errors
    /// If that file cannot be written.
    pub(super) fn of(folder: PathBuf) -> anyhow::Result<FailingDisk> {
        Ok(FailingDisk { ailment: Dial::make(folder.with_extension("disk"))?, folder })
    }

    /// What makes a program that has loaded the library see it.
    pub(super) fn environment(&self) -> [(&'static str, &Path); 2] {
        [("ACAI_CHAOS_DISK", self.ailment.path()), ("ACAI_CHAOS_FOLDER", &self.folder)]
    }

    /// Makes it fail, or whole again.
    ///
    /// # Errors
    /// If its file cannot be written.
    pub(super) fn set(&self, ailment: Option<Ailment>) -> anyhow::Result<()> {
        self.ailment.set(match ailment {
            None => 0,
            Some(Ailment::Broken) => 1,
            Some(Ailment::Slow) => 2,
            Some(Ailment::Unsynced) => 3,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::time::{Duration, Instant};

    use super::super::preloaded::compile;
    use super::*;

    #[test]
    #[allow(clippy::print_stderr, reason = "what is not tested is said")]
    fn a_program_sees_its_disk_fail_and_slow_down_and_only_that_one() {
        if Command::new("cc").arg("--version").output().is_err() {
            return eprintln!("NOT TESTED: no disk can be made to fail here, there is no C compiler");
        }
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let library = compile(&root).unwrap();
        std::fs::create_dir(root.join("state")).unwrap();
        let disk = FailingDisk::of(root.join("state")).unwrap();
        let write = |file: &str| {
            let mut dd = Command::new("dd");
            dd.args(["if=/dev/zero", "count=1", "conv=fsync"])
                .arg(format!("of={}", root.join(file).display()));
            let output = dd.env("LD_PRELOAD", &library).envs(disk.environment()).output().unwrap();
            output.status.success()
        };
        assert!(write("state/file"));
        disk.set(Some(Ailment::Broken)).unwrap();
        assert!(!write("state/file"));
        assert!(write("elsewhere"));
        disk.set(Some(Ailment::Unsynced)).unwrap();
        assert!(!write("state/file"), "dd writes and flushes");
        assert!(write("elsewhere"));
        assert_eq!(
            std::fs::metadata(root.join("state/file")).unwrap().len(),
            512,
            "what was written is there"
        );
        disk.set(Some(Ailment::Slow)).unwrap();
        let start = Instant::now();
        assert!(write("state/file"));
        assert!(
            start.elapsed() > Duration::from_millis(400),
            "a write and its flush took {:?}",
            start.elapsed()
        );
        disk.set(None).unwrap();
        assert!(write("state/file"));
    }
}
