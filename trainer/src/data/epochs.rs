//! Shuffle and repeat: which images of a finite training set make up a batch.

use std::cell::RefCell;
use std::collections::BTreeMap;

use rand::seq::SliceRandom;

use crate::random::{Purpose, stream};

/// The endless sequence of a set's indices: epoch after epoch, each a permutation of its own.
///
/// The permutation of epoch e is a function of (seed, e). The latest of each seed is kept, since a
/// step needs a few indices of it and the members of a group take turns; that changes no result.
#[derive(Debug)]
pub(super) struct Epochs {
    len: u32,
    latest: RefCell<BTreeMap<u64, Epoch>>,
}

#[derive(Debug)]
struct Epoch {
    number: u64,
    /// In half the memory of i64: a group of K runs holds K of them.
    order: Vec<u32>,
}

impl Epochs {
    /// Of a set of `len` images, at least one.
    ///
    /// # Panics
    /// On 2³² images or more, which would be four terabytes.
    pub(super) fn new(len: i64) -> Self {
        let len = u32::try_from(len).expect("fewer than 2³² images");
        Epochs { len, latest: RefCell::default() }
    }

    /// Indices of the `size` images of `step`: the sequence from position `step`·`size` on.
    /// A batch may span epochs.
    pub(super) fn batch(&self, seed: u64, step: u64, size: usize) -> Vec<i64> {
        let (len, size) = (u64::from(self.len), size as u64);
        let mut latest = self.latest.borrow_mut();
        let epoch = latest.entry(seed).or_insert_with(|| self.epoch(seed, 0));
        let first = step * size;
        (first..first + size)
            .map(|position| {
                if epoch.number != position / len {
                    *epoch = self.epoch(seed, position / len);
                }
                epoch.order[(position % len) as usize].into()
            })
            .collect()
    }

    /// Forgets the latest permutations.
    pub(super) fn forget(&self) {
        self.latest.borrow_mut().clear();
    }

    fn epoch(&self, seed: u64, number: u64) -> Epoch {
        let mut order: Vec<u32> = (0..self.len).collect();
        order.shuffle(&mut stream(seed, Purpose::Shuffle, number));
        Epoch { number, order }
    }
}
