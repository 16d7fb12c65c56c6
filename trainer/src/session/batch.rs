//! The training batch of a group.

use std::collections::BTreeMap;

use tch::{Device, Tensor};

use crate::data::{Batch, Source};
use crate::device::send;
use crate::network::channels_last;

/// Images `[n, K·c, 32, 32]`, channels-last, and labels `[K, n]` of members with these seeds at these steps.
///
/// Members that share both share their batch, which is then drawn once.
pub(super) fn of_members(
    source: &dyn Source,
    keys: &[(u64, u64)],
    size: usize,
    device: Device,
) -> (Tensor, Tensor) {
    let mut drawn: BTreeMap<(u64, u64), Batch> = BTreeMap::new();
    for &(seed, step) in keys {
        drawn.entry((seed, step)).or_insert_with(|| source.batch(seed, step, size));
    }
    let of_each =
        |part: fn(&Batch) -> &Tensor| -> Vec<&Tensor> { keys.iter().map(|key| part(&drawn[key])).collect() };
    let images = send(&Tensor::cat(&of_each(|batch| &batch.images), 1), device);
    let labels = send(&Tensor::stack(&of_each(|batch| &batch.labels), 0), device);
    (channels_last(&images), labels)
}
