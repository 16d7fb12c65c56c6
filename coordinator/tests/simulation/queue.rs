//! What a claim that comes alone must be granted, by the words of the promise: groups open in the order of the queue,
//! each takes the next runs of its shape, and no sweep has more runs than it may.

use std::collections::BTreeMap;

use acai_coordinator::store::{Grant, RunId};
use acai_sweep::schedule::Offer;

use crate::observer::{Load, Waiting};

/// The groups that `offer` is due of `queue`.
fn due(queue: &[Waiting], loads: &[Load], offer: Offer) -> Vec<Vec<RunId>> {
    let room = |load: &Load| (load.sweep, load.limit.map_or(i64::MAX, |limit| (limit - load.running).max(0)));
    let mut room: BTreeMap<i64, i64> = loads.iter().map(room).collect();
    let mut queue: Vec<&Waiting> = queue.iter().collect();
    let mut groups = Vec::new();
    while groups.len() < offer.groups as usize {
        let Some(opener) = queue.iter().find(|waiting| room[&waiting.sweep] > 0).copied() else { break };
        let fits = |waiting: &&Waiting| waiting.sweep == opener.sweep && waiting.shape == opener.shape;
        let room = room.get_mut(&opener.sweep).unwrap();
        let most = usize::try_from(*room).unwrap_or(usize::MAX).min(offer.group_size as usize);
        let group: Vec<RunId> =
            queue.iter().copied().filter(fits).take(most).map(|waiting| waiting.run).collect();
        *room -= group.len() as i64;
        queue.retain(|waiting| !group.contains(&waiting.run));
        groups.push(group);
    }
    groups
}

/// Panics unless `grants` are what a claim that comes alone must be granted.
pub(crate) fn check(queue: &[Waiting], loads: &[Load], offer: Offer, grants: &[Grant]) {
    let mut groups: BTreeMap<u32, Vec<RunId>> = BTreeMap::new();
    for grant in grants {
        groups.entry(grant.group).or_default().push(grant.attempt.run);
    }
    let groups: Vec<Vec<RunId>> = groups.into_values().collect();
    let due = due(queue, loads, offer);
    assert_eq!(groups, due, "granted, and due to {offer:?} of {queue:#?} with {loads:?}");
}
