//! Many seeds, each in a process and a folder of its own; and of a seed that breaks a promise, the fewest faults that do.

use std::fs;
use std::io;
use std::ops::Range;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, Signal, prlimit};

/// Lines of the log in a story.
const STORY: usize = 40;
/// Seconds of processor time after which a seed counts as one without an end: virtual time stands still where somebody works and
/// never waits. Others take a few.
const LONGEST: u64 = 120;

/// What many seeds came to.
#[derive(Debug, Default)]
pub struct Found {
    /// How many seeds were simulated.
    pub seeds: u64,
    /// Virtual time of all seeds together, in seconds.
    pub virtual_seconds: f64,
    /// The seeds that broke a promise, each with its story.
    pub broken: Vec<(u64, String)>,
}

/// How seeds are simulated.
#[derive(Debug, Clone)]
pub struct Search {
    /// Which ones.
    pub seeds: Range<u64>,
    /// How many at a time.
    pub jobs: usize,
    /// So many processes are started at the most to find the fewest faults of a seed that breaks a promise.
    pub tries: usize,
    /// Whether no seed is begun any more once one has broken a promise.
    pub stops: bool,
    /// No seed is begun any more after so long.
    pub within: Duration,
    /// Folder for the logs of seeds that break a promise.
    pub logs: PathBuf,
}

/// Simulates seeds with the program `simulate`.
///
/// # Errors
/// A process cannot be started, or its folder not be made.
pub fn simulate_seeds(simulate: &Path, search: &Search) -> io::Result<Found> {
    let Search { seeds, jobs, stops, within, .. } = search;
    let begun = Instant::now();
    let (next, found) = (AtomicU64::new(seeds.start), Mutex::new(Found::default()));
    let work = || -> io::Result<()> {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            let is_found = || !found.lock().unwrap_or_else(PoisonError::into_inner).broken.is_empty();
            if seed >= seeds.end || begun.elapsed() >= *within || *stops && is_found() {
                return Ok(());
            }
            let told = one(simulate, seed, &[])?;
            let story = match told.keeps_promises() {
                true => None,
                false => Some(shrink(simulate, seed, told.clone(), search)?),
            };
            let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
            found.seeds += 1;
            found.virtual_seconds += told.virtual_seconds();
            found.broken.extend(story.map(|story| (seed, story)));
        }
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..(*jobs).max(1)).map(|_| scope.spawn(work)).collect();
        let broken = |_| Err(io::Error::other("a thread panicked"));
        threads.into_iter().try_for_each(|thread| thread.join().unwrap_or_else(broken))
    })?;
    Ok(found.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// What the process of one seed said.
#[derive(Debug, Clone)]
struct Told(String);

impl Told {
    fn lines<'a>(&'a self, beginning: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.lines().filter_map(move |line| line.strip_prefix(beginning))
    }

    fn keeps_promises(&self) -> bool {
        self.has_ended() && self.lines("VIOLATION: ").next().is_none()
    }

    fn has_ended(&self) -> bool {
        self.lines("TOOK: ").next().is_some()
    }

    fn virtual_seconds(&self) -> f64 {
        let seconds = self.lines("TOOK: ").next().and_then(|took| took.split(' ').next()?.parse().ok());
        seconds.unwrap_or_default()
    }
}

fn one(simulate: &Path, seed: u64, left_out: &[usize]) -> io::Result<Told> {
    let folder = tempfile::tempdir()?;
    let mut command = Command::new(simulate);
    command.arg("--one").arg(seed.to_string()).current_dir(folder.path()).stdin(Stdio::null());
    if !left_out.is_empty() {
        let places: Vec<String> = left_out.iter().map(ToString::to_string).collect();
        command.arg("--without").arg(places.join(","));
    }
    let simulating = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let limit = Rlimit { current: Some(LONGEST), maximum: Some(LONGEST + 1) };
    prlimit(Some(Pid::from_child(&simulating)), Resource::Cpu, limit)?;
    let output = simulating.wait_with_output()?;
    let mut said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    if output.status.signal() == Some(Signal::XCPU.as_raw()) {
        said += &format!(
            "VIOLATION: somebody works without a pause: no end after {LONGEST} s of processor time\n"
        );
    }
    Ok(Told(said))
}

/// Leaves out one half of the faults after the other, then fewer, as long as a promise is still broken.
fn shrink(simulate: &Path, seed: u64, mut told: Told, search: &Search) -> io::Result<String> {
    // Each try would take as long again.
    let most = if told.has_ended() { search.tries } else { 0 };
    let mut kept: Vec<usize> = (0..told.lines("PLAN: ").count()).collect();
    let all = kept.clone();
    let (mut part, mut tries) = (kept.len().div_ceil(2), 0);
    while part > 0 && tries < most {
        let mut at = 0;
        while at < kept.len() && tries < most {
            let fewer: Vec<usize> = kept
                .iter()
                .enumerate()
                .filter(|(place, _)| !(at..at + part).contains(place))
                .map(|(_, fault)| *fault)
                .collect();
            let left_out: Vec<usize> = all.iter().copied().filter(|fault| !fewer.contains(fault)).collect();
            tries += 1;
            let tried = one(simulate, seed, &left_out)?;
            if tried.keeps_promises() {
                at += part;
            } else {
                (kept, told) = (fewer, tried);
            }
        }
        part = if part == 1 { 0 } else { part.div_ceil(2) };
    }
    let left_out: Vec<String> =
        all.iter().filter(|fault| !kept.contains(fault)).map(ToString::to_string).collect();
    Ok(story(seed, &left_out.join(","), &told, &keep(seed, &told, &search.logs)?))
}

fn keep(seed: u64, told: &Told, logs: &Path) -> io::Result<PathBuf> {
    fs::create_dir_all(logs)?;
    let path = logs.join(format!("seed-{seed}.log"));
    fs::write(&path, &told.0)?;
    Ok(path)
}

fn story(seed: u64, left_out: &str, told: &Told, log: &Path) -> String {
    let mut story = vec![format!("seed {seed}, without {left_out}: the whole log is in {}", log.display())];
    story.extend(told.lines("PLAN: ").map(|fault| format!("  fault {fault}")));
    let events = |line: &&str| {
        !["PLAN: ", "TOOK: ", "VIOLATION: "].iter().any(|own| line.starts_with(own))
            && !line.contains(" a minute at most")
    };
    let lines: Vec<&str> = told.0.lines().filter(events).collect();
    story.extend(lines[lines.len().saturating_sub(STORY)..].iter().map(|line| format!("  {line}")));
    story.extend(told.lines("VIOLATION: ").map(|violation| format!("  VIOLATION: {violation}")));
    story.join("\n")
}
