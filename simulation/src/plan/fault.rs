//! What goes wrong, or is wanted, and when.

use std::fmt;
use std::time::Duration;

use crate::depot::Failing;
use crate::system::disk::Trouble;
use crate::trainer::Temper;
use crate::weather::Outage;

/// Something that happens at a time.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fault {
    pub(crate) at: Duration,
    pub(crate) what: What,
}

/// What goes wrong, or is wanted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum What {
    /// The process dies, and is started again after so long.
    AgentCrashes { agent: usize, down: Duration },
    /// The machine loses its power: the process dies, and what was not flushed is lost.
    PowerCut { host: &'static str, down: Duration },
    /// The agent is told to stop, and is started again when it has.
    AgentStops { agent: usize },
    /// As for agents.
    CoordinatorCrashes { down: Duration },
    /// The second coordinator dies, and is started again after so long.
    OtherCoordinatorCrashes { down: Duration },
    /// Nothing comes through between an agent and the coordinator, which is the first one where there are two.
    Partition { agent: usize, lasts: Duration },
    /// Nothing comes through between an agent and the second coordinator.
    OtherPartition { agent: usize, lasts: Duration },
    /// What one of the two says does not reach the other.
    HalfPartition { agent: usize, to_coordinator: bool, lasts: Duration },
    /// What is said comes only afterwards.
    Hold { agent: usize, lasts: Duration },
    /// The database is away.
    StoreAway { outage: Outage, lasts: Duration },
    /// The database is backed up, and put back in that state after so long, with a coordinator that starts then.
    Restored { lasts: Duration },
    /// The database is away for the second coordinator alone.
    StoreAwayFromOther { outage: Outage, lasts: Duration },
    /// Coordinators start on another database, which is empty at first, and after so long, if ever, on the one before.
    Replaced { lasts: Option<Duration> },
    /// The host's wall clock is set forth by so many seconds, or back.
    ClockSet { host: &'static str, seconds: i64 },
    /// An agent is given a copy of another one's state folder, which goes on; it is started on it after so long.
    FolderCopied { from: usize, to: usize, down: Duration },
    /// The state folder of an agent is copied, and put back after so long, under an agent that starts then.
    FolderRestored { agent: usize, lasts: Duration },
    /// The place of checkpoints fails.
    DepotFails { failing: Failing, lasts: Duration },
    /// The place of checkpoints takes nothing more, for ever.
    DepotTakesNothing,
    /// A host's disk is in trouble.
    Disk { host: &'static str, trouble: Trouble, lasts: Duration },
    /// The n-th trainer that is started is like this.
    Trainer { launch: u64, temper: Temper },
    /// Whatever trainer comes to this step of this run crashes.
    Poison { run: u64, step: u64 },
    /// A person wants something.
    Person(Wish),
}

/// What a person wants of the runs of these numbers in the first sweep, or of an agent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Wish {
    Cancel(u32),
    Pause {
        run: u32,
        now: bool,
    },
    Resume(u32),
    Retry {
        run: u32,
        from_scratch: bool,
    },
    Cordon(usize),
    Drain(usize),
    Open(usize),
    Limit(u32),
    /// A file that asks for so many seeds.
    Submit(u32),
    /// Forgets the first sweep, and submits its file again.
    Forget,
    /// Another sweep, which comes first and is on a dataset that no agent has.
    SubmitElsewhere,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.what {
            What::Trainer { launch, temper } => write!(f, "trainer {launch}: {temper:?}"),
            What::Poison { run, step } => write!(f, "whatever trains step {step} of run {run} crashes"),
            what => write!(f, "{:>7.1} s: {what:?}", self.at.as_secs_f64()),
        }
    }
}
