//! Numbers that depend on the seed and on what they are for, and on nothing else: not on the order in which
//! tasks ask for them.

use std::time::Duration;

/// What a number is for; numbers for one purpose do not move when another asks for more.
#[derive(Debug, Clone, Copy)]
pub enum Purpose {
    /// The n-th fault of a process.
    Process,
    /// The n-th message through a worker's proxy.
    Message(usize),
    /// The n-th replay of an old request.
    Replay,
}

/// SplitMix64, started from a key.
#[derive(Debug)]
pub struct Random(u64);

impl Random {
    /// The numbers of the `index`-th event of a purpose.
    #[must_use]
    pub fn keyed(seed: u64, purpose: Purpose, index: u64) -> Self {
        let purpose = match purpose {
            Purpose::Process => 1,
            Purpose::Replay => 2,
            Purpose::Message(worker) => 3 + worker as u64,
        };
        let mut random = Random(seed);
        for part in [purpose, index] {
            random = Random(random.next() ^ part.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        }
        random
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to `bound` - 1; 0 when there is none.
    pub fn below(&mut self, bound: usize) -> usize {
        // The remainder favours small numbers by one in 2^50 or so.
        (self.next() % (bound.max(1) as u64)) as usize
    }

    /// A time between two others, in milliseconds.
    pub fn between(&mut self, shortest: Duration, longest: Duration) -> Duration {
        let span = longest.saturating_sub(shortest).as_millis() as usize;
        shortest + Duration::from_millis(self.below(span + 1) as u64)
    }

    /// One of `choices`, each as likely as its weight; the first when all weigh nothing.
    pub fn choose<T: Copy>(&mut self, choices: &[(usize, T)]) -> Option<T> {
        let mut place = self.below(choices.iter().map(|(weight, _)| weight).sum());
        for (weight, choice) in choices {
            if place < *weight {
                return Some(*choice);
            }
            place -= weight;
        }
        choices.first().map(|(_, choice)| *choice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_depend_on_seed_purpose_and_index_only() {
        let number = |seed, purpose, index| Random::keyed(seed, purpose, index).next();
        assert_eq!(number(1, Purpose::Process, 5), number(1, Purpose::Process, 5));
        let different = [
            number(1, Purpose::Process, 5),
            number(2, Purpose::Process, 5),
            number(1, Purpose::Process, 6),
            number(1, Purpose::Replay, 5),
            number(1, Purpose::Message(0), 5),
            number(1, Purpose::Message(1), 5),
        ];
        assert_eq!(different.iter().collect::<std::collections::BTreeSet<_>>().len(), different.len());
    }

    #[test]
    fn choices_are_as_likely_as_their_weights() {
        let mut random = Random::keyed(3, Purpose::Process, 0);
        let mut counts = [0; 3];
        for _ in 0..10_000 {
            counts[random.choose(&[(70, 0), (30, 1), (0, 2)]).unwrap()] += 1;
        }
        assert!((6_500..7_500).contains(&counts[0]) && counts[2] == 0, "{counts:?}");
    }
}
