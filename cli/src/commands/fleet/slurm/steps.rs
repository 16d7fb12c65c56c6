//! What brings a queue to what the demand asks for. No state: whoever asks again gets the steps that are left.

use std::num::NonZeroU32;

/// What a fleet may have.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) workers: NonZeroU32,
    pub(super) pending: NonZeroU32,
    pub(super) runs_per_worker: NonZeroU32,
}

/// What there is.
#[derive(Debug, Clone, Default)]
pub(super) struct Situation {
    /// Queued runs that the fleet's workers could train.
    pub(super) startable: u64,
    /// Runs that workers which are there have room for.
    pub(super) room: u64,
    /// Jobs that wait in the queue, the oldest first.
    pub(super) pending: Vec<String>,
    /// Jobs that have begun.
    pub(super) active: u32,
    /// Those of them whose worker the coordinator does not know yet.
    pub(super) arriving: u32,
}

/// What to do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Steps {
    /// How many jobs to submit.
    pub(super) submit: u32,
    /// Jobs to cancel: the newest, which have waited least.
    pub(super) cancel: Vec<String>,
}

/// The steps from what there is to what the demand asks for.
pub(super) fn steps(bounds: Bounds, there: &Situation) -> Steps {
    let for_new = there.startable.saturating_sub(there.room);
    let workers = for_new.div_ceil(u64::from(bounds.runs_per_worker.get()));
    let workers = u32::try_from(workers).unwrap_or(u32::MAX).saturating_sub(there.arriving);
    let target =
        workers.min(bounds.pending.get()).min(bounds.workers.get().saturating_sub(there.active)) as usize;
    let waiting = there.pending.len();
    Steps {
        submit: u32::try_from(target.saturating_sub(waiting)).unwrap_or(u32::MAX),
        cancel: there.pending[target.min(waiting)..].to_vec(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn bounds(workers: u32, pending: u32, runs_per_worker: u32) -> Bounds {
        let number = |number| NonZeroU32::new(number).unwrap();
        Bounds {
            workers: number(workers),
            pending: number(pending),
            runs_per_worker: number(runs_per_worker),
        }
    }

    fn there(startable: u64, pending: &[&str], active: u32) -> Situation {
        let pending = pending.iter().map(|job| (*job).to_owned()).collect();
        Situation { startable, pending, active, ..Situation::default() }
    }

    fn expect(steps: &Steps, submit: u32, cancel: &[&str]) {
        assert_eq!(
            (steps.submit, steps.cancel.iter().map(String::as_str).collect::<Vec<_>>()),
            (submit, cancel.to_vec())
        );
    }

    #[test]
    fn as_many_jobs_wait_as_there_is_work_for_and_the_bounds_allow() {
        expect(&steps(bounds(20, 2, 1), &there(0, &[], 0)), 0, &[]);
        expect(&steps(bounds(20, 2, 1), &there(1, &[], 0)), 1, &[]);
        expect(&steps(bounds(20, 2, 1), &there(100, &["1"], 3)), 1, &[]);
        expect(&steps(bounds(20, 8, 16), &there(33, &[], 0)), 3, &[]);
        expect(&steps(bounds(4, 8, 1), &there(100, &["1"], 2)), 1, &[]);
    }

    #[test]
    fn the_newest_jobs_are_cancelled_when_there_is_less_to_do_or_somebody_asked_for_too_many() {
        expect(&steps(bounds(20, 2, 1), &there(0, &["1", "2"], 5)), 0, &["1", "2"]);
        expect(&steps(bounds(20, 2, 1), &there(1, &["1", "2"], 5)), 0, &["2"]);
        expect(&steps(bounds(20, 2, 1), &there(9, &["1", "2", "3", "4"], 0)), 0, &["3", "4"]);
        expect(&steps(bounds(3, 2, 1), &there(9, &["1", "2"], 3)), 0, &["1", "2"]);
    }

    #[test]
    fn workers_that_come_or_have_room_are_not_asked_for_again() {
        let arriving = Situation { arriving: 2, ..there(3, &[], 2) };
        expect(&steps(bounds(20, 5, 1), &arriving), 1, &[]);
        let with_room = Situation { room: 16, ..there(17, &[], 1) };
        expect(&steps(bounds(20, 5, 16), &with_room), 1, &[]);
    }
}
