//! The slots of this machine: free, in use, or at rest after a fault of the machine.

use std::collections::VecDeque;
use std::time::Duration;

use acai_proto::v1::Rest;
use tokio::time::Instant;

use crate::machine::devices::Slot;
use crate::trainer::IdleTrainer;

/// How many times as long as the first rest the longest one is.
const LONGEST: u32 = 60;

/// A slot and what it has been through.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) slot: Slot,
    /// The trainer of the last group on this slot, if it has stayed.
    pub(super) trainer: Option<IdleTrainer>,
    /// How many groups in a row have met a fault of the machine on this slot.
    faults: u32,
    /// Whether a trainer that was started on this slot did not get as far as `ready`.
    failed_to_start: bool,
}

/// A slot that takes no runs for a while: what the machine lacks would fail the next runs too.
#[derive(Debug)]
struct Resting {
    place: Place,
    until: Instant,
    reason: String,
}

/// All slots that have no group.
#[derive(Debug)]
pub(super) struct SlotPool {
    /// The slots are used in turn, but first those that have a trainer.
    free: VecDeque<Place>,
    /// In the order in which they began to rest.
    resting: Vec<Resting>,
    /// How long a slot rests after its first fault; twice as long after each further one.
    first_rest: Duration,
    /// Slots on which no trainer has failed to start.
    startable: usize,
}

impl SlotPool {
    pub(super) fn new(slots: Vec<Slot>, first_rest: Duration) -> Self {
        let startable = slots.len();
        let place = |slot| Place { slot, trainer: None, faults: 0, failed_to_start: false };
        Self { free: slots.into_iter().map(place).collect(), resting: Vec::new(), first_rest, startable }
    }

    /// How many groups could start now.
    pub(super) fn free(&self) -> u32 {
        self.free.len() as u32
    }

    /// A free slot; one whose trainer has stayed, if there is one.
    pub(super) fn take(&mut self) -> Option<Place> {
        let has_trainer = |place: &Place| place.trainer.as_ref().is_some_and(IdleTrainer::is_there);
        let with_trainer = self.free.iter().position(has_trainer);
        self.free.remove(with_trainer.unwrap_or_default())
    }

    /// Takes back a slot whose group met no fault of the machine.
    pub(super) fn put_back(&mut self, place: Place) {
        self.free.push_back(Place { faults: 0, ..place });
    }

    /// Takes back a slot whose group met a fault of the machine at `now`, and has it rest. `chance` in [0, 1) spreads
    /// the rest over [1/2, 1) of its length, so that the slots of a machine, and many machines, do not try again all at
    /// once.
    pub(super) fn rest(&mut self, mut place: Place, reason: String, now: Instant, chance: f64) {
        let factor = 1_u32.checked_shl(place.faults).map_or(LONGEST, |factor| factor.min(LONGEST));
        place.faults = place.faults.saturating_add(1);
        place.trainer = None;
        let until = now + self.first_rest.saturating_mul(factor).mul_f64(0.5 + chance / 2.0);
        self.resting.push(Resting { place, until, reason });
    }

    /// Notes that a trainer did not start on `place`; returns whether there is no slot left on which none has failed.
    pub(super) fn fails_to_start(&mut self, place: &mut Place) -> bool {
        if !std::mem::replace(&mut place.failed_to_start, true) {
            self.startable -= 1;
        }
        self.startable == 0
    }

    /// Takes the free slots on which no trainer has failed to start.
    pub(super) fn take_startable(&mut self) -> Vec<Place> {
        let (startable, others) = self.free.drain(..).partition(|place| !place.failed_to_start);
        self.free = others;
        Vec::from(startable)
    }

    /// Frees the slots that have rested enough at `now`.
    pub(super) fn wake(&mut self, now: Instant) {
        self.free.extend(self.resting.extract_if(.., |rest| rest.until <= now).map(|rest| rest.place));
    }

    /// When the next slot has rested enough; none when none rests.
    pub(super) fn next_wake(&self) -> Option<Instant> {
        self.resting.iter().map(|rest| rest.until).min()
    }

    /// How many slots rest, and why the last of them does, for people.
    pub(super) fn resting(&self) -> Rest {
        let reason = self.resting.last().map(|rest| rest.reason.clone()).unwrap_or_default();
        Rest { slots: self.resting.len() as u32, reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Duration = Duration::from_secs(5);

    fn pool(slots: usize) -> SlotPool {
        SlotPool::new(vec![Slot { device: "cpu".to_owned(), threads: 1, shares_gpu: false }; slots], FIRST)
    }

    /// How long the pool's only slot rests after a fault. The slot is free again afterwards.
    fn rest(pool: &mut SlotPool, start: Instant) -> Duration {
        let place = pool.take().unwrap();
        pool.rest(place, "no disk".to_owned(), start, 0.999_999_9);
        let until = pool.next_wake().unwrap();
        pool.wake(until - Duration::from_millis(1));
        assert_eq!((pool.free(), pool.resting().slots), (0, 1));
        pool.wake(until);
        assert_eq!((pool.free(), pool.resting()), (1, Rest::default()));
        until - start
    }

    #[test]
    fn rests_double_from_seconds_to_minutes_and_begin_anew_after_a_success() {
        let (mut pool, start) = (pool(1), Instant::now());
        let seconds: Vec<u64> = (0..8).map(|_| rest(&mut pool, start).as_secs_f64().round() as u64).collect();
        assert_eq!(seconds, [5, 10, 20, 40, 80, 160, 300, 300]);
        let place = pool.take().unwrap();
        pool.put_back(place);
        assert_eq!(rest(&mut pool, start).as_secs_f64().round(), 5.0);
    }

    #[test]
    fn one_slot_rests_and_the_others_are_free() {
        let mut pool = pool(3);
        let place = pool.take().unwrap();
        pool.rest(place, "CUDA is gone".to_owned(), Instant::now(), 0.0);
        assert_eq!(pool.free(), 2);
        assert_eq!(pool.resting(), Rest { slots: 1, reason: "CUDA is gone".to_owned() });
    }

    #[test]
    fn a_trainer_starts_nowhere_only_when_it_has_failed_on_every_slot() {
        let mut pool = pool(2);
        let (mut first, mut second) = (pool.take().unwrap(), pool.take().unwrap());
        assert!(!pool.fails_to_start(&mut first) && !pool.fails_to_start(&mut first));
        assert!(pool.fails_to_start(&mut second));
    }
}
