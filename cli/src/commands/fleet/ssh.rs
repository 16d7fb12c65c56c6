//! Fleets of workers on machines that ssh reaches: by the system's ssh, with its configuration, agent and jump hosts.
//!
//! A worker is started by `systemd-run --user` where the account lingers, or else in a session of its own, and outlives the
//! connection.
//! The access file travels through ssh's input, so it is in nobody's arguments and environment. Nothing is installed.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, anyhow, bail, ensure};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::demand::demand;
use super::file::{check_worker_options, name};
use super::quoted::quoted;
use super::way;
use crate::args::{Coordinator, UpArguments};
use crate::client::answering;
use crate::failure::Failure;
use crate::grid::Grid;
use crate::output::Output;

/// How long a machine may take; a worker that ends has 25 s for that.
const PATIENCE: Duration = Duration::from_secs(90);

/// Workers on machines that ssh reaches, one on each.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SshFleet {
    /// Its workers have it in their names.
    #[serde(deserialize_with = "name")]
    name: String,
    /// As ssh takes them.
    hosts: Vec<String>,
    /// Folder of a worker's files on each machine, relative to the home there.
    #[serde(default)]
    folder: PathBuf,
    /// Access file of the workers, on this machine.
    #[serde(default)]
    access: Option<PathBuf>,
    /// The program, as the machines find it.
    #[serde(default = "acai")]
    acai: String,
    /// Options of ssh.
    #[serde(default)]
    ssh: Vec<String>,
    /// Shell commands before the worker.
    #[serde(default)]
    setup: String,
    /// Options of `acai worker`.
    #[serde(default)]
    worker: Vec<String>,
}

fn acai() -> String {
    "acai".to_owned()
}

impl SshFleet {
    /// Makes the path of this machine absolute, and checks what types do not.
    pub(super) fn complete(&mut self, folder: &Path) -> anyhow::Result<()> {
        ensure!(!self.hosts.is_empty(), "`hosts` has none");
        for host in &self.hosts {
            // ssh would take it for an option.
            ensure!(
                !host.is_empty() && !host.starts_with('-') && !host.contains(char::is_whitespace),
                "`hosts` has `{host}`, which is no host"
            );
        }
        if self.folder.as_os_str().is_empty() {
            self.folder = format!("acai-fleet-{}", self.name).into();
        }
        self.access = self.access.take().map(|access| folder.join(access));
        check_worker_options(&self.worker)
    }

    /// What the worker on a machine is called.
    fn worker_on(&self, host: &str) -> String {
        let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
        format!("{}-{host}", self.name)
    }

    /// What a machine's shell needs to know for all that follows.
    fn preamble(&self) -> String {
        let folder = quoted(&self.folder.display().to_string());
        let unit = quoted(&format!("acai-{}", self.name));
        format!("folder={folder}\nunit={unit}\n{PREAMBLE}")
    }

    fn start(&self, host: &str) -> String {
        let options: String = self.worker.iter().map(|option| format!(" {}", quoted(option))).collect();
        let worker = format!(
            "{}\nexec {} worker --access \"$folder/access.toml\" --state \"$folder/state\" --name {}{options}\n",
            self.setup.trim_end(),
            quoted(&self.acai),
            quoted(&self.worker_on(host)),
        );
        // The worker's script is a file there: so it needs no quoting for a second shell.
        let worker = quoted(&format!("set -e\nfolder=$1\n{worker}"));
        format!("{}acai={}\nworker={worker}\n{START}", self.preamble(), quoted(&self.acai))
    }
}

/// Whether the worker is there: `by` is how it was started, if it is. One that systemd is about to start again is there, and so is
/// one that is still being set up. `folder` and `unit` are set; a relative folder is one of the home, where a login begins.
const PREAMBLE: &str = r#"
set -eu
umask 077
mkdir -p "$folder"; folder=$(cd "$folder" && pwd)
pid=$(cat "$folder/pid" 2> /dev/null || echo none)
by=nobody
case $(systemctl --user show --property=ActiveState --value "$unit" 2> /dev/null || true) in
    active | activating | reloading | deactivating) by=systemd ;;
    *) if tr '\0' '\n' < "/proc/$pid/cmdline" 2> /dev/null | grep -qxF -e "$folder/state" -e "$folder/worker.sh"
        then by=setsid
        fi ;;
esac
"#;

/// Starts the worker unless it is there. The access file comes through the input; `acai` and `worker` are set.
const START: &str = r#"
cat > "$folder/access.new"; mv "$folder/access.new" "$folder/access.toml"
version=$("$acai" --version) || { echo "there is no $acai here: install it, or say as \`acai\` in the fleet's file where it is" >&2; exit 1; }
echo "version $version"
[ "$by" = nobody ] || { echo "state is there already"; exit 0; }
printf %s "$worker" > "$folder/worker.sh"
# The systemd of an account that does not linger ends all that it has started once nobody is logged in.
if [ -e "/var/lib/systemd/linger/$(id -un)" ] && systemctl --user --quiet show-environment > /dev/null 2>&1; then
    systemd-run --user --quiet --collect --unit="$unit" --property=KillMode=mixed --property=TimeoutStopSec=45 \
        --property=Restart=on-failure --property=RestartSec=30 \
        --property=StandardOutput="append:$folder/log" --property=StandardError="append:$folder/log" \
        sh "$folder/worker.sh" "$folder"
else
    setsid sh -c 'echo $$ > "$0/pid"; exec sh "$0/worker.sh" "$0"' "$folder" < /dev/null >> "$folder/log" 2>&1 &
fi
echo "state started"
"#;

