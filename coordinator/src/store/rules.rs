//! What every store keeps to, whatever it is made of.

use std::collections::BTreeMap;

use acai_sweep::control::{Change, Intent, change};
use acai_sweep::run::{Desired, RunState};
use acai_sweep::schedule::{Candidate, choose_groups, choose_newcomers};

use super::{Claim, Excess, Joins, Limited, Result, StoreError, Submitter};

/// How many committed checkpoints of a run are kept: with two there is another one when the newest turns out to be
/// damaged.
pub(super) const CHECKPOINTS: usize = 2;
/// Artifacts of a run at the most: a trainer that writes without end fills no disk.
pub(super) const ARTIFACTS: u64 = 10_000;
/// A run is not granted again for this long to a machine that could not train it: others may have it first.
pub(super) const ELSEWHERE_MS: i64 = 60_000;
/// How many earlier attempts a grant tells of at the most. A worker does not resume from a checkpoint on its machine
/// that an even earlier attempt has left; it can resume from the coordinator's copy.
pub(super) const EARLIER_ATTEMPTS: usize = 64;
/// How many fresh terms a lease is given, one at each start of a coordinator, until a worker renews it.
pub(super) const FRESH_TERMS: u32 = 3;
/// Why a sweep is paused when a person asked for it.
pub(super) const BY_REQUEST: &str = "by request";

/// What `intent` does to a run in this state. With `is_whole`, the intent is about the whole plan.
pub(super) fn change_of(
    intent: &Intent,
    is_whole: bool,
    state: RunState,
    desired: Option<Desired>,
) -> Change {
    match change(intent, state, desired) {
        // Queued runs stay queued: nothing of a paused sweep starts, and they go on with the sweep.
        Change::Become(_) if is_whole && matches!(intent, Intent::Pause | Intent::PauseNow) => {
            Change::Nothing
        }
        change => change,
    }
}

/// The groups of run ids that a claim is granted out of `candidates`, in order.
pub(super) fn choose(claim: &Claim, candidates: &[Candidate], headroom: BTreeMap<i64, u32>) -> Vec<Vec<u64>> {
    let Some(Joins { shape_key, .. }) = &claim.joins else {
        return choose_groups(candidates, headroom, claim.offer);
    };
    let newcomers = choose_newcomers(candidates, headroom, shape_key, claim.offer.group_size);
    Vec::from_iter((!newcomers.is_empty()).then_some(newcomers))
}

/// Whether a worker that was last seen at this time was silent for less than `silent_ms`. A time that is as far ahead was noted by
/// a clock that was set back since: that of a Postgres, while its coordinators run.
pub(super) fn is_heard_of(last_seen_ms: i64, now_ms: i64, silent_ms: i64) -> bool {
    now_ms.saturating_sub(last_seen_ms).saturating_abs() < silent_ms
}

/// Text without the character NUL, the only one that Postgres does not store.
pub(super) fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// Refuses what makes more of what there is too much of; what makes less of that is welcome.
pub(super) fn refuse_more(who: &Submitter, of: Limited, has: u64, would_have: u64) -> Result<()> {
    match who.allowance.of(of) {
        Some(most) if would_have > most && would_have > has => Err(excess(who, of, has, would_have, most)),
        _ => Ok(()),
    }
}

/// Refuses who has as many bytes as they may, or would have more with `added`.
pub(super) fn refuse_bytes(who: &Submitter, has: u64, added: u64) -> Result<()> {
    match who.allowance.bytes {
        Some(most) if has >= most || added > most - has => {
            Err(excess(who, Limited::Bytes, has, has.saturating_add(added), most))
        }
        _ => Ok(()),
    }
}

fn excess(who: &Submitter, of: Limited, has: u64, would_have: u64, most: u64) -> StoreError {
    let Submitter { token, name, .. } = who.clone();
    StoreError::OverLimit(Box::new(Excess { token, name, of, has, would_have, most }))
}
