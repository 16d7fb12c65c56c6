//! How much the bearers of one token may have.

use acai_coordinator::store::Allowance;

use crate::args::CoordinatorArguments;

/// Bytes of a gigabyte.
const GIGABYTE: u64 = 1_000_000_000;

/// As the arguments say.
pub(super) fn of(arguments: &CoordinatorArguments) -> Allowance {
    let usual = Allowance::default();
    let limit = |asked: Option<u64>, usual| match asked {
        None => usual,
        Some(0) => None,
        Some(most) => Some(most),
    };
    Allowance {
        sweeps: limit(arguments.token_sweeps, usual.sweeps),
        runs: limit(arguments.token_runs, usual.runs),
        bytes: limit(arguments.token_gigabytes.map(|most| most.saturating_mul(GIGABYTE)), usual.bytes),
    }
}

/// Whether any limit was asked for.
pub(super) fn is_asked_for(arguments: &CoordinatorArguments) -> bool {
    let CoordinatorArguments { token_sweeps, token_runs, token_gigabytes, .. } = arguments;
    token_sweeps.or(*token_runs).or(*token_gigabytes).is_some()
}