/// Ends the worker in order, if it is there.
const STOP: &str = r#"
case $by in
    systemd) systemctl --user stop "$unit"; echo "state stopped" ;;
    setsid)
        kill -TERM "$pid"
        for _ in $(seq 450); do [ -e "/proc/$pid" ] || break; sleep 0.1; done
        rm -f "$folder/pid"
        if [ -e "/proc/$pid" ]; then echo "state does not end"; else echo "state stopped"; fi ;;
    *) echo "state was not there" ;;
esac
"#;

/// Says whether the worker is there, and how its log ends.
const LOOK: &str = r#"
[ "$by" = nobody ] && echo "state is not there" || echo "state is there, by $by"
echo "log $(tail -n 1 "$folder/log" 2> /dev/null || true)"
"#;

/// `acai fleet up`: has a worker on each machine; on those that have one already nothing happens.
pub(super) async fn up(fleet: SshFleet, arguments: &UpArguments, output: Output) -> Result<(), Failure> {
    let (path, _) = way::of_workers(&arguments.fleet.at, fleet.access.as_deref())?;
    let access = std::fs::read(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
    if arguments.dry_run {
        for host in &fleet.hosts {
            output.data(&format!("ssh {} {host}\n{}", fleet.ssh.join(" "), fleet.start(host)))?;
        }
        return Ok(());
    }
    let scripts = fleet.hosts.iter().map(|host| (host.clone(), fleet.start(host)));
    let answers = on_all(&fleet, scripts.collect(), &access).await;
    for (host, answer) in &answers {
        match answer {
            Ok(answer) => {
                output.data(&format!("{host}: the worker {}", word(answer, "state")))?;
                let (theirs, own) = (word(answer, "version"), concat!("acai ", env!("CARGO_PKG_VERSION")));
                if theirs != own {
                    output.note(&format!("warning: {host} has {theirs}, this machine {own}"));
                }
            }
            Err(error) => output.note(&format!("error: {host}: {error:#}")),
        }
    }
    all_well(&answers)
}

/// `acai fleet status`
pub(super) async fn status(fleet: &SshFleet, at: &Coordinator, output: Output) -> Result<(), Failure> {
    let demand = demand(&answering(at).await?, &format!("{}-", fleet.name)).await?;
    let scripts = fleet.hosts.iter().map(|host| (host.clone(), fleet.preamble() + LOOK)).collect();
    let answers = on_all(fleet, scripts, b"").await;
    let row = |(host, answer): &(String, anyhow::Result<String>)| match answer {
        Ok(answer) => {
            let known = demand.says_of(&fleet.worker_on(host));
            vec![host.clone(), word(answer, "state").to_owned(), known, word(answer, "log").to_owned()]
        }
        Err(error) => vec![host.clone(), "cannot be asked".to_owned(), String::new(), format!("{error:#}")],
    };
    let rows = answers.iter().map(row).collect();
    let grid = Grid::new(&["host", "worker", "coordinator", "its last words"], rows).free_text_last();
    output.data(&grid.fit(output.width()).to_string())?;
    all_well(&answers)
}

/// `acai fleet down`: the workers write checkpoints, give their runs back and end.
pub(super) async fn down(fleet: &SshFleet, output: Output) -> Result<(), Failure> {
    let scripts = fleet.hosts.iter().map(|host| (host.clone(), fleet.preamble() + STOP)).collect();
    let answers = on_all(fleet, scripts, b"").await;
    for (host, answer) in &answers {
        match answer {
            Ok(answer) => output.data(&format!("{host}: the worker {}", word(answer, "state")))?,
            Err(error) => output.note(&format!("error: {host}: {error:#}")),
        }
    }
    all_well(&answers)
}

/// What follows a word at the beginning of a line.
fn word<'a>(answer: &'a str, before: &str) -> &'a str {
    let line = answer.lines().find_map(|line| line.strip_prefix(before)?.strip_prefix(' '));
    line.unwrap_or_default()
}

fn all_well(answers: &[(String, anyhow::Result<String>)]) -> Result<(), Failure> {
    let bad = answers.iter().filter(|(_, answer)| answer.is_err()).count();
    match bad {
        0 => Ok(()),
        bad => Err(anyhow!("{bad} of {} machines did not do what they were asked", answers.len()).into()),
    }
}

/// Runs a script on each machine, all at once, with this input; answers what each said, in the order of the fleet's file.
async fn on_all(
    fleet: &SshFleet,
    scripts: Vec<(String, String)>,
    input: &[u8],
) -> Vec<(String, anyhow::Result<String>)> {
    let mut running = JoinSet::new();
    for (number, (host, script)) in scripts.into_iter().enumerate() {
        let (options, input) = (fleet.ssh.clone(), input.to_owned());
        running.spawn(async move {
            let answered = timeout(PATIENCE, on(&host, &options, &script, &input)).await;
            let answer = answered.unwrap_or_else(|_| Err(anyhow!("no answer within {PATIENCE:?}")));
            (number, host, answer)
        });
    }
    let mut answers = running.join_all().await;
    answers.sort_by_key(|(number, ..)| *number);
    answers.into_iter().map(|(_, host, answer)| (host, answer)).collect()
}

async fn on(host: &str, options: &[String], script: &str, input: &[u8]) -> anyhow::Result<String> {
    let mut ssh = Command::new("ssh");
    // Nobody is there to be asked for a password.
    ssh.args(["-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=20"]).args(options).arg("--").arg(host);
    // Whatever shell the account has passes this on to one that is known.
    ssh.arg(format!("exec sh -c {}", quoted(script)));
    ssh.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = ssh.spawn().context("cannot run ssh")?;
    if let Some(mut stdin) = child.stdin.take() {
        // Who refuses the connection reads nothing, and says why.
        let _ = stdin.write_all(input).await;
    }
    let output = child.wait_with_output().await?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{}", said.trim().lines().next_back().unwrap_or("ssh failed without a word"));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
