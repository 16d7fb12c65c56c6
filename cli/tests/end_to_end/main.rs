//! The programs as people use them: real processes, real gRPC, a real SQLite file, the real trainer.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod access;
mod archive;
mod artifacts;
mod backups;
mod control;
mod curves;
mod doctor;
mod documentation;
mod examples;
mod fleets;
mod in_memory;
mod joining;
mod logs;
mod mistakes;
mod notebooks;
mod observing;
mod outages;
mod own_machines;
mod own_trainers;
mod paper;
mod planning;
mod released;
mod schema;
mod secrets;
mod settings;
mod small_disk;
mod state_folders;
mod submitting;
mod sweeps;
mod tables;
mod views;

use std::io::Read;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use sqlx::{Connection, SqliteConnection};
use tempfile::TempDir;

/// A trainer that is ready, and fails every run that it is given.
pub(crate) const FAILING_TRAINER: &str = r#"#!/bin/sh
echo '{"event":"ready","version":"0","device":"cpu","threads":1,"libtorch":"none"}'
read -r start
exit 7
"#;

/// A folder to work in; what is started here is killed with it.
pub(crate) struct Place {
    folder: TempDir,
}

impl Place {
    pub(crate) fn new() -> Place {
        let trainer = Path::new(env!("CARGO_BIN_EXE_acai")).with_file_name("acai-trainer");
        assert!(trainer.is_file(), "these tests need the trainer: `cargo build -p acai-trainer`");
        Place { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file here.
    pub(crate) fn file(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    /// Writes a program here.
    pub(crate) fn program(&self, name: &str, text: &str) {
        self.file(name, text);
        std::fs::set_permissions(self.path(name), std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// `acai` with these arguments, in this folder and with nothing of the environment's settings.
    pub(crate) fn acai(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_acai"));
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null());
        for variable in ["ACAI_ACCESS", "ACAI_COORDINATOR", "ACAI_DATA", "ACAI_TRAINER", "RUST_LOG"] {
            command.env_remove(variable);
        }
        command.env("XDG_CONFIG_HOME", self.path("config"));
        command
    }

    /// Runs `acai` to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        Ended::from(self.acai(arguments).output().unwrap())
    }

    /// Starts `acai` and goes on.
    pub(crate) fn start(&self, arguments: &[&str]) -> Started {
        let child = self.acai(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        Started { child }
    }

    /// A connection of one's own to a database here.
    pub(crate) async fn database(&self, name: &str) -> SqliteConnection {
        SqliteConnection::connect(&format!("sqlite:{}", self.path(name).display())).await.unwrap()
    }
}

/// A process that is killed when the test ends.
pub(crate) struct Started {
    child: Child,
}

impl Started {
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Process ids of its trainers.
    pub(crate) fn trainers(&self) -> Vec<i32> {
        let is_trainer = |pid: &i32| {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            // The name, in parentheses and cut to 15 bytes, then the state and the parent.
            let parent = stat.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(1));
            stat.contains("(acai-trainer)") && parent == Some(&self.child.id().to_string())
        };
        let processes = std::fs::read_dir("/proc").unwrap().flatten();
        let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        pids.filter(is_trainer).collect()
    }

    pub(crate) fn interrupt(&self) {
        self.signal(rustix::process::Signal::INT);
    }

    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.child), signal).unwrap();
    }

    /// `SIGTERM` to the process and all that descend from it, as Slurm and systemd send it.
    pub(crate) fn terminate_all(&self) {
        let mut family = vec![self.child.id()];
        let parents = parents();
        let mut next = 0;
        while let Some(&parent) = family.get(next) {
            family.extend(parents.iter().filter(|(_, of)| *of == parent).map(|(child, _)| child));
            next += 1;
        }
        for pid in family {
            let pid = rustix::process::Pid::from_raw(pid as i32).unwrap();
            // One of them may just have ended.
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
    }

    pub(crate) fn wait(mut self) -> Ended {
        let status = self.child.wait().unwrap();
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        self.child.stdout.take().unwrap().read_to_end(&mut stdout).unwrap();
        self.child.stderr.take().unwrap().read_to_end(&mut stderr).unwrap();
        Ended::from(Output { status, stdout, stderr })
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Every process of the machine, with its parent.
fn parents() -> Vec<(u32, u32)> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let parent = |process: std::fs::DirEntry| {
        let pid = process.file_name().to_str()?.parse().ok()?;
        let stat = std::fs::read_to_string(process.path().join("stat")).ok()?;
        // The name, in brackets, may hold anything; then the state, and the parent.
        Some((pid, stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?))
    };
    processes.filter_map(parent).collect()
}

/// What a process left behind.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Ended {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Ended {
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self.stdout
    }
}

/// An address that nobody listens on.
pub(crate) fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// Waits until `condition` holds.
#[track_caller]
pub(crate) fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(120);
    while !condition() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
