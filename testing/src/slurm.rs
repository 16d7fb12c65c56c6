//! A private Slurm of one machine with several nodes: in a temporary folder, gone with its [`Slurm`].

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// Starts, stops and describes itself.
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts/slurm_local.sh");
/// Where `make slurm` puts the programs.
const PROGRAMS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../.slurm");

/// A running Slurm.
#[derive(Debug)]
pub struct Slurm {
    folder: TempDir,
}

impl Slurm {
    /// Starts one with so many nodes, of two cores each; `None`, and said aloud, where its programs have not been fetched.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    #[expect(clippy::print_stderr, reason = "a test that is skipped must say so")]
    pub fn start(nodes: u32) -> Option<Slurm> {
        if !Path::new(PROGRAMS).join("complete").is_file() {
            eprintln!("SKIPPED: there is no Slurm to test with; run `make slurm`");
            return None;
        }
        let folder = tempfile::Builder::new().prefix("acai-slurm-").tempdir().expect("a folder can be made");
        let slurm = Slurm { folder };
        slurm.script(&["start"], &["--nodes", &nodes.to_string(), "--kill-wait", "30"]);
        Some(slurm)
    }

    /// A command, Slurm's or another one, that speaks to this Slurm.
    #[must_use]
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("bash");
        command.arg("-c").arg(r#". "$0" && exec "$@""#).arg(self.cluster().join("env")).arg(program);
        command
    }

    /// A node dies, with all that runs on it.
    ///
    /// # Panics
    /// If there is no such node.
    pub fn kill_node(&self, node: &str) {
        self.script(&["kill-node"], &[node]);
    }

    /// A node that died comes back.
    ///
    /// # Panics
    /// If there is no such node, or it does not start.
    pub fn start_node(&self, node: &str) {
        self.script(&["start-node"], &[node]);
    }

    /// The controller ends in order: no command is answered, and jobs go on.
    ///
    /// # Panics
    /// If it is not there.
    pub fn stop_controller(&self) {
        self.script(&["stop-controller"], &[]);
    }

    /// The controller dies, and when it comes back will have forgotten what it did last.
    ///
    /// # Panics
    /// If it is not there.
    pub fn kill_controller(&self) {
        self.script(&["kill-controller"], &[]);
    }

    /// The controller comes back.
    ///
    /// # Panics
    /// If it does not start.
    pub fn start_controller(&self) {
        self.script(&["start-controller"], &[]);
    }

    fn cluster(&self) -> PathBuf {
        self.folder.path().join("cluster")
    }

    fn script(&self, verb: &[&str], rest: &[&str]) {
        let mut command = Command::new(SCRIPT);
        command.env("SLURM_LOCAL_CACHE", PROGRAMS).args(verb).arg(self.cluster()).args(rest);
        // Daemons must not keep the pipes of the test.
        let log = std::fs::File::create(self.folder.path().join("log")).expect("a log can be made");
        let status = command.stdout(log.try_clone().expect("the log can be shared")).stderr(log).status();
        let said = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        assert!(status.is_ok_and(|status| status.success()), "{verb:?}: {said}");
    }
}

impl Drop for Slurm {
    fn drop(&mut self) {
        let mut command = Command::new(SCRIPT);
        // What is left is in a temporary folder, and a test that fails should say why it failed.
        let _ = command.arg("stop").arg(self.cluster()).output();
    }
}
