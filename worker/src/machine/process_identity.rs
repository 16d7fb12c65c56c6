//! Tells one process from a later one with the same number.

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

/// How long the kernel may take to end a killed process: one in a driver's call can take seconds.
const KILL_TIMEOUT: Duration = Duration::from_secs(10);
const KILL_POLL: Duration = Duration::from_millis(10);

/// A process of one boot of this machine. It is known only where there is a `/proc`; elsewhere a trainer ends with its
/// agent by other means (see `trainer::guard`), and nothing is recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProcessIdentity {
    pid: u32,
    /// In clock ticks since the boot.
    started: u64,
    boot: String,
}

/// What `/proc` says of a living process.
struct Alive {
    group: i32,
    started: u64,
}

impl ProcessIdentity {
    /// The process that has this number now.
    pub(crate) fn of(pid: u32) -> Option<Self> {
        Some(Self { pid, started: look_up(pid)?.started, boot: boot()? })
    }

    /// Kills the process with its group, if it still lives, and waits for its end. Returns whether it lived.
    pub(crate) async fn kill(&self) -> bool {
        let Some(group) = self.group() else { return false };
        let deadline = Instant::now() + KILL_TIMEOUT;
        // This fails when the group has just ended by itself.
        let _ = kill_process_group(group, Signal::KILL);
        while self.group().is_some() && Instant::now() < deadline {
            sleep(KILL_POLL).await;
        }
        true
    }

    /// The process group that the process is in; none when the process has ended.
    fn group(&self) -> Option<Pid> {
        let alive = look_up(self.pid).filter(|alive| alive.started == self.started)?;
        // Group 1 and the agent's own group are never killed.
        let group = Pid::from_raw(alive.group).filter(|group| !group.is_init())?;
        (boot()? == self.boot && group != rustix::process::getpgrp()).then_some(group)
    }
}

fn look_up(pid: u32) -> Option<Alive> {
    parse(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// The name, in parentheses, may hold anything; then come the state, parent, group, … and, as the
/// 20th of these, the start.
fn parse(stat: &str) -> Option<Alive> {
    let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split_ascii_whitespace().collect();
    // A zombie has ended, and only waits for its parent to notice.
    if matches!(*fields.first()?, "Z" | "X") {
        return None;
    }
    Some(Alive { group: fields.get(2)?.parse().ok()?, started: fields.get(19)?.parse().ok()? })
}

pub(crate) fn boot() -> Option<String> {
    Some(std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?.trim().to_owned())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::os::unix::process::CommandExt;
    use std::process::Command;

    use super::*;

    #[test]
    fn group_and_start_of_a_process_are_read_whatever_its_name() {
        let tail = "S 1 77 77 0 -1 4194560 95 0 0 0 0 0 0 0 20 0 1 0 123456 2334720";
        for name in ["sleep", "a) Z 1 2 (b", ""] {
            let alive = parse(&format!("4242 ({name}) {tail}")).unwrap();
            assert_eq!((alive.group, alive.started), (77, 123_456));
        }
        assert!(parse("4242 (sleep) Z 1 77 77").is_none());
    }

    #[tokio::test]
    async fn only_the_recorded_process_is_killed_and_no_other_one_with_the_same_number() {
        let mut child = Command::new("sleep").arg("1000").process_group(0).spawn().unwrap();
        let identity = ProcessIdentity::of(child.id()).unwrap();
        let earlier = ProcessIdentity { started: identity.started - 1, ..identity.clone() };
        let other_boot = ProcessIdentity { boot: "another".into(), ..identity.clone() };
        assert!(!earlier.kill().await && !other_boot.kill().await);
        assert!(child.try_wait().unwrap().is_none());
        assert!(identity.kill().await);
        child.wait().unwrap();
        assert!(!identity.kill().await);
    }
}
