//! Which faults come when: a function of the seed.
//!
//! The machine's timing is not, so the same seed breaks the same things in the same order, but not at the same
//! instruction.

use std::time::Duration;

use crate::random::{Purpose, Random};

/// A way in which a process, or the network around it, fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProcessFault {
    /// `SIGKILL` to a worker's agent and its trainer; both start again after a while, on the same disk.
    KillMachine {
        /// Which worker.
        worker: usize,
        /// Until it starts again.
        away: Duration,
    },
    /// `SIGKILL` to the agent only: its trainer sees its input end.
    KillAgent {
        /// Which worker.
        worker: usize,
        /// Until it starts again.
        away: Duration,
    },
    /// `SIGKILL` to a trainer.
    KillTrainer {
        /// Whose.
        worker: usize,
    },
    /// `SIGSTOP` to an agent for longer than its lease, then `SIGCONT`: a zombie that believes it holds runs.
    Freeze {
        /// Which worker.
        worker: usize,
        /// Until `SIGCONT`.
        length: Duration,
    },
    /// A signal to an agent, which checkpoints and gives its runs back, then a new one.
    Stop {
        /// Which worker.
        worker: usize,
        /// Which signal.
        signal: StopSignal,
        /// To all that it started at the same time, as Slurm, systemd and a terminal do it.
        whole_group: bool,
    },
    /// `SIGKILL` to a coordinator.
    KillCoordinator {
        /// Which one.
        coordinator: usize,
        /// Until it starts again.
        away: Duration,
    },
    /// `SIGKILL` to the Postgres server and all its processes.
    KillDatabase {
        /// Until it starts again.
        away: Duration,
    },
    /// The same for longer than a lease, which nobody may be charged for.
    DatabaseAway {
        /// Until it starts again.
        length: Duration,
    },
    /// A backup of the database, a file, takes its place.
    RestoreDatabase {
        /// From the backup to the restoration.
        age: Duration,
    },
    /// A copy of an agent's state folder, made while the agent runs, is given to another one.
    CopyState {
        /// Whose.
        worker: usize,
    },
    /// Every session on the Postgres server is ended, as soon as it is seen.
    EndSessions {
        /// Until sessions last again.
        length: Duration,
    },
    /// Nothing passes between a worker and the coordinators, and nobody is told.
    BlackHole {
        /// Which worker.
        worker: usize,
        /// Requests arrive and take effect; only their replies vanish.
        replies_only: bool,
        /// Until messages pass again.
        length: Duration,
    },
    /// All connections of all workers break.
    CutConnections,
    /// A disk has no room for anything more.
    FillDisk {
        /// Whose.
        machine: Machine,
        /// Until there is room again.
        length: Duration,
    },
    /// Writes to a disk fail, or take long.
    AilingDisk {
        /// Whose.
        machine: Machine,
        /// What it has.
        ailment: Ailment,
        /// Until it is whole again.
        length: Duration,
    },
    /// A wall clock is set.
    SetClock {
        /// Whose.
        machine: Machine,
        /// How far it is ahead of the true time from now on, or behind.
        ahead_s: i64,
    },
}

/// What is wrong with a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ailment {
    /// Writes and flushes fail with an I/O error.
    Broken,
    /// Flushes fail with one, and nobody knows what of the writes before is on the disk.
    Unsynced,
    /// Each takes a fifth of a second.
    Slow,
}

/// A machine of the cluster; coordinators share a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Machine {
    /// A worker's.
    Worker(usize),
    /// A coordinator's.
    Coordinator(usize),
}

/// What a service manager, a terminal or a lost connection sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopSignal {
    /// `SIGTERM`.
    Term,
    /// `SIGINT`.
    Int,
    /// `SIGHUP`.
    Hup,
}

