//! How much the bearers of one token may have.

use std::fmt;

/// Bytes of a gigabyte.
const GIGABYTE: u64 = 1_000_000_000;

/// How much of each kind; none: as much as they like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// Sweeps.
    pub sweeps: Option<u64>,
    /// Runs of all these sweeps, those that were set aside too.
    pub runs: Option<u64>,
    /// Bytes of the checkpoints and artifacts of all these runs.
    pub bytes: Option<u64>,
}

impl Allowance {
    /// As much as they like.
    pub const UNLIMITED: Allowance = Allowance { sweeps: None, runs: None, bytes: None };

    /// How much of this kind.
    #[must_use]
    pub fn of(&self, kind: Limited) -> Option<u64> {
        match kind {
            Limited::Sweeps => self.sweeps,
            Limited::Runs => self.runs,
            Limited::Bytes => self.bytes,
        }
    }
}

impl Default for Allowance {
    fn default() -> Allowance {
        Allowance { sweeps: Some(1000), runs: Some(1_000_000), bytes: Some(1000 * GIGABYTE) }
    }
}

/// Who submits: the bearer of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submitter {
    /// The token's id.
    pub token: String,
    /// For whom it is, in people's words.
    pub name: String,
    /// How much its bearers may have.
    pub allowance: Allowance,
}

/// A kind of thing of which a token's bearers may have only so much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limited {
    /// Sweeps.
    Sweeps,
    /// Runs.
    Runs,
    /// Bytes of checkpoints and artifacts.
    Bytes,
}

impl Limited {
    /// What is counted.
    fn words(self) -> &'static str {
        match self {
            Limited::Sweeps => "sweeps",
            Limited::Runs => "runs",
            Limited::Bytes => "gigabytes of checkpoints and artifacts",
        }
    }

    /// So many of what is counted.
    fn amount(self, amount: u64) -> String {
        match self {
            Limited::Sweeps | Limited::Runs => amount.to_string(),
            #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
            Limited::Bytes => format!("{:.3}", amount as f64 / GIGABYTE as f64),
        }
    }

    /// By which flag a coordinator is told how much that is.
    fn flag(self) -> &'static str {
        match self {
            Limited::Sweeps => "--token-sweeps",
            Limited::Runs => "--token-runs",
            Limited::Bytes => "--token-gigabytes",
        }
    }
}

/// What would be more than a token's bearers may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excess {
    /// The token's id.
    pub token: String,
    /// For whom it is, in people's words.
    pub name: String,
    /// Of what it would be too much.
    pub of: Limited,
    /// How much there is.
    pub has: u64,
    /// How much there would be.
    pub would_have: u64,
    /// How much there may be.
    pub most: u64,
}

impl fmt::Display for Excess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Excess { token, name, of, has, would_have, most } = self;
        let (has, would_have, most) = (of.amount(*has), of.amount(*would_have), of.amount(*most));
        write!(
            f,
            "too many {} of the token {token} ({name}): {has} now, {would_have} with this, {most} allowed\nhint: `acai forget SWEEP` deletes what nobody needs any more; who runs the coordinator allows more by {}",
            of.words(),
            of.flag()
        )
    }
}
