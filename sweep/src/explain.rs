//! Why a run does not run, in words for people.

use crate::run::{Desired, RunState};
use crate::schedule::is_on_any_worker;
use crate::spelling::counted;

/// What is known of a run and its sweep.
#[derive(Debug, Clone, PartialEq)]
pub struct Situation {
    /// Where the run is.
    pub state: RunState,
    /// The sweep's file no longer asks for the run.
    pub set_aside: bool,
    /// What its worker has been asked.
    pub desired: Option<Desired>,
    /// Its holder, or last holder.
    pub worker: Option<String>,
    /// Why it last failed.
    pub message: Option<String>,
    /// Failures and losses so far.
    pub failures: u32,
    /// The sweep's `max_restarts`.
    pub max_restarts: u32,
    /// Why its sweep starts nothing.
    pub sweep_paused: Option<String>,
    /// The sweep's limit and how many of its runs are held.
    pub max_concurrent: Option<u32>,
    /// Runs of the sweep that are held.
    pub running: u32,
    /// Queued runs that come before it, by sweep, first in the queue first.
    pub ahead: Vec<Ahead>,
    /// What a worker needs to have.
    pub dataset: String,
    /// Why the coordinator cannot read its configuration.
    pub unreadable: Option<String>,
}

/// Queued runs of a sweep that come before a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ahead {
    /// The sweep; the run's own is the last.
    pub sweep: String,
    /// The sweep's place in the queue: larger first.
    pub priority: i64,
    /// How many.
    pub runs: u64,
}

/// What is known of a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerSituation {
    /// Seen within the term of a lease.
    pub alive: bool,
    /// Takes no more runs.
    pub cordoned: bool,
    /// What it can train on.
    pub datasets: Vec<String>,
    /// Groups it trains at a time.
    pub slots: u32,
    /// Groups that it holds.
    pub running: u32,
    /// Slots that take no runs for a while.
    pub resting: u32,
    /// Why the last of them does.
    pub resting_because: Option<String>,
    /// Why its machine could not train this very run a moment ago.
    pub could_not: Option<String>,
}

/// What the run waits for, or how it ended; most decisive first.
#[must_use]
pub fn run(situation: &Situation) -> Vec<String> {
    let worker = situation.worker.as_deref().unwrap_or("a worker");
    let because = |words: &str| match &situation.message {
        Some(message) => format!("{words}: {message}"),
        None => words.to_owned(),
    };
    match situation.state {
        RunState::Running => vec![match situation.desired {
            None => format!("it is being trained by {worker}"),
            Some(desired) => {
                format!("{worker} has been asked to give it back; it will be {}", desired.state())
            }
        }],
        RunState::Completed => vec!["it is completed".to_owned()],
        RunState::Stopped => vec![because("it was stopped early by its sweep's rules")],
        RunState::Cancelled => {
            vec!["a person cancelled it; `acai retry --state cancelled` queues it again".to_owned()]
        }
        RunState::Paused => vec!["a person paused it; `acai resume` queues it again".to_owned()],
        RunState::Diverged => {
            vec![because("it diverged, and would again; `acai retry --state diverged` tries all the same")]
        }
        RunState::Failed => {
            let failures = situation.failures;
            vec![because(&format!(
                "it failed {}, which is more than max_restarts allows",
                counted(failures, "time")
            ))]
        }
        RunState::Lost => vec![because("it was given up")],
        RunState::Queued if situation.set_aside => {
            vec![
                "its sweep's file no longer asks for it: it starts when a file that does is submitted"
                    .to_owned(),
            ]
        }
        RunState::Queued => waits(situation),
    }
}

fn waits(situation: &Situation) -> Vec<String> {
    let mut reasons = Vec::new();
    if let Some(reason) = &situation.unreadable {
        reasons.push(format!(
            "the coordinator cannot read its configuration and leaves it out, until it starts again and can: {reason}"
        ));
    }
    if let Some(paused) = &situation.sweep_paused {
        reasons.push(format!("its sweep is paused ({paused}); `acai resume` lets it go on"));
    }
    if let Some(limit) = situation.max_concurrent.filter(|&limit| situation.running >= limit) {
        reasons.push(format!(
            "max_concurrent: {} of {limit} runs of its sweep are being trained",
            situation.running
        ));
    }
    // Nothing of a paused sweep has a place in the queue, nor what cannot be read.
    if situation.sweep_paused.is_none() && situation.unreadable.is_none() {
        reasons.push(place_in_queue(&situation.ahead));
    }
    if situation.failures > 0
        && let Some(message) = &situation.message
    {
        let (failures, most) = (situation.failures, situation.max_restarts);
        reasons.push(format!(
            "it failed {}, of {most} that it may; the last time: {message}",
            counted(failures, "time")
        ));
    }
    reasons
}

/// Sweeps that are named of those that come before a run.
const NAMED: usize = 5;

fn place_in_queue(ahead: &[Ahead]) -> String {
    let of_sweep = |Ahead { sweep, priority, runs }: &Ahead| match priority {
        0 => format!("{runs} of {sweep}"),
        priority => format!("{runs} of {sweep} (priority {priority})"),
    };
    let mut named: Vec<String> = ahead.iter().take(NAMED).map(of_sweep).collect();
    if ahead.len() > NAMED {
        named.push(format!("and those of {} other sweeps", ahead.len() - NAMED));
    }
    match ahead.iter().map(|ahead| ahead.runs).sum::<u64>() {
        0 => "it is the next in the queue".to_owned(),
        1 => format!("1 queued run comes before it: {}", named.join(", ")),
        runs => format!("{runs} queued runs come before it: {}", named.join(", ")),
    }
}

