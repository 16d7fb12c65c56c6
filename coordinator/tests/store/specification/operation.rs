//! What people and workers may ask of a store.

use acai_coordinator::store::{Duty, Replacing};
use acai_sweep::control::Intent;

use super::file::File;

/// A step of a sequence. Numbers name things modulo how many of them there are.
#[derive(Debug, Clone)]
pub(super) enum Operation {
    Submit {
        file: File,
        replacing: Replacing,
    },
    /// The runs of some λ come ended, each with a picture in a blob if one is named.
    Import {
        file: File,
        ended: u8,
        blob: Option<u8>,
    },
    Announce {
        by: u8,
        blob: u8,
        kept_ms: i64,
    },
    SetLimits {
        sweep: u8,
        priority: Option<i64>,
        limit: Option<u32>,
    },
    Change {
        sweep: u8,
        number: Option<u32>,
        intent: Intent,
    },
    Forget {
        sweep: u8,
    },
    Register {
        worker: u8,
        has_digits: bool,
    },
    Leave {
        worker: u8,
    },
    Rest {
        worker: u8,
        slots: u32,
    },
    SetDuty {
        machine: u8,
        duty: Duty,
    },
    Claim {
        worker: u8,
        groups: u32,
        group_size: u32,
        /// The runs join a group of the shape that these have in a file: with λ by its bit, and of this length.
        joins: Option<(u8, u8)>,
        is_repeated: bool,
    },
    Renew {
        worker: u8,
        attempts: Vec<usize>,
        term_ms: i64,
    },
    /// From a number on, or after the last one that was acknowledged.
    Append {
        attempt: usize,
        first_seq: Option<u64>,
        points: u64,
        from_step: u64,
        value: u8,
    },
    /// At a step with so many points, or as it should be.
    Complete {
        attempt: usize,
        end: Option<(u64, u64)>,
    },
    Fail {
        attempt: usize,
        is_diverged: bool,
        last_seq: u64,
    },
    Release {
        attempt: usize,
    },
    MachineFault {
        attempt: usize,
    },
    GroupFault {
        attempt: usize,
    },
    Note {
        attempt: usize,
        message: u8,
    },
    Commit {
        attempt: usize,
        step: u64,
        blob: u8,
        last_seq: u64,
    },
    Reject {
        attempt: usize,
        blob: u8,
    },
    AddArtifact {
        attempt: usize,
        name: u8,
        step: u64,
        blob: u8,
    },
    Upload {
        blob: u8,
        replaces: bool,
    },
    Condemn {
        blob: u8,
    },
    Collect {
        unused_ms: i64,
    },
    Wait {
        ms: i64,
    },
    Expire,
    /// A coordinator starts, whose clock was set back by so much.
    Start {
        set_back_ms: i64,
        term_ms: i64,
    },
    ForgetWorkers {
        ms: i64,
    },
    ForgetEvents {
        ms: i64,
    },
    AddToken {
        token: u8,
        digest: u8,
        valid_ms: Option<i64>,
    },
    RevokeToken {
        token: u8,
    },
    UseToken {
        token: u8,
    },
}

impl Operation {
    /// Whether it is one transaction on every store, so that others come before or after it as a whole.
    pub(super) fn is_one_transaction(&self) -> bool {
        !matches!(
            self,
            Operation::Change { .. }
                | Operation::Forget { .. }
                | Operation::Rest { .. }
                | Operation::Upload { .. }
                | Operation::Condemn { .. }
                | Operation::Wait { .. }
                | Operation::Expire
                | Operation::Start { .. }
                | Operation::ForgetEvents { .. }
        )
    }

    /// The places of the attempts that are asked about.
    pub(super) fn attempts(&self) -> &[usize] {
        use Operation::{
            AddArtifact, Append, Commit, Complete, Fail, GroupFault, MachineFault, Note, Reject, Release,
            Renew,
        };
        match self {
            Renew { attempts, .. } => attempts,
            Append { attempt, .. }
            | Complete { attempt, .. }
            | Fail { attempt, .. }
            | Release { attempt }
            | MachineFault { attempt }
            | GroupFault { attempt }
            | Note { attempt, .. }
            | Commit { attempt, .. }
            | Reject { attempt, .. }
            | AddArtifact { attempt, .. } => std::slice::from_ref(attempt),
            _ => &[],
        }
    }
}