impl ProcessFault {
    /// The kind, as it is counted.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::KillMachine { .. } => "kill -9 of a worker with its trainer",
            Self::KillAgent { .. } => "kill -9 of a worker's agent",
            Self::KillTrainer { .. } => "kill -9 of a trainer",
            Self::Freeze { .. } => "SIGSTOP of an agent past its lease",
            Self::Stop { signal: StopSignal::Term, whole_group: false, .. } => "SIGTERM of a worker's agent",
            Self::Stop { signal: StopSignal::Int, whole_group: false, .. } => "SIGINT of a worker's agent",
            Self::Stop { signal: StopSignal::Hup, whole_group: false, .. } => "SIGHUP of a worker's agent",
            Self::Stop { signal: StopSignal::Term, .. } => "SIGTERM of a worker with its trainer",
            Self::Stop { signal: StopSignal::Int, .. } => "SIGINT of a worker with its trainer",
            Self::Stop { signal: StopSignal::Hup, .. } => "SIGHUP of a worker with its trainer",
            Self::KillCoordinator { .. } => "kill -9 of a coordinator",
            Self::KillDatabase { .. } => "kill -9 of Postgres",
            Self::DatabaseAway { .. } => "Postgres away for longer than a lease",
            Self::RestoreDatabase { .. } => "database restored from a backup",
            Self::CopyState { .. } => "copied state folder given to a worker",
            Self::EndSessions { .. } => "all sessions of Postgres ended",
            Self::BlackHole { replies_only: false, .. } => "black hole for a worker",
            Self::BlackHole { replies_only: true, .. } => "black hole for a worker's replies",
            Self::CutConnections => "all connections cut",
            Self::FillDisk { machine: Machine::Worker(_), .. } => "disk of a worker full",
            Self::FillDisk { machine: Machine::Coordinator(_), .. } => "disk of the coordinators full",
            Self::AilingDisk { machine: Machine::Worker(_), ailment, .. } => match ailment {
                Ailment::Broken => "disk of a worker with I/O errors",
                Ailment::Unsynced => "disk of a worker with flushes that fail",
                Ailment::Slow => "disk of a worker slow",
            },
            Self::AilingDisk { machine: Machine::Coordinator(_), ailment, .. } => match ailment {
                Ailment::Broken => "disk of the coordinators with I/O errors",
                Ailment::Unsynced => "disk of the coordinators with flushes that fail",
                Ailment::Slow => "disk of the coordinators slow",
            },
            Self::SetClock { machine: Machine::Worker(_), .. } => "wall clock of a worker set",
            Self::SetClock { machine: Machine::Coordinator(_), .. } => "wall clock of a coordinator set",
        }
    }
}

/// What happens to one message of a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageFault {
    /// It passes.
    None,
    /// It never arrives.
    DropRequest,
    /// It takes effect, but the worker never hears of that.
    DropReply,
    /// It arrives twice at a time.
    Duplicate,
    /// It arrives, and again after a while.
    Straggler(Duration),
    /// It arrives late.
    Delay(Duration),
    /// The caller hangs up while it is handled.
    HangUp(Duration),
}

impl MessageFault {
    /// The kind, as it is counted.
    #[must_use]
    pub fn kind(&self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::DropRequest => Some("request dropped"),
            Self::DropReply => Some("reply dropped after its effect"),
            Self::Duplicate => Some("request sent twice at a time"),
            Self::Straggler(_) => Some("request sent again later"),
            Self::Delay(_) => Some("request delayed"),
            Self::HangUp(_) => Some("caller hung up"),
        }
    }
}

/// What there is to break, and the seed that says how.
#[derive(Debug, Clone, Copy)]
pub struct Schedule {
    /// Everything follows from it.
    pub seed: u64,
    /// Workers of the cluster.
    pub workers: usize,
    /// Coordinators of the cluster.
    pub coordinators: usize,
    /// Whether the database is a server of its own.
    pub database_server: bool,
    /// How long a worker may be silent.
    pub lease: Duration,
    /// Whether disks can be made full here.
    pub disks: bool,
    /// Whether wall clocks can be set here, and disks made slow.
    pub clocks: bool,
}

const MILLISECOND: Duration = Duration::from_millis(1);
/// What wall clocks are set to: right, a little and very wrong.
const CLOCKS: [i64; 7] = [0, 30, -30, 3_600, -3_600, 86_400, -86_400];