/// That the bytes of the newest checkpoint of a run, of step `step`, are gone; `left` is the step of the newest one that is
/// there, 0 without any.
#[must_use]
pub fn missing_checkpoint(step: u64, left: u64) -> String {
    let then = match left {
        0 => "starts over".to_owned(),
        left => format!("goes on from step {left}"),
    };
    format!(
        "its checkpoint of step {step} is missing where the coordinator keeps blobs: a worker that still has it goes on from there, on any other the run {then}"
    )
}

/// The first constraint that keeps a worker from the run; `None` if there is none.
#[must_use]
pub fn worker(situation: &Situation, worker: &WorkerSituation) -> Option<String> {
    if situation.set_aside {
        return Some("the run is set aside".to_owned());
    }
    if !worker.alive {
        return Some("it has ended, or has not been heard of for the term of a lease".to_owned());
    }
    if worker.cordoned {
        return Some("it is cordoned: it takes no runs".to_owned());
    }
    if situation.unreadable.is_some() {
        return Some("it is not given what the coordinator cannot read".to_owned());
    }
    if !worker.datasets.contains(&situation.dataset) && !is_on_any_worker(&situation.dataset) {
        return Some(format!("it does not have the dataset {}", situation.dataset));
    }
    if let Some(fault) = &worker.could_not {
        return Some(format!("it could not train this run a moment ago, others are first: {fault}"));
    }
    if worker.resting > 0 && worker.running.saturating_add(worker.resting) >= worker.slots {
        let because = worker.resting_because.as_deref().unwrap_or("its machine could not train a run");
        return Some(format!("{} of its {} slots rest: {because}", worker.resting, worker.slots));
    }
    if worker.running >= worker.slots {
        return Some(format!("all its {} slots are taken", worker.slots));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queued() -> Situation {
        Situation {
            state: RunState::Queued,
            set_aside: false,
            desired: None,
            worker: None,
            message: None,
            failures: 0,
            max_restarts: 3,
            sweep_paused: None,
            max_concurrent: None,
            running: 2,
            ahead: Vec::new(),
            dataset: "mnist32".to_owned(),
            unreadable: None,
        }
    }

    #[test]
    fn a_queued_run_names_everything_that_it_waits_for() {
        assert_eq!(run(&queued()), ["it is the next in the queue"]);
        let held_up = Situation {
            sweep_paused: Some("by request".to_owned()),
            max_concurrent: Some(2),
            failures: 1,
            message: Some("out of memory".to_owned()),
            ..queued()
        };
        let reasons = run(&held_up).join("\n");
        for part in ["paused (by request)", "2 of 2 runs", "failed 1 time, of 3", "out of memory"] {
            assert!(reasons.contains(part), "{reasons}");
        }
        assert!(!reasons.contains("queue"), "{reasons}");
        let ahead = |sweep: &str, priority, runs| Ahead { sweep: sweep.to_owned(), priority, runs };
        let behind = |ahead| run(&Situation { ahead, ..queued() });
        assert_eq!(
            behind(vec![ahead("urgent", 5, 6), ahead("own", 0, 1)]),
            ["7 queued runs come before it: 6 of urgent (priority 5), 1 of own"]
        );
        assert_eq!(behind(vec![ahead("own", 0, 1)]), ["1 queued run comes before it: 1 of own"]);
        let many = (0..9).map(|number| ahead(&format!("s{number}"), 0, 1)).collect();
        assert!(behind(many)[0].ends_with("1 of s4, and those of 4 other sweeps"));
        let unreadable = Situation { unreadable: Some("unknown parameter `x`".to_owned()), ..queued() };
        let reasons = run(&unreadable).join("\n");
        assert!(reasons.contains("leaves it out") && reasons.contains("unknown parameter `x`"), "{reasons}");
        assert!(!reasons.contains("queue"), "{reasons}");
    }

    #[test]
    fn each_worker_names_its_constraint() {
        let fit = WorkerSituation {
            alive: true,
            cordoned: false,
            datasets: vec!["mnist32".to_owned()],
            slots: 2,
            running: 1,
            resting: 0,
            resting_because: None,
            could_not: None,
        };
        assert_eq!(worker(&queued(), &fit), None);
        let reason = |change: fn(&mut WorkerSituation)| {
            let mut unfit = fit.clone();
            change(&mut unfit);
            worker(&queued(), &unfit).unwrap()
        };
        assert!(reason(|worker| worker.alive = false).contains("not been heard of"));
        assert!(reason(|worker| worker.cordoned = true).contains("cordoned"));
        assert!(reason(|worker| worker.datasets.clear()).contains("mnist32"));
        assert!(reason(|worker| worker.running = 2).contains("2 slots"));
        assert!(reason(|worker| worker.could_not = Some("no disk".to_owned())).contains("no disk"));
        let rests = reason(|worker| {
            worker.resting = 1;
            worker.resting_because = Some("CUDA is gone".to_owned());
        });
        assert_eq!(rests, "1 of its 2 slots rest: CUDA is gone");
    }
}
