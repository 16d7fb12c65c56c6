//! What a trainer does wrong.

use rand::{Rng, RngExt};

/// How one launch of a trainer behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Temper {
    /// As it should.
    Good,
    /// Does not get as far as `ready`.
    NeverReady,
    /// Exits with an error after so many of its steps.
    Crashes(u64),
    /// Is killed from outside after so many of its steps.
    IsKilled(u64),
    /// Says nothing any more after so many of its steps.
    Hangs(u64),
    /// Says that it works, and does not, after so many of its steps.
    IsStuck(u64),
    /// Prints, and says that it goes on, without a pause.
    Floods,
    /// Writes a line that is no event after so many of its steps.
    Garbles(u64),
    /// Reports on a run that it was not given after so many of its steps.
    Meddles(u64),
    /// Names a checkpoint outside of the run's folder after so many of its steps.
    Strays(u64),
    /// Says that its machine lacks something after so many of its steps.
    LacksMemory(u64),
    /// Takes a hundred times as long for each step, until it has done as many as a run has.
    IsSlow,
    /// Does not listen to whoever asks it to stop.
    IsDeaf,
    /// Does not exit when all is done.
    Lingers,
}

impl Temper {
    pub(crate) fn of_chance(random: &mut impl Rng) -> Temper {
        let steps = random.random_range(0..40);
        match random.random_range(0..13) {
            0 => Temper::NeverReady,
            1 => Temper::Crashes(steps),
            2 => Temper::IsKilled(steps),
            3 => Temper::Hangs(steps),
            4 => Temper::IsStuck(steps),
            5 => Temper::Floods,
            6 => Temper::Garbles(steps),
            7 => Temper::Meddles(steps),
            8 => Temper::Strays(steps),
            9 => Temper::LacksMemory(steps),
            10 => Temper::IsSlow,
            11 => Temper::IsDeaf,
            _ => Temper::Lingers,
        }
    }

    /// After how many of its steps a trainer goes wrong at once.
    pub(super) fn turns_after(self) -> Option<u64> {
        match self {
            Temper::Crashes(steps)
            | Temper::IsKilled(steps)
            | Temper::Hangs(steps)
            | Temper::IsStuck(steps)
            | Temper::Garbles(steps)
            | Temper::Meddles(steps)
            | Temper::Strays(steps)
            | Temper::LacksMemory(steps) => Some(steps),
            _ => None,
        }
    }

    /// Whether a run may be charged with what this does.
    pub(crate) fn is_charged(self) -> bool {
        matches!(
            self,
            Temper::Crashes(_)
                | Temper::Hangs(_)
                | Temper::IsStuck(_)
                | Temper::Garbles(_)
                | Temper::Meddles(_)
                | Temper::Strays(_)
                | Temper::Lingers
                | Temper::IsSlow
                | Temper::Floods
                | Temper::IsDeaf
        )
    }
}
