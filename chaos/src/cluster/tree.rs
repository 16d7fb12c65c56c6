//! Who started whom.

use std::fs;

/// A process' children, and theirs.
pub(super) fn descendants(of: i32) -> Vec<i32> {
    let mut found = children(of);
    let mut next = 0;
    while let Some(&parent) = found.get(next) {
        found.extend(children(parent));
        next += 1;
    }
    found
}

/// Each thread of a process has the children that it started.
fn children(of: i32) -> Vec<i32> {
    let threads = fs::read_dir(format!("/proc/{of}/task")).into_iter().flatten().flatten();
    let lists = threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    lists
        .flat_map(|list| list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>())
        .collect()
}

/// Whether a process runs a program of this name, of which the kernel keeps 15 bytes.
pub(super) fn runs(pid: i32, program: &str) -> bool {
    fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim_end() == program)
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn children_and_theirs_are_found() {
        let mut child =
            Command::new("sh").args(["-c", "sleep 60 & echo; wait"]).stdout(Stdio::piped()).spawn().unwrap();
        let mut started = [0];
        std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut started).unwrap();
        let found = descendants(std::process::id().try_into().unwrap());
        let pid: i32 = child.id().try_into().unwrap();
        let sleeping = descendants(pid);
        assert_eq!(sleeping.len(), 1);
        // Until it has become `sleep` it is a copy of its shell.
        let deadline = Instant::now() + Duration::from_secs(30);
        while !runs(sleeping[0], "sleep") {
            assert!(Instant::now() < deadline, "it never became `sleep`");
            std::thread::sleep(Duration::from_millis(1));
        }
        assert!(!runs(pid, "sleep"));
        assert!(found.contains(&pid) && found.contains(&sleeping[0]));
        for pid in [sleeping[0], pid].into_iter().filter_map(rustix::process::Pid::from_raw) {
            rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
        }
        child.wait().unwrap();
    }
}