impl Schedule {
    /// The `n`-th fault of a process, and the pause before it.
    #[must_use]
    pub fn process_fault(&self, n: u64) -> (Duration, ProcessFault) {
        let mut random = Random::keyed(self.seed, Purpose::Process, n);
        let pause = random.between(1000 * MILLISECOND, 6000 * MILLISECOND);
        let worker = random.below(self.workers);
        let soon = random.between(100 * MILLISECOND, 3000 * MILLISECOND);
        let past_the_lease = random.between(self.lease * 5 / 4, self.lease * 3);
        let any_length = random.between(self.lease / 2, self.lease * 3);
        let downtime = random.choose(&[(1, 0), (1, 1), (1, 5)]).unwrap_or(0);
        let downtime = Duration::from_secs(downtime);
        let coordinator = random.below(self.coordinators);
        let replies_only = random.below(2) == 1;
        let weight = |possible: bool, weight: usize| if possible { weight } else { 0 };
        let longer = random.between(self.lease * 4 / 3, self.lease * 8 / 3);
        let of_a_server = weight(self.database_server, 10);
        let of_a_file = weight(!self.database_server, 10);
        let signal = random.choose(&[(2, StopSignal::Term), (1, StopSignal::Int), (1, StopSignal::Hup)]);
        let signal = signal.unwrap_or(StopSignal::Term);
        let whole_group = random.below(4) > 0;
        let machine =
            if random.below(2) == 0 { Machine::Worker(worker) } else { Machine::Coordinator(coordinator) };
        let ahead_s = random.choose(&CLOCKS.map(|ahead_s| (1, ahead_s))).unwrap_or(0);
        let ailments = [(2, Ailment::Slow), (1, Ailment::Broken), (1, Ailment::Unsynced)];
        let ailment = random.choose(&ailments).unwrap_or(Ailment::Slow);
        let faults = [
            (16, ProcessFault::KillMachine { worker, away: soon }),
            (14, ProcessFault::KillAgent { worker, away: soon }),
            (14, ProcessFault::KillTrainer { worker }),
            (16, ProcessFault::Freeze { worker, length: past_the_lease }),
            (16, ProcessFault::Stop { worker, signal, whole_group }),
            (12, ProcessFault::KillCoordinator { coordinator, away: downtime }),
            (of_a_server, ProcessFault::KillDatabase { away: downtime }),
            (of_a_server, ProcessFault::DatabaseAway { length: longer }),
            (of_a_file, ProcessFault::RestoreDatabase { age: longer }),
            (8, ProcessFault::CopyState { worker }),
            (of_a_server, ProcessFault::EndSessions { length: soon }),
            (10, ProcessFault::BlackHole { worker, replies_only, length: any_length }),
            (8, ProcessFault::CutConnections),
            (weight(self.disks, 14), ProcessFault::FillDisk { machine, length: any_length }),
            (weight(self.clocks, 12), ProcessFault::AilingDisk { machine, ailment, length: any_length }),
            (weight(self.clocks, 10), ProcessFault::SetClock { machine, ahead_s }),
        ];
        (pause, random.choose(&faults).unwrap_or(ProcessFault::CutConnections))
    }

    /// What happens to the `n`-th message of a worker.
    #[must_use]
    pub fn message_fault(&self, worker: usize, n: u64) -> MessageFault {
        let mut random = Random::keyed(self.seed, Purpose::Message(worker), n);
        let while_handled = random.between(Duration::ZERO, 12 * MILLISECOND);
        let late = random.between(50 * MILLISECOND, 2000 * MILLISECOND);
        let much_later = random.between(500 * MILLISECOND, self.lease * 3);
        let faults = [
            (78, MessageFault::None),
            (3, MessageFault::DropRequest),
            (4, MessageFault::DropReply),
            (4, MessageFault::Duplicate),
            (4, MessageFault::Straggler(much_later)),
            (3, MessageFault::Delay(late)),
            (4, MessageFault::HangUp(while_handled)),
        ];
        random.choose(&faults).unwrap_or(MessageFault::None)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn schedule(seed: u64, database_server: bool) -> Schedule {
        let lease = Duration::from_secs(3);
        Schedule { seed, workers: 4, coordinators: 2, database_server, lease, disks: true, clocks: true }
    }

    #[test]
    fn a_seed_is_a_schedule() {
        let faults = |seed| (0..50).map(|n| schedule(seed, true).process_fault(n)).collect::<Vec<_>>();
        assert_eq!(faults(1), faults(1));
        assert_ne!(faults(1), faults(2));
    }

    #[test]
    fn every_kind_of_fault_comes_where_it_can() {
        let kinds = |schedule: Schedule| {
            (0..1000).map(|n| schedule.process_fault(n).1.kind()).collect::<BTreeSet<_>>()
        };
        assert_eq!(kinds(schedule(7, true)).len(), 28);
        let on_a_file = kinds(schedule(7, false));
        assert!(on_a_file.len() == 26 && on_a_file.iter().all(|kind| !kind.contains("Postgres")));
        let limited = kinds(Schedule { disks: false, clocks: false, ..schedule(7, false) });
        assert!(
            limited.len() == 16
                && limited.iter().all(|kind| !kind.contains("disk") && !kind.contains("clock"))
        );
        let messages: BTreeSet<_> =
            (0..500).filter_map(|n| schedule(7, true).message_fault(0, n).kind()).collect();
        assert_eq!(messages.len(), 6);
    }

    #[test]
    fn freezes_outlast_the_lease() {
        for n in 0..500 {
            if let (_, ProcessFault::Freeze { length, .. }) = schedule(9, false).process_fault(n) {
                assert!(length > Duration::from_secs(3));
            }
        }
    }
}
