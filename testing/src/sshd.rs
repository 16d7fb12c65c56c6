//! A private ssh server: on loopback, in a temporary folder, gone with its [`Sshd`]. Whoever runs the test logs in.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::getuid;
use tempfile::TempDir;

/// Where `make sshd` puts the program.
const PROGRAMS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../.sshd");
/// The server of an ordinary user needs nothing. That of root wants a user and a folder of its own, and gets both in a mount
/// namespace where nobody else sees them.
const AS_ROOT: &str = r#"
    mount --bind "$1" /etc/passwd && mount -t tmpfs none /run && mkdir -p /run/sshd && shift && exec "$@"
"#;
/// How long the server may take to start.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running server.
#[derive(Debug)]
pub struct Sshd {
    folder: TempDir,
    server: Child,
}

impl Sshd {
    /// Starts a server; `None`, and said aloud, where its program has not been fetched or cannot be run.
    #[must_use]
    #[expect(clippy::print_stderr, reason = "a test that is skipped must say so")]
    pub fn start() -> Option<Sshd> {
        let program = Path::new(PROGRAMS).join("usr/sbin/sshd");
        if !program.is_file() {
            eprintln!("SKIPPED: there is no ssh server to test with; run `make sshd`");
            return None;
        }
        let folder = tempfile::Builder::new().prefix("acai-sshd-").tempdir().expect("a folder can be made");
        let port = configure(folder.path());
        let mut command = match getuid().is_root() {
            false => Command::new(&program),
            true => {
                let mut command = Command::new("unshare");
                command
                    .args(["--mount", "sh", "-c", AS_ROOT, "sh"])
                    .arg(folder.path().join("passwd"))
                    .arg(&program);
                command
            }
        };
        command
            .args(["-D", "-e", "-f"])
            .arg(folder.path().join("sshd_config"))
            .env("LD_LIBRARY_PATH", libraries());
        let log = fs::File::create(folder.path().join("log")).expect("a log can be made");
        let server = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn();
        let mut sshd = Sshd { folder, server: server.expect("the server can be started") };
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if Instant::now() > deadline || sshd.server.try_wait().is_ok_and(|ended| ended.is_some()) {
                let log = fs::read_to_string(sshd.folder.path().join("log")).unwrap_or_default();
                eprintln!("SKIPPED: an ssh server cannot be run here: {log}");
                return None;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(sshd)
    }

    /// A configuration of ssh that knows the server as the host `here`, and one as `away` that does not answer.
    #[must_use]
    pub fn client_config(&self) -> PathBuf {
        self.folder.path().join("ssh_config")
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Makes keys and configurations; answers the server's port.
fn configure(folder: &Path) -> u16 {
    let write = |name: &str, text: String| {
        fs::write(folder.join(name), text).expect("a file can be written");
    };
    for key in ["host_key", "key"] {
        let made = Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-f"])
            .arg(folder.join(key))
            .status();
        assert!(made.is_ok_and(|status| status.success()), "ssh-keygen makes a key");
    }
    let port = |listener: TcpListener| listener.local_addr().expect("it has an address").port();
    let free = || port(TcpListener::bind("127.0.0.1:0").expect("a port is free"));
    let (here, away, path) = (free(), free(), folder.display());
    write(
        "sshd_config",
        format!(
            "ListenAddress 127.0.0.1:{here}\nHostKey {path}/host_key\nAuthorizedKeysFile {path}/key.pub\n\
             PidFile none\nStrictModes no\nUsePAM no\nPermitRootLogin yes\n"
        ),
    );
    let known = fs::read_to_string(folder.join("host_key.pub")).expect("the host has a key");
    write("known_hosts", format!("[127.0.0.1]:{here} {known}"));
    write(
        "ssh_config",
        format!(
            "Host here away\n  HostName 127.0.0.1\n  IdentityFile {path}/key\n  UserKnownHostsFile {path}/known_hosts\n\
             Host here\n  Port {here}\nHost away\n  Port {away}\n"
        ),
    );
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    write("passwd", format!("{users}sshd:x:65533:65534::/nonexistent:/usr/sbin/nologin\n"));
    here
}

/// The folder of the libraries that were fetched with the program.
fn libraries() -> PathBuf {
    let folders = fs::read_dir(Path::new(PROGRAMS).join("usr/lib")).into_iter().flatten().flatten();
    let mut paths = folders.map(|folder| folder.path());
    paths.find(|path| path.join("libwrap.so.0").exists()).unwrap_or_default()
}
